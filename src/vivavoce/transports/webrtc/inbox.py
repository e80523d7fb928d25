"""What has come in on a call and was not received yet: sound, messages and reports in one order, bounded."""

import asyncio
from collections import deque

from vivavoce.protocol.frame import Closed, Frame

__all__ = ["Inbox"]

MAX_WAITING = 2000
"""Frames and messages; 20 ms of sound each make 40 s."""
MAX_BYTES = 8 * 1024 * 1024


class Inbox:
    """One receiver. Neither sound nor aiortc's data channels can be told to wait, so when nobody takes what
    comes, the call ends rather than growing."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Frame | str | bytes, int]] = deque()
        self._bytes = 0
        self._loop = asyncio.get_running_loop()
        self._waiter: asyncio.Future[None] | None = None
        self.ended: tuple[int, str] | None = None

    def put(self, thing: Frame | str | bytes, size: int = 0) -> None:
        """Adds a frame, or a message as it came; ``size`` is in bytes."""
        if self.ended is not None:
            return
        if len(self._waiting) >= MAX_WAITING or self._bytes + size > MAX_BYTES:
            self.clear()
            self.end(1008, "More came in than could be taken.")
            return
        self._waiting.append((thing, size))
        self._bytes += size
        self._wake()

    def end(self, code: int, reason: str) -> None:
        """The first end counts. What waits already can still be taken."""
        self.ended = self.ended or (code, reason)
        self._wake()

    def clear(self) -> None:
        self._waiting.clear()
        self._bytes = 0

    async def get(self) -> Frame | str | bytes:
        """The oldest; raises :class:`Closed` when the call has ended and all is taken."""
        while not self._waiting:
            self.check()
            self._waiter = self._loop.create_future()
            await self._waiter
        thing, size = self._waiting.popleft()
        self._bytes -= size
        return thing

    def check(self) -> None:
        """Raises :class:`Closed` if the call has ended."""
        if self.ended is not None:
            raise Closed(*self.ended)

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
