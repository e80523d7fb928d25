"""Networks in virtual time: when each of a stream's packets arrives; and ways to receive them, ours beside others.

Nothing here was recorded. Each network has the one trait that its name is known for, from a seed, so a minute of it
takes milliseconds and is always the same.
"""

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from vivavoce.transports.webrtc.arrival import Arrivals, Packet

FRAME = 0.02
"""Seconds of sound in a packet; packet n is sent at n times that."""
LAST = 3000
"""Packets of a trace: a minute."""

Trace = list[tuple[float, int]]
"""(when, number), in the order of arrival, in seconds since the first was sent. What is lost is not in it."""


def _arriving(delays: Iterable[float | None]) -> Trace:
    return sorted((n * FRAME + delay, n) for n, delay in enumerate(delays) if delay is not None)


def _in_order(delays: Iterable[float]) -> Iterator[float]:
    """One queue: who is behind a late one is as late."""
    free = 0.0
    for number, delay in enumerate(delays):
        free = max(free + 0.0002, number * FRAME + delay)
        yield free - number * FRAME


def calm(chance: random.Random) -> Trace:
    return _arriving(_in_order(0.02 + chance.expovariate(1 / 0.002) for _ in range(LAST)))


def wifi(chance: random.Random) -> Trace:
    """Now and then the channel is taken for 50 to 200 ms, then all comes at once."""
    stalls = [0.0] * LAST
    for number in range(LAST):
        if chance.random() < 0.02:
            stalls[number] = chance.uniform(0.05, 0.2)
    return _arriving(_in_order(0.005 + chance.expovariate(1 / 0.003) + stall for stall in stalls))


def mobile(chance: random.Random) -> Trace:
    """4G: delays wander between 30 and 90 ms; a handover of half a second in the middle; one of 200 is lost."""
    level = 0.05
    delays = []
    for number in range(LAST):
        level = min(0.09, max(0.03, level + chance.gauss(0, 0.004)))
        handover = max(0.0, 0.5 - (number - LAST // 2) * FRAME) if number >= LAST // 2 else 0.0
        delays.append(max(level + chance.expovariate(1 / 0.006), handover))
    return _arriving(None if chance.random() < 0.005 else delay for delay in _in_order(delays))


def two_paths(chance: random.Random) -> Trace:
    """Every fifth packet takes a way that is 35 ms longer, so it is overtaken."""
    return _arriving(0.03 + 0.035 * (chance.random() < 0.2) + chance.expovariate(1 / 0.002) for _ in range(LAST))


def shuffled(chance: random.Random) -> Trace:
    return _arriving(chance.uniform(0.02, 0.1) for _ in range(LAST))


def lossy(chance: random.Random) -> Trace:
    """2 % of packets are lost, two in a row on average."""
    bad, delays = False, list[float | None]()
    for _ in range(LAST):
        bad = chance.random() < (0.5 if bad else 0.0102)
        delays.append(None if bad else 0.03 + chance.expovariate(1 / 0.003))
    return _arriving(delays)


def drifting(chance: random.Random) -> Trace:
    """The sender's clock is 300 millionths slow, and halfway the route gets 60 ms longer."""
    longer = [0.03 + number * FRAME * 3e-4 + 0.06 * (number > LAST // 2) for number in range(LAST)]
    return _arriving(_in_order(delay + chance.expovariate(1 / 0.003) for delay in longer))


NETWORKS: tuple[Callable[[random.Random], Trace], ...] = (calm, wifi, mobile, two_paths, shuffled, lossy, drifting)


@dataclass(frozen=True)
class Heard:
    """What a receiver made of a trace."""

    waits: list[float]
    """Seconds from the arrival of each packet that was taken until it was."""
    dropped: int
    """Packets that arrived and were not taken."""

    def wait(self, share: float) -> float:
        return sorted(self.waits)[min(len(self.waits) - 1, int(share * len(self.waits)))]


def ours(trace: Trace) -> Heard:
    arrivals, came, waits = Arrivals(), dict[int, float](), list[float]()

    def take(packets: list[Packet], now: float) -> None:
        waits.extend(now - came[packet.timestamp // 960] for packet in packets)

    for now, number in trace:
        while (deadline := arrivals.deadline()) is not None and deadline <= now:
            take(arrivals.due(deadline), deadline)
        came[number] = now
        take(arrivals.push(number & 0xFFFF, number * 960, b"", now), now)
    take(arrivals.due(1e9), trace[-1][0])
    return Heard(waits, len(trace) - len(waits))


def fixed(trace: Trace, delay: float = 0.08) -> Heard:
    """Each packet is taken when the first one's clock and the delay say so, whatever became of those before it."""
    start = trace[0][0] - trace[0][1] * FRAME + delay
    return _played((start + number * FRAME - now for now, number in trace), len(trace))


def percentile(trace: Trace, share: float = 0.95, window: int = 100) -> Heard:
    """As players have it: the delay that so many of the last two seconds' packets did not exceed, over the least."""
    recent: list[float] = []
    waits: list[float] = []
    for now, number in trace:
        transit = now - number * FRAME
        if recent:
            ordered = sorted(recent)
            waits.append(ordered[min(len(ordered) - 1, int(share * len(ordered)))] - transit)
        else:
            waits.append(0.0)
        recent = [*recent, transit][-window:]
    return _played(waits, len(trace))


def _played(waits: Iterable[float], arrived: int) -> Heard:
    taken = [wait for wait in waits if wait >= 0]
    return Heard(taken, arrived - len(taken))
