"""Windows of voice activity that come in one round of the event loop, of whichever sessions, are looked at together.

A process with little to do has one of them in a round and loses nothing by it; one that is busy has many, and each
costs a quarter then (``models/vad/network.py``). So the work grows less than the number of those who speak.
"""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from vivavoce.models.interfaces import Vad, VadStream

__all__ = ["Rounds"]

BEHIND = 4
"""Windows of one listener that wait at most: sound that is brought faster than anybody speaks comes many at once."""


class _Heard(NamedTuple):
    stream: VadStream
    window: bytes
    tell: Callable[[float], None]


class Rounds:
    """One for all sessions of an event loop."""

    def __init__(self, vad: Vad) -> None:
        self.vad = vad
        self._waiting: dict[int, list[_Heard]] = {}
        """By listener: its windows, in order, as each depends on the one before."""

    def add(self, stream: VadStream, window: bytes, tell: Callable[[float], None]) -> None:
        """``tell`` is called with the probability, in this round or sooner. It raises nothing."""
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self.look)
        windows = self._waiting.setdefault(id(stream), [])
        windows.append(_Heard(stream, window, tell))
        if len(windows) >= BEHIND:
            self.look()

    def settle(self, stream: VadStream) -> None:
        """What has been added of this one is told of before this returns."""
        if id(stream) in self._waiting:
            self.look()

    def look(self) -> None:
        """At all that waits."""
        waiting, self._waiting = [*self._waiting.values()], {}
        for turn in range(max(map(len, waiting), default=0)):
            heard = [windows[turn] for windows in waiting if turn < len(windows)]
            found = self.vad.probabilities([(each.stream, each.window) for each in heard])
            for each, probability in zip(heard, found, strict=True):
                each.tell(probability)
