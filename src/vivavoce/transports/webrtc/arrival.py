"""Packets of sound as they arrive, put in order, with what is lost found out as soon as it can be. Pure.

A jitter buffer holds every packet back so that a loudspeaker never runs dry. A session plays nothing: it counts
audio, and takes it as unevenly as it comes. So a packet passes at once, and only a hole is waited for, for as
long as the buffer that this network needs would have held what is behind it: after its earliest possible
arrival, as much as packets have lately been late (20 to 200 ms). That bound grows with the first packet that
needs it, and shrinks slowly. Times are seconds of the driver's clock; timestamps are RTP's, 48,000 a second.
"""

from dataclasses import dataclass

__all__ = ["MAX_GAP", "MAX_WAIT", "MIN_WAIT", "TICKS", "Arrivals", "Packet"]

TICKS = 48_000
"""RTP ticks in a second of Opus, whatever its rate inside (RFC 7587, 4.1)."""
MIN_WAIT, MAX_WAIT = 0.02, 0.2
"""Seconds."""
SHRINK = 0.02
"""By how much of itself the wait shrinks in a second: to half in 35."""
WINDOW = 5.0
"""Seconds: the earliest possible arrival is the earliest in the last one or two of these, so that neither a
drifting clock nor another route through the network is taken for jitter for ever."""
MAX_HELD = 64
"""Packets behind a hole; with more, it is given up."""
MAX_GAP = 5 * TICKS
"""What jumps further than this, forth or back, is a new clock, and no loss."""


@dataclass(frozen=True, slots=True)
class Packet:
    """One in its turn. ``timestamp`` has been unwrapped: it does not start again at 2³²."""

    timestamp: int
    payload: bytes
    lost: int
    """How many before it never came. 0 with a timestamp that jumps: the sender was silent on purpose."""


class Arrivals:
    """One stream."""

    def __init__(self) -> None:
        self.wait = MIN_WAIT
        """How late a packet may be, in seconds."""
        self._held: dict[int, tuple[int, bytes, float]] = {}  # sequence: timestamp, payload, earliest arrival
        self._next: int | None = None  # sequence number
        self._newest = 0  # timestamp
        self._earliest = _Earliest()
        self._measured_at = 0.0

    def push(self, sequence: int, timestamp: int, payload: bytes, now: float) -> list[Packet]:
        """What can be taken now that this packet is there: not itself, if it is a copy, too late, or has to wait."""
        if self._next is None:
            self._next, self._newest = sequence, timestamp
        sequence = _unwrapped(sequence, self._next, 1 << 16)
        timestamp = _unwrapped(timestamp, self._newest, 1 << 32)
        given: list[Packet] = []
        if self._is_new_clock(sequence, timestamp):
            given = [self._take(held) for held in sorted(self._held)]
            self._next, self._newest, self._earliest = sequence, timestamp, _Earliest()
        self._newest = max(self._newest, timestamp)
        earliest = self._measure(timestamp, now)
        if sequence >= self._next:
            self._held.setdefault(sequence, (timestamp, payload, earliest))
        return given + self.due(now)

    def due(self, now: float) -> list[Packet]:
        """What can be taken at this time."""
        given = []
        while self._held and (self._next in self._held or self._given_up(now)):
            given.append(self._take(min(self._held)))
        return given

    def deadline(self) -> float | None:
        """When the hole that is waited for is given up; None while there is none."""
        return self._held[min(self._held)][2] + self.wait if self._held else None

    def _given_up(self, now: float) -> bool:
        deadline = self.deadline()
        return len(self._held) > MAX_HELD or (deadline is not None and now >= deadline)

    def _take(self, sequence: int) -> Packet:
        timestamp, payload, _ = self._held.pop(sequence)
        lost = sequence - (self._next or 0)
        self._next = sequence + 1
        return Packet(timestamp, payload, lost)

    def _is_new_clock(self, sequence: int, timestamp: int) -> bool:
        backwards = sequence < (self._next or 0) and timestamp > self._newest
        return backwards or abs(timestamp - self._newest) > MAX_GAP

    def _measure(self, timestamp: int, now: float) -> float:
        """When this packet could have come at the earliest. How late it is counts for those that follow."""
        trip = now - timestamp / TICKS
        least = self._earliest.seen(trip, now)
        shrunk = self.wait * (1 - SHRINK) ** max(0.0, now - self._measured_at)
        self._measured_at = now
        self.wait = min(MAX_WAIT, max(MIN_WAIT, shrunk, trip - least))
        return timestamp / TICKS + least


class _Earliest:
    """The least of what was seen in this window and the one before."""

    def __init__(self) -> None:
        self._before = self._least = float("inf")
        self._since: float | None = None

    def seen(self, trip: float, now: float) -> float:
        if self._since is None or now - self._since >= WINDOW:
            self._before, self._least, self._since = self._least, trip, now
        self._least = min(self._least, trip)
        return min(self._before, self._least)


def _unwrapped(value: int, near: int, size: int) -> int:
    """The number that ``value`` is the rest of, modulo ``size``, and that is nearest to ``near``."""
    return near + (value - near + size // 2) % size - size // 2
