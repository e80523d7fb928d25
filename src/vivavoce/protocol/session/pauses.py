"""How long a silence must be to end a turn, where meaning decides: by how finished the words are, and by how long
this speaker pauses within a sentence.

    finished   0 ──────────────── 0.5 ──────────────── 1
    silence    the longest wait ─ what is usual ────── the least         (of the eagerness: ``turn.py``)

What is usual is learned: a little more than most of the pauses that this speaker has gone on after, within what the
eagerness allows. Nothing is learned from, or for, ``server_vad``: its silence is the client's own.
"""

from collections import deque
from math import ceil

__all__ = ["LEAST_KNOWN", "REMEMBERED", "Pauses"]

REMEMBERED = 20
"""Of the latest pauses."""
LEAST_KNOWN = 3
"""Fewer pauses than this say nothing about a speaker."""
MOST_OF_THEM = 0.8
ROOM = 1.25
"""The wait is this much longer than most of the pauses."""


class Pauses:
    """Lengths are in samples."""

    def __init__(self) -> None:
        self._recent: deque[int] = deque(maxlen=REMEMBERED)

    def went_on(self, pause: int) -> None:
        """The speaker went on after this much silence."""
        self._recent.append(pause)

    def enough(self, finished: float, least: int, most: int, longest: int) -> int:
        """The silence that ends a turn which is ``finished`` with this likelihood (0 to 1). ``most``: as far as
        learning may stretch it."""
        usual = self._usual(least, most)
        if finished >= 0.5:
            return round(usual + (least - usual) * min(1.0, 2 * finished - 1))
        return round(longest + (usual - longest) * max(0.0, 2 * finished))

    def _usual(self, least: int, most: int) -> int:
        if len(self._recent) < LEAST_KNOWN:
            return least
        ranked = sorted(self._recent)
        wanted = ranked[ceil(MOST_OF_THEM * len(ranked)) - 1] * ROOM
        return round(min(max(wanted, least), most))
