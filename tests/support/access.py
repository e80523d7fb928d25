"""Clocks, chance and a store for tests of who may do what."""

from collections.abc import Callable

from vivavoce.access.gate import Gate
from vivavoce.access.grants import MAX_GRANTS, Grants
from vivavoce.access.jwt import Tokens
from vivavoce.access.keys import GivenKeys
from vivavoce.access.sealing import Sealer
from vivavoce.store.store import Store, in_memory

__all__ = ["SECRET", "Clock", "House", "counting"]

SECRET = b"the secret of these tests, long enough"


class Clock:
    def __init__(self, now: float = 1_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def counting() -> Callable[[int], bytes]:
    """Bytes that are never the same twice."""
    made = 0

    def random(size: int) -> bytes:
        nonlocal made
        made += 1
        return made.to_bytes(size, "big")

    return random


class House:
    """A gate and all that it asks, in memory."""

    def __init__(self, *, given: tuple[str, ...] = (), tokens: Tokens | None = None, limit: int = MAX_GRANTS) -> None:
        self.clock = Clock()
        self.random = counting()
        self.store: Store = in_memory()
        self.sealer = Sealer(SECRET, self.random)
        self.grants = Grants(self.store.grants, self.sealer, now=self.clock, random=self.random, limit=limit)
        self.gate = Gate(
            self.grants,
            self.store.keys,
            self.store.shares,
            self.sealer,
            self.clock,
            given=GivenKeys(given),
            tokens=tokens,
        )

    def close(self) -> None:
        self.store.close()
