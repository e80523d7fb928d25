"""How long an upstream is waited for, and when it is asked again: every number, in one place.

It is asked again where that is safe, which a refusal says by being :class:`Passing`: it took nothing, and the
reason may be gone in a moment. A call is not placed twice unless the first offer cannot have arrived.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from vivavoce.backends.interface import BackendError

__all__ = ["Passing", "Patience", "patiently"]

log = logging.getLogger(__name__)

T = TypeVar("T")


class Passing(BackendError):
    """A refusal that may pass. ``unsent``: nothing of the request can have arrived."""

    def __init__(
        self, status: int, body: Mapping[str, Any], retry_after: float | None = None, *, unsent: bool = False
    ) -> None:
        super().__init__(status, body, retry_after)
        self.unsent = unsent


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """In seconds, where nothing else is said."""

    connect: float = 10.0
    """Until a connection stands."""
    answer: float = 20.0
    """Until the whole answer to an HTTP request is here."""
    silence: float = 60.0
    """Between two pieces of an answer that is passed on as it comes, and until the first."""
    open: float = 10.0
    """Until a WebSocket is open."""
    room: float = 10.0
    """Until the upstream takes an event that it was sent."""
    retold: float = 5.0
    """Until it has said of the next item of a conversation that goes on that it knows it now."""
    heartbeat: float = 20.0
    """Between two pings of a WebSocket, and until the answer to each."""
    attempts: int = 3
    """How often the same thing is asked, at most."""
    pause: float = 0.5
    """Before the second attempt; each further one is twice as long, give or take a quarter."""
    longest_pause: float = 4.0
    """Who asks for more than this (Retry-After) is not asked again: a person is waiting."""
    tap_attempts: int = 7
    """How often a call is tried to be listened to before it is hung up: some 15 s."""
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    random: Callable[[], float] = random.random
    """From 0 to 1."""

    def before(self, attempt: int, asked: float | None = None) -> float | None:
        """The pause before attempt number ``attempt`` (the second is 1); None where it would be too long."""
        if asked is not None and asked > self.longest_pause:
            return None
        grown = self.pause * 2.0 ** (attempt - 1) * (0.75 + self.random() / 2)
        return max(asked or 0.0, min(grown, self.longest_pause))


async def patiently(patience: Patience, ask: Callable[[], Awaitable[T]], *, placing: bool = False) -> T:
    """What ``ask`` gives, asked again where it raises :class:`Passing`; ``placing``: only where nothing arrived."""
    for attempt in range(1, patience.attempts):
        try:
            return await ask()
        except Passing as refusal:
            pause = patience.before(attempt, refusal.retry_after)
            if pause is None or (placing and not refusal.unsent):
                raise
            log.info("asking the upstream again in %.1f s: %s", pause, refusal)
            await patience.sleep(pause)
    return await ask()
