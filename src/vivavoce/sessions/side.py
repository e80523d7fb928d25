"""One more client that listens to a session and speaks in it, and never slows it: who falls behind is let go."""

import asyncio
from typing import Final

from vivavoce.protocol.frame import Closed, Frame, Line

__all__ = ["SIDE_FRAMES", "Side"]

SIDE_FRAMES: Final = 512
"""Frames that it may be behind."""


class Side:
    def __init__(self, line: Line) -> None:
        self.line = line
        self.told = Closed(1000, "")
        """What it is told at its end."""
        self._waiting: asyncio.Queue[Frame] = asyncio.Queue(SIDE_FRAMES)
        self._behind = asyncio.Event()

    def offer(self, frame: Frame) -> None:
        try:
            self._waiting.put_nowait(frame)
        except asyncio.QueueFull:
            self._behind.set()

    async def pump(self) -> Closed:
        """Until the line ends, or is too far behind to catch up."""
        behind = asyncio.create_task(self._behind.wait())
        sending = asyncio.create_task(self._send())
        try:
            await asyncio.wait([behind, sending], return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                return sending.result()
            self.told = Closed(1008, f"You read too slowly: {SIDE_FRAMES} events waited.")
            return self.told
        finally:
            for task in (behind, sending):
                task.cancel()
            await asyncio.gather(behind, sending, return_exceptions=True)

    async def _send(self) -> Closed:
        try:
            while True:
                await self.line.send(await self._waiting.get())
        except Closed as closed:
            return closed
