"""What may stand in the stream of a session: filters, which decide what passes, and observers, which only watch.

client ──▶ filters ──▶ observers ──▶ answerer
client ◀── observers ◀── filters ◀── answerer
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from enum import Enum
from typing import Protocol

from vivavoce.protocol.frame import Frame

__all__ = ["Behind", "Filter", "Observer", "Watcher"]

log = logging.getLogger(__name__)


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
