"""How far the making of audio is ahead of a media track's playing of it, and the bound on that.

A track plays in real time and is never made to wait for; so that an answer of an hour is not made in a
minute and held in memory, its maker waits here.
"""

import asyncio

from vivavoce.protocol.session.commands import RATE

__all__ = ["MAX_SAMPLES", "Unplayed"]

MAX_SAMPLES = 10 * RATE


class Unplayed:
    def __init__(self) -> None:
        self._left: dict[str, int] = {}
        """Samples made for each item and not played yet."""
        self._played: dict[str, int] = {}
        self._room = asyncio.Event()
        self._room.set()

    def queued(self, item_id: str, samples: int) -> None:
        self._left[item_id] = self._left.get(item_id, 0) + samples
        self._settle()

    def played(self, item_id: str, samples: int, *, drained: bool) -> None:
        """The track has played the first ``samples`` of the item; ``drained``: all there is of any."""
        if drained:
            self._left.clear()
            self._played.clear()
        elif item_id in self._left:
            self._left[item_id] -= samples - self._played.get(item_id, 0)
            self._played[item_id] = samples
        self._settle()

    def flushed(self, item_id: str) -> None:
        self._left.pop(item_id, None)
        self._settle()

    async def room(self) -> None:
        """Wait until less than :data:`MAX_SAMPLES` are unplayed."""
        await self._room.wait()

    def _settle(self) -> None:
        if sum(self._left.values()) < MAX_SAMPLES:
            self._room.set()
        else:
            self._room.clear()
