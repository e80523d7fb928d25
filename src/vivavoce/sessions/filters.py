"""What may stand in the stream of a session: filters, which decide what passes, and observers, which only watch.

client ──▶ filters ──▶ observers ──▶ answerer
client ◀── observers ◀── filters ◀── answerer
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, runtime_checkable

from vivavoce.protocol.frame import Closed, Frame
from vivavoce.protocol.wire.errors import ProtocolError

__all__ = ["ASIDES", "OWNER", "Asides", "Behind", "Beside", "Filter", "News", "Observer", "Stopped", "Watcher"]

log = logging.getLogger(__name__)


OWNER = "owner"
"""How the origin of a frame begins that comes from the session's owner, beside its client."""
ASIDES = 64
"""Frames of our own that may wait for who answers."""


@dataclass(slots=True)
class News(Frame):
    """Something has come about beside the stream, a tool has ended for instance, and a filter has to tell of it in its
    place in the stream. It goes the way of an answerer's frame until it reaches that filter, which gives what
    :attr:`make` makes; no client sees it."""

    to: object = None
    make: Callable[[], Sequence[Frame]] = tuple


class Asides:
    """What filters say themselves: to who answers, in order, past all filters; and :class:`News`, to themselves. The
    hub takes both from here. Errors that answer what was said reach the filters, and no client."""

    ORIGIN = "aside"

    def __init__(self) -> None:
        self._waiting: asyncio.Queue[Frame] = asyncio.Queue(ASIDES)
        self._news: asyncio.Queue[News] = asyncio.Queue(ASIDES)

    def say(self, *frames: Frame) -> None:
        for frame in frames:
            frame.origin = self.ORIGIN
            self._waiting.put_nowait(frame)

    async def next(self) -> Frame:
        return await self._waiting.get()

    def hear(self, to: object, make: Callable[[], Sequence[Frame]]) -> None:
        """Raises :class:`ProtocolError` where too much waits to be told: a client asks for more than it reads."""
        try:
            self._news.put_nowait(News("", to=to, make=make))
        except asyncio.QueueFull:
            words = f"{ASIDES} answers wait for you to read them."
            raise ProtocolError("rate_limit_exceeded", words) from None

    async def hear_in_time(self, to: object, make: Callable[[], Sequence[Frame]]) -> None:
        """The same, once there is room."""
        await self._news.put(News("", to=to, make=make))

    async def next_news(self) -> News:
        return await self._news.get()


class Stopped(Closed):
    """An end of our making: the client is told the error, then the line is closed (O-52)."""

    def __init__(self, error: ProtocolError) -> None:
        super().__init__(4000, f"{error.type}.{error.code}")
        self.error = error


class Filter:
    """Sees frames in order and says what goes on in their place: themselves, others, or nothing. Must not block.
    What it does not define lets everything pass."""

    def sees(self, type: str) -> bool:
        """Whether frames of this type concern it; others pass as they are. Asked once for each type."""
        return True

    def inward(self, frame: Frame) -> Sequence[Frame]:
        """A client's frame, on its way to who answers. ``frame.origin`` tells a sideband's from the client's own.
        Raises :class:`ProtocolError` to refuse it: the client that sent it is told, and the session goes on."""
        return (frame,)

    def outward(self, frame: Frame) -> Sequence[Frame]:
        """A frame of who answers, on its way to the clients."""
        return (frame,)


class Observer:
    """Is shown what passed the filters, both ways. Must not block: see :class:`Watcher` for one that has to wait. What
    it does not define it is not asked for."""

    def sees(self, type: str) -> bool:
        """Whether frames of this type concern it. Asked once for each type."""
        return True

    def sent(self, frame: Frame) -> None:
        """Handed to who answers."""

    def told(self, frame: Frame) -> None:
        """Handed to the client."""


@runtime_checkable
class Beside(Protocol):
    """What an observer with work of its own has too: a session runs it beside its stream, and waits for its end."""

    async def run(self) -> None:
        """Until :meth:`finish`, and what was begun is done."""

    async def finish(self, how: Closed) -> None:
        """The session is over: nothing more will be shown. Returns at once; :meth:`run` then ends by itself."""


class Behind(Enum):
    """What becomes of a watcher that cannot keep up."""

    DROP = "what it missed is lost, and counted"
    STOP = "it is told of nothing more: half a record is worse than a short one"


class Watcher(Observer):
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

    async def finish(self, how: Closed) -> None:
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
