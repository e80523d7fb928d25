"""The clock that all calls share, on virtual time."""

import asyncio

import pytest

from tests.support.virtual_time import virtual_time
from vivavoce.transports.webrtc.pacing import EARLY, pacer


class Metronome:
    """Counts beats, in ms, and has enough of them after a while."""

    def __init__(self, enough: int) -> None:
        self.beats: list[float] = []
        self.enough = enough

    def beat(self, now: float) -> bool:
        assert now == asyncio.get_running_loop().time()
        self.beats.append(now * 1000)
        return len(self.beats) < self.enough


@virtual_time
async def test_a_beat_comes_every_20_ms_from_when_it_was_asked_for_or_a_little_before():
    await asyncio.sleep(0.0033)
    due, metronome = 0.0333, Metronome(5)
    pacer().join(metronome.beat, due)
    await asyncio.sleep(1)
    assert metronome.beats == pytest.approx([30, 50, 70, 90, 110])
    assert due - EARLY < metronome.beats[0] / 1000 <= due


@virtual_time
async def test_a_hundred_calls_wake_the_process_no_more_often_than_four():
    loop, woken = asyncio.get_running_loop(), set[float]()
    everybody = [Metronome(51) for _ in range(100)]
    for number, metronome in enumerate(everybody):
        pacer().join(metronome.beat, loop.time() + 0.02)
        await asyncio.sleep(0.0137 * (number % 3))
    await asyncio.sleep(3)
    for metronome in everybody:
        assert len(metronome.beats) == 51
        assert metronome.beats[-1] - metronome.beats[0] == pytest.approx(1000)
        woken.update(round(beat, 6) for beat in metronome.beats)
    assert all(at % 5 == 0 for at in woken)


@virtual_time
async def test_who_fails_is_left_out_and_nobody_else_notices(caplog: pytest.LogCaptureFixture):
    def fails(now: float) -> bool:
        raise RuntimeError("no sound")

    metronome = Metronome(3)
    pacer().join(fails, 0.02)
    pacer().join(metronome.beat, 0.02)
    await asyncio.sleep(1)
    assert metronome.beats == pytest.approx([20, 40, 60])
    assert caplog.text.count("is broken off") == 1


@virtual_time
async def test_after_a_stall_the_beat_goes_on_where_it_would_have_been():
    metronome = Metronome(4)
    pacer().join(metronome.beat, 0.02)
    await asyncio.sleep(0.03)
    asyncio.get_running_loop().jump(0.1)  # type: ignore[attr-defined]
    await asyncio.sleep(1)
    assert metronome.beats == pytest.approx([20, 130, 140, 160])
