"""Packets of sound as they arrive, put in order, with what is lost found out as soon as it can be. Pure.

A jitter buffer holds every packet back so that a loudspeaker never runs dry. A session plays nothing: it counts
audio, and takes it as unevenly as it comes. So a packet passes at once, and only a hole is waited for, as long as
packets of this network have lately been overtaken by (20 to 200 ms): a mere delay makes no holes. That bound grows
with the first packet that needs it, and shrinks slowly. Times are seconds of the driver's clock; timestamps are
RTP's, 48,000 a second.
"""

from typing import NamedTuple

__all__ = ["MAX_GAP", "MAX_HELD", "MAX_WAIT", "MIN_WAIT", "TICKS", "Arrivals", "Packet"]

TICKS = 48_000
"""RTP ticks in a second of Opus, whatever its rate inside (RFC 7587, 4.1)."""
MIN_WAIT, MAX_WAIT = 0.02, 0.2
"""Seconds."""
MARGIN = 1.25
"""Times the latest of late: the next may be later."""
SHRINK = 0.02
"""By how much of itself the wait shrinks in a second: to half in 35."""
MAX_HELD = 64
"""Packets behind a hole; with more, it is given up. Of so many missing ones it is known since when."""
MAX_GAP = 5 * TICKS
"""What jumps further than this, forth or back, is a new clock, and no loss."""


class Packet(NamedTuple):
    """One in its turn. ``timestamp`` has been unwrapped: it does not start again at 2³²."""

    timestamp: int
    payload: bytes
    lost: int
    """How many before it never came. 0 with a timestamp that jumps: the sender was silent on purpose."""


class Arrivals:
    """One stream."""

    def __init__(self) -> None:
        self._wait, self._wait_of = MIN_WAIT, 0.0
        """What was waited for at that time."""
        self._held: dict[int, Packet] = {}  # by sequence number, behind a hole
        self._missing: dict[int, float] = {}  # by sequence number: when a later one came
        self._next: int | None = None  # sequence number
        self._highest = 0  # sequence number
        self._newest = 0  # timestamp

    def push(self, sequence: int, timestamp: int, payload: bytes, now: float) -> list[Packet]:
        """What can be taken now that this packet is there: not itself, if it is a copy, too late, or has to wait."""
        step = (timestamp - self._newest) & 0xFFFFFFFF
        if 0 < step <= MAX_GAP and self._is_next(sequence):  # as nearly all are
            return [self._pass(self._newest + step, payload)]
        if self._next is None:
            self._begin(sequence, timestamp)
        assert self._next is not None
        sequence = _unwrapped(sequence, self._next, 1 << 16)
        timestamp = _unwrapped(timestamp, self._newest, 1 << 32)
        given: list[Packet] = []
        if self._is_new_clock(sequence, timestamp):
            given = [self._take(held) for held in sorted(self._held)]
            self._begin(sequence, timestamp)
        self._newest = max(self._newest, timestamp)
        self._notice(sequence, now)
        if sequence >= self._next:
            self._held.setdefault(sequence, Packet(timestamp, payload, 0))
        return given + self.due(now)

    def due(self, now: float) -> list[Packet]:
        """What can be taken at this time."""
        given = []
        while self._held and (self._next in self._held or self._given_up(now)):
            given.append(self._take(min(self._held)))
        return given

    def deadline(self) -> float | None:
        """When the hole that is waited for is given up; None while there is none."""
        return self._missing.get(self._next or 0, 0.0) + self._wait if self._held else None

    def patience(self, now: float) -> float:
        """For how long a packet may have been overtaken, in seconds."""
        kept: float = (1 - SHRINK) ** max(0.0, now - self._wait_of)
        return max(MIN_WAIT, self._wait * kept)

    def _is_next(self, sequence: int) -> bool:
        return self._next is not None and not self._held and self._next & 0xFFFF == sequence

    def _pass(self, timestamp: int, payload: bytes) -> Packet:
        assert self._next is not None
        self._highest, self._newest = self._next, timestamp
        self._next += 1
        return Packet(timestamp, payload, 0)

    def _begin(self, sequence: int, timestamp: int) -> None:
        self._next, self._highest, self._newest = sequence, sequence - 1, timestamp
        self._missing.clear()

    def _is_new_clock(self, sequence: int, timestamp: int) -> bool:
        backwards = sequence < (self._next or 0) and timestamp > self._newest
        return backwards or abs(timestamp - self._newest) > MAX_GAP

    def _notice(self, sequence: int, now: float) -> None:
        """What is missing since when, and how late this one is, which counts for those that follow."""
        late = now - self._missing.pop(sequence, now)
        self._wait, self._wait_of = min(MAX_WAIT, max(self.patience(now), late * MARGIN)), now
        for missing in range(max(self._highest + 1, sequence - MAX_HELD), sequence):
            self._missing[missing] = now
        while len(self._missing) > MAX_HELD:
            del self._missing[next(iter(self._missing))]
        self._highest = max(self._highest, sequence)

    def _given_up(self, now: float) -> bool:
        deadline = self.deadline()
        return len(self._held) > MAX_HELD or (deadline is not None and now >= deadline)

    def _take(self, sequence: int) -> Packet:
        held = self._held.pop(sequence)
        lost = sequence - (self._next or 0)
        self._next = sequence + 1
        return Packet(held.timestamp, held.payload, lost)


def _unwrapped(value: int, near: int, size: int) -> int:
    """The number that ``value`` is the rest of, modulo ``size``, and that is nearest to ``near``."""
    return near + (value - near + size // 2) % size - size // 2
