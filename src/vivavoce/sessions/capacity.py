"""How many sessions this process takes: a number, or as many as it can serve well, which it knows by measuring.

An answer goes through the event loop some ten times, so it is late where the loop is. Two things are looked at, ten
times a second, over the last ten seconds: how late the loop woke, which tells of everything that keeps it from running
(other threads, other programs, a container's share of a processor), and how much of a processor its thread used, which
tells how near that is. When one of the two reaches its limit nobody new is let in, until both are well below.

It reads no clock: whoever beats does (``server/heartbeat.py``).
"""

import logging
from collections import deque
from heapq import nlargest
from typing import Final, NamedTuple

__all__ = [
    "AGAIN", "BEATS", "BEAT_SECONDS", "BUSY", "CEILING", "EACH", "FEW", "LATE_SECONDS", "Capacity", "Full",
    "Overloaded",
]  # fmt: skip

log = logging.getLogger(__name__)

BEAT_SECONDS: Final = 0.1
BEATS: Final = 100
"""The window. A collector's pause, an import or the start of a model is a few late beats of them, and no reason."""
LATE_SECONDS: Final = 0.025
"""So late wakes the loop, one time in twenty, when answers are 80 ms late one time in twenty (docs/performance.md)."""
BUSY: Final = 0.8
"""Of a processor. What is left is for those who all speak at once, and for those who come back."""
AGAIN: Final = 0.85
"""Full is at 1 of either limit; below this part of it there is room again."""
EACH: Final = 0.02
"""Of a processor: what a session is taken to need until it has been there as long as the window. So a crowd that comes
at once is not let in on the strength of what was measured before."""
FEW: Final = 4
"""So many are let in whatever is measured: it cannot be they who make this machine slow."""
CEILING: Final = 250
"""However little they need: at 1.5 MB each it bounds memory."""


class Full(Exception):
    """As many sessions are alive as are allowed."""


class Overloaded(Exception):
    """One more would make those late who are here."""


class _Beat(NamedTuple):
    at: float
    late: float
    used: float
    sessions: int


class Capacity:
    """``limit`` sessions, whatever is measured; None: as many as measuring allows, :data:`CEILING` at most."""

    def __init__(self, limit: int | None = None) -> None:
        self.limit = CEILING if limit is None else limit
        self._measuring = limit is None
        self._beats: deque[_Beat] = deque(maxlen=BEATS)
        self.late = 0.0
        """Seconds: 95 of 100 beats were not later."""
        self.busy = 0.0
        """Of a processor: what the loop's thread used."""
        self.full = False
        """Whether measuring lets nobody new in."""
        self.times_full = 0
        """How often it has become so."""

    def beat(self, at: float, late: float, used: float, sessions: int) -> None:
        """At ``at`` (seconds of any clock) the loop woke ``late`` seconds late, its thread had used ``used`` seconds of
        a processor, and so many sessions were there."""
        self._beats.append(_Beat(at, late, used, sessions))
        latest = nlargest(1 + BEATS // 20, (beat.late for beat in self._beats))
        self.late = latest[-1] if len(latest) > BEATS // 20 else 0.0
        first = self._beats[0]
        self.busy = (used - first.used) / (at - first.at) if at > first.at else 0.0
        self._judge(sessions)

    def load(self, sessions: int) -> float:
        """What is asked of this process with so many sessions, as a part of what it takes: 1 is full."""
        seen = sum(beat.sessions for beat in self._beats) / len(self._beats) if self._beats else 0.0
        unseen = max(0.0, sessions - seen)
        return max((self.busy + unseen * EACH) / BUSY, self.late / LATE_SECONDS)

    def check(self, sessions: int, *, returning: bool = False) -> None:
        """Whether there is room for one more beside so many. Who comes ``returning`` to a conversation is let in up to
        the limit, whatever is measured. Raises :class:`Full` and :class:`Overloaded`."""
        if sessions >= self.limit:
            raise Full
        self._judge(sessions)
        if self.full and not returning:
            raise Overloaded

    def _judge(self, sessions: int) -> None:
        if not self._measuring:
            return
        load = self.load(sessions)
        was, self.full = self.full, sessions >= FEW and load >= (AGAIN if self.full else 1.0)
        if self.full != was:
            self.times_full += self.full
            words = "no new sessions for now" if self.full else "room for new sessions again"
            log.warning(
                "%s: live=%d busy=%.0f%% late=%.0fms load=%.2f",
                words,
                sessions,
                100 * self.busy,
                1000 * self.late,
                load,
            )
