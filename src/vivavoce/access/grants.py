"""Ephemeral keys, ``ek_…``: short-lived references to what a session may begin with (H-31 to H-37).

The key itself says nothing. What it stands for stays here, found by the key's hash, so neither a page nor
this memory gives away what the other one knows.
"""

import base64
import hashlib
import heapq
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["MAX_SECONDS", "MIN_SECONDS", "PREFIX", "Grant", "Grants", "TooManyGrants"]

PREFIX = "ek_"
MIN_SECONDS, MAX_SECONDS = 10, 7200
"""How long a key may live (H-33)."""
KEY_BYTES = 20
"""160 random bits."""
MAX_GRANTS = 10_000
"""Keys alive at one time."""


class TooManyGrants(Exception):
    """As many keys are alive as are allowed."""


@dataclass(frozen=True, slots=True)
class Grant:
    config: Mapping[str, Any]
    """The session patch that a session of this key begins with, ``type`` always among its keys."""
    expires_at: int
    """Unix seconds. Ends the key, not the sessions that it opened (H-34)."""
    parent: str
    """The principal that minted it."""
    beta: Mapping[str, Any] | None = None
    """The session as the beta API writes it, of a key that was minted there: who holds it speaks beta (H-43)."""


class Grants:
    """The keys of this process. ``now`` gives unix seconds, ``random(n)`` gives n unguessable bytes."""

    def __init__(self, *, now: Callable[[], float], random: Callable[[int], bytes], limit: int = MAX_GRANTS) -> None:
        self._now = now
        self._random = random
        self._limit = limit
        self._grants: dict[bytes, Grant] = {}
        self._ends: list[tuple[int, bytes]] = []  # a heap: which key goes next

    def mint(
        self, config: Mapping[str, Any], *, seconds: int, parent: str, beta: Mapping[str, Any] | None = None
    ) -> tuple[str, Grant]:
        """A new key and what it stands for. ``seconds`` lies between MIN_SECONDS and MAX_SECONDS.
        Raises :class:`TooManyGrants`."""
        if not MIN_SECONDS <= seconds <= MAX_SECONDS:
            raise ValueError(f"a key lives {MIN_SECONDS} to {MAX_SECONDS} seconds, not {seconds}")
        self._forget_expired()
        if len(self._grants) >= self._limit:
            raise TooManyGrants
        key = PREFIX + base64.b32encode(self._random(KEY_BYTES)).decode().lower()
        grant = Grant(dict(config), int(self._now()) + seconds, parent, beta)
        name = _hash(key)
        self._grants[name] = grant
        heapq.heappush(self._ends, (grant.expires_at, name))
        return key, grant

    def find(self, key: str) -> Grant | None:
        """What ``key`` stands for; None when it is unknown or has expired. A key opens many sessions (H-34)."""
        grant = self._grants.get(_hash(key))
        return grant if grant is not None and self._now() < grant.expires_at else None

    def _forget_expired(self) -> None:
        while self._ends and self._ends[0][0] <= self._now():
            del self._grants[heapq.heappop(self._ends)[1]]


def _hash(key: str) -> bytes:
    return hashlib.sha256(key.encode(errors="surrogatepass")).digest()
