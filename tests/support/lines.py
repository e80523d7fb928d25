"""A line in memory, for tests of what stands between two of them."""

import asyncio

from vivavoce.protocol.frame import Closed, Frame

__all__ = ["MemoryLine"]


class MemoryLine:
    """The test plays the far side: ``arrive`` and ``hang_up`` are what it does, ``sent`` and ``closed`` are
    what was done to it. ``slow``: holds back every ``send`` until :attr:`room` is set; :attr:`pressed` tells
    that one has come."""

    def __init__(self, *, slow: bool = False) -> None:
        self._arriving: asyncio.Queue[Frame | Closed | Exception] = asyncio.Queue()
        self.sent: asyncio.Queue[Frame] = asyncio.Queue()
        self.closed: Closed | None = None
        self.room = asyncio.Event()
        self.pressed = asyncio.Event()
        if not slow:
            self.room.set()

    def arrive(self, *frames: Frame) -> None:
        for frame in frames:
            self._arriving.put_nowait(frame)

    def hang_up(self, code: int = 1000, reason: str = "") -> None:
        self._arriving.put_nowait(Closed(code, reason))

    def break_with(self, error: Exception) -> None:
        self._arriving.put_nowait(error)

    def unread(self) -> int:
        """How many frames have arrived and were not received yet."""
        return self._arriving.qsize()

    async def next_sent(self) -> Frame:
        return await asyncio.wait_for(self.sent.get(), 5)

    async def receive(self) -> Frame:
        if self.closed:
            raise self.closed
        got = await self._arriving.get()
        if isinstance(got, Exception):
            raise got
        return got

    async def send(self, frame: Frame) -> None:
        self.pressed.set()
        await self.room.wait()
        if self.closed:
            raise self.closed
        self.sent.put_nowait(frame)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        self.closed = self.closed or Closed(code, reason)
        self.room.set()
