"""What may stand in the stream of a session: filters, which decide what passes, and observers, which only watch.

client ──▶ filters ──▶ observers ──▶ answerer
client ◀── observers ◀── filters ◀── answerer
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from enum import Enum
from typing import Protocol

from vivavoce.protocol.frame import Closed, Frame
from vivavoce.protocol.wire.errors import ProtocolError

__all__ = ["ASIDES", "OWNER", "Asides", "Behind", "Filter", "Observer", "Stopped", "Watcher"]

log = logging.getLogger(__name__)


OWNER = "owner"
"""How the origin of a frame begins that comes from the session's owner, beside its client."""
ASIDES = 64
"""Frames of our own that may wait for who answers."""


class Asides:
    """What filters say themselves to who answers, in order, past all filters; the hub takes it from here. Errors that
    answer a frame with an ``origin`` of its own reach no client."""

    ORIGIN = "aside"

    def __init__(self) -> None:
        self._waiting: asyncio.Queue[Frame] = asyncio.Queue(ASIDES)

    def say(self, *frames: Frame) -> None:
        for frame in frames:
            frame.origin = self.ORIGIN
            self._waiting.put_nowait(frame)

    async def next(self) -> Frame:
        return await self._waiting.get()


class Stopped(Closed):
    """An end of our making: the client is told the error, then the line is closed (O-52)."""

    def __init__(self, error: ProtocolError) -> None:
        super().__init__(4000, f"{error.type}.{error.code}")
        self.error = error


class Filter(Protocol):
    """Sees every frame in order and says what goes on in its place: itself, others, or nothing. Must not block."""

    def inward(self, frame: Frame) -> Sequence[Frame]:
        """A client's frame, on its way to who answers. ``frame.origin`` tells a sideband's from the client's own.
        Raises :class:`ProtocolError` to refuse it: the client that sent it is told, and the session goes on."""

    def outward(self, frame: Frame) -> Sequence[Frame]:
        """A frame of who answers, on its way to the clients."""


class Observer(Protocol):
    """Is shown what passed the filters, both ways. Must not block: see :class:`Watcher` for one that has to wait."""

    def sent(self, frame: Frame) -> None:
        """Handed to who answers."""

    def told(self, frame: Frame) -> None:
        """Handed to the client."""


class Behind(Enum):
    """What becomes of a watcher that cannot keep up."""

    DROP = "what it missed is lost, and counted"
    STOP = "it is told of nothing more: half a record is worse than a short one"


class Watcher:
    """An observer that may wait, on a disk for instance, beside the stream and not in it. ``take(frame, sent)`` is
    awaited for each frame that ``wants`` it, in order; ``size`` frames may wait for it, then ``rule`` holds."""

    def __init__(
        self,
        name: str,
        take: Callable[[Frame, bool], Awaitable[None]],
        *,
        wants: Callable[[Frame], bool],
        size: int,
        rule: Behind,
    ) -> None:
        self.name, self.missed = name, 0
        self._take, self._wants, self._rule = take, wants, rule
        self._waiting: asyncio.Queue[tuple[Frame, bool] | None] = asyncio.Queue(size)

    def sent(self, frame: Frame) -> None:
        self._note(frame, sent=True)

    def told(self, frame: Frame) -> None:
        self._note(frame, sent=False)

    async def run(self) -> None:
        """Until :meth:`finish`, and what was noted before is taken. A failure of ``take`` is logged, not raised."""
        while (noted := await self._waiting.get()) is not None:
            try:
                await self._take(*noted)
            except Exception:
                log.exception("%s failed on a frame", self.name)

    async def finish(self) -> None:
        """The session is over."""
        await self._waiting.put(None)

    def _note(self, frame: Frame, *, sent: bool) -> None:
        if not self._wants(frame) or (self.missed and self._rule is Behind.STOP):
            return
        try:
            self._waiting.put_nowait((frame, sent))
        except asyncio.QueueFull:
            if not self.missed:
                log.warning("%s is behind by %d frames: %s", self.name, self._waiting.maxsize, self._rule.value)
            self.missed += 1
