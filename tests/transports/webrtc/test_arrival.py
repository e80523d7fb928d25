"""Lists of (sequence, timestamp, arrival) in, packets in their order out."""

import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transports.webrtc.networks import NETWORKS, Trace, fixed, ours, percentile
from vivavoce.transports.webrtc.arrival import MARGIN, MAX_GAP, MAX_HELD, MAX_WAIT, MIN_WAIT, TICKS, Arrivals, Packet

FRAME = 960


class Stream:
    """Packet n was spoken at 20 ms × n; ``say(n, late)`` has it arrive ``late`` seconds after that. ``heard``: the
    numbers that were taken; ``lost``: how many were given up before each where there were any."""

    def __init__(self, first: int = 0, clock: int = 0, drift: float = 0.0) -> None:
        self.arrivals = Arrivals()
        self.first, self.clock, self.drift = first, clock, drift
        self.now = 0.0
        self.heard: list[int] = []
        self.lost: dict[int, int] = {}

    def say(self, number: int, late: float = 0.0) -> "Stream":
        sequence, timestamp = (self.first + number) % 65536, (self.clock + number * FRAME) % (1 << 32)
        self.now = self.spoken(number) + late
        self._take(self.arrivals.push(sequence, timestamp, str(number).encode(), self.now))
        return self

    def patience(self) -> float:
        return self.arrivals.patience(self.now)

    def spoken(self, number: int) -> float:
        return 100 + number * 0.02 * (1 + self.drift)

    def wait_until(self, now: float) -> None:
        self._take(self.arrivals.due(now))

    def _take(self, packets: list[Packet]) -> None:
        for packet in packets:
            number = int(packet.payload)
            self.heard.append(number)
            if packet.lost:
                self.lost[number] = packet.lost


def test_what_comes_in_order_passes_at_once():
    stream = Stream()
    for number in range(50):
        stream.say(number)
        assert stream.heard[-1] == number
        assert stream.arrivals.deadline() is None
    assert stream.lost == {}
    assert stream.patience() == MIN_WAIT


def test_what_was_overtaken_goes_back_to_its_place():
    stream = Stream().say(0).say(2).say(1, 0.025)
    assert (stream.heard, stream.lost) == ([0, 1, 2], {})


def test_a_hole_is_given_up_when_nobody_can_hope_for_it_any_more():
    stream = Stream().say(0).say(2)
    assert stream.heard == [0]
    assert stream.arrivals.deadline() == pytest.approx(stream.spoken(2) + MIN_WAIT)
    stream.wait_until(stream.spoken(2) + MIN_WAIT - 0.001)
    assert stream.heard == [0]
    stream.wait_until(stream.spoken(2) + MIN_WAIT + 0.001)
    assert (stream.heard, stream.lost) == ([0, 2], {2: 1})
    stream.say(1, 0.1)  # too late
    stream.say(3)
    assert stream.heard == [0, 2, 3]


def test_a_packet_that_comes_twice_is_taken_once():
    assert Stream().say(0).say(1).say(1).say(3).say(3).say(2, 0.03).say(2, 0.03).heard == [0, 1, 2, 3]


def test_the_wait_grows_with_the_first_packet_that_was_overtaken_for_longer_and_shrinks_slowly():
    stream = Stream()
    for number in (*range(10), 11, 12, 13):
        stream.say(number)
    stream.say(10, 0.10)  # 80 ms after the eleventh, which was not waited for so long
    assert stream.lost == {11: 1}
    assert stream.patience() == pytest.approx(0.08 * MARGIN)
    for number in (14, 16, 17, 18):
        stream.say(number)
    stream.say(15, 0.07)
    assert stream.heard[-4:] == [15, 16, 17, 18]  # now it is
    for number in range(19, 19 + 50 * 10):
        stream.say(number)
    assert 0.07 < stream.patience() < 0.09  # ten seconds on
    for number in range(519, 519 + 50 * 120):
        stream.say(number)
    assert stream.patience() == MIN_WAIT


def test_on_a_network_that_shuffles_next_to_nothing_is_lost_that_arrives():
    chance = random.Random(6)
    coming = sorted((number * 0.02 + (late := chance.uniform(0, 0.09)), number, late) for number in range(1000))
    stream = Stream()
    for _, number, late in coming:
        stream.say(number, late)
    stream.wait_until(1e9)
    assert stream.heard == sorted(stream.heard)
    assert sum(stream.lost.values()) == 1000 - len(stream.heard) <= 5  # while the wait was still growing
    assert stream.patience() < 0.09 * MARGIN


def test_a_stall_and_a_burst_lose_nothing_and_make_no_loss_slower():
    """What is late altogether was overtaken by nothing."""
    stream = Stream()
    for number in range(100):
        late = max(0.0, (80 - number) * 0.02) if number >= 40 else 0.0  # 0.8 s of silence, then all at once
        stream.say(number, late)
    assert stream.heard == list(range(100))
    assert stream.patience() == MIN_WAIT


def test_the_wait_has_its_bound():
    stream = Stream().say(0).say(2).say(1, 0.9)
    assert stream.patience() == MAX_WAIT


def test_a_pause_of_the_sender_is_no_loss():
    arrivals = Arrivals()
    arrivals.push(7, 0, b"a", 10.0)
    (after,) = arrivals.push(8, 3 * TICKS, b"b", 13.0)
    assert (after.lost, after.timestamp) == (0, 3 * TICKS)


@pytest.mark.parametrize("clock", [MAX_GAP * 9, (1 << 32) - 5 * FRAME])
def test_numbers_and_timestamps_start_again(clock: int):
    stream = Stream(first=65_530, clock=clock)
    for number in (*range(8), 9, 8, *range(10, 20)):
        stream.say(number, 0.03 if number == 8 else 0)
    assert (stream.heard, stream.lost) == (list(range(20)), {})


def test_a_new_clock_begins_anew():
    stream = Stream().say(0).say(2)
    stream.clock, stream.first = 123_456_789, 40_000
    stream.say(3).say(4)
    assert (stream.heard, stream.lost) == ([0, 2, 3, 4], {2: 1})  # what was held is not forgotten
    stream.first = 5  # back, though time has gone on
    stream.say(5).say(6)
    assert stream.heard[-2:] == [5, 6]


@pytest.mark.parametrize("drift", [-2e-4, 2e-4])
def test_a_clock_that_drifts_and_another_route_make_nobody_wait(drift: float):
    stream = Stream(drift=drift)
    for number in range(50 * 60 * 3):
        stream.say(number, 0.15 if number > 5000 else 0.0)
        assert stream.heard[-1] == number
    assert stream.patience() == MIN_WAIT


def test_no_more_is_held_than_agreed():
    stream = Stream().say(0)
    for number in range(2, 2 + MAX_HELD + 1):
        stream.say(number, -number * 0.02)  # all at once, so no time passes
    assert len(stream.heard) == MAX_HELD + 2


@given(st.lists(st.tuples(st.floats(0, 0.5), st.integers(0, 2)), min_size=1, max_size=60))
def test_whatever_a_network_does_order_and_time_are_kept_and_nobody_waits_for_long(fates: list[tuple[float, int]]):
    """A fate is a delay, and how many copies of the packet arrive."""
    stream, sent = Stream(first=65_500), [(n * 0.02 + delay, n) for n, (delay, copies) in enumerate(fates) if copies]
    again = [(when + 0.05, n) for when, n in sent if fates[n][1] > 1]
    for when, number in sorted(sent + again):
        now = 100 + when
        while (deadline := stream.arrivals.deadline()) is not None and deadline <= now:
            stream.wait_until(deadline)
        stream.say(number, when - number * 0.02)
        deadline = stream.arrivals.deadline()
        assert deadline is None or now < deadline <= now + MAX_WAIT
    stream.wait_until(1e9)
    assert stream.heard == sorted(set(stream.heard))
    if stream.heard:
        given_up = sum(stream.lost.values())
        assert len(stream.heard) + given_up == stream.heard[-1] - stream.heard[0] + 1, "what is lost counts as time"


@pytest.mark.parametrize("network", NETWORKS)
def test_it_is_sooner_and_loses_less_than_a_buffer_for_players(network: Callable[[random.Random], Trace]):
    trace = network(random.Random(1))
    heard = ours(trace)
    mean = sum(heard.waits) / len(heard.waits)
    assert heard.dropped <= 0.002 * len(trace)
    for other in (fixed(trace), percentile(trace, 0.95), percentile(trace, 0.99)):
        assert mean < 0.25 * sum(other.waits) / len(other.waits)
    assert heard.dropped < percentile(trace, 0.99).dropped
