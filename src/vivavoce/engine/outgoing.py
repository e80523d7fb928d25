"""What a session has to say and has not been taken yet, with a bound that makers of audio wait for."""

import asyncio
from collections import deque

from vivavoce.protocol.frame import Closed, Frame

__all__ = ["MAX_BYTES", "MAX_FRAMES", "Outgoing"]

MAX_FRAMES = 512
MAX_BYTES = 1024 * 1024
"""About 20 s of 24 kHz audio."""


class Outgoing:
    """One taker, any number of makers. :meth:`put` never waits, since events follow from each other at
    once; whoever makes more waits in :meth:`room` before."""

    def __init__(self) -> None:
        self._frames: deque[Frame] = deque()
        self._bytes = 0
        self._ready = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._closed: Closed | None = None

    @property
    def full(self) -> bool:
        return len(self._frames) >= MAX_FRAMES or self._bytes >= MAX_BYTES

    def put(self, frame: Frame) -> None:
        if self._closed is not None:
            return
        self._frames.append(frame)
        self._bytes += len(frame.audio or b"")
        self._ready.set()
        if self.full:
            self._room.clear()

    def put_next(self, frame: Frame) -> None:
        """Before all that waits."""
        if self._closed is None:
            self._frames.appendleft(frame)
            self._ready.set()

    async def room(self) -> None:
        """Wait until what was put before has been taken, down to the bound."""
        await self._room.wait()

    async def take(self) -> Frame:
        """The next frame. Raises :class:`Closed` after the last."""
        while not self._frames:
            if self._closed is not None:
                raise Closed(self._closed.code, self._closed.reason)
            self._ready.clear()
            await self._ready.wait()
        frame = self._frames.popleft()
        self._bytes -= len(frame.audio or b"")
        if not self.full:
            self._room.set()
        return frame

    def close(self, closed: Closed) -> None:
        """Nothing more is put; what is there can still be taken."""
        self._closed = self._closed or closed
        self._ready.set()
        self._room.set()
