"""The speaker on virtual time: when packets leave, and how they are stamped."""

import asyncio

import numpy as np
import pytest

from tests.support.virtual_time import virtual_time
from vivavoce.audio.opus import OpusDecoder
from vivavoce.protocol.frame import Frame
from vivavoce.transports.webrtc.playout import BYTES_PER_MS
from vivavoce.transports.webrtc.track import MAX_WAITING, Speaker


class Listener:
    def __init__(self) -> None:
        self.reports: list[tuple[int, bool]] = []
        self.packets: list[tuple[int, int, bytes]] = []  # (loop ms, 48 kHz timestamp in ms, payload)
        self.beginnings: list[int] = []  # loop ms
        self.speaker = Speaker(self._report)
        self.speaker.begin(self._take)

    def _report(self, frame: Frame) -> None:
        self.reports.append((frame.data["audio_ms"], frame.data["drained"]))

    def _take(self, packet: bytes, tick: int, begins: bool) -> None:
        now = round(asyncio.get_running_loop().time() * 1000)
        self.packets.append((now, round(tick / 48), packet))
        if begins:
            self.beginnings.append(now)

    def loudness(self) -> list[float]:
        decoder = OpusDecoder()
        return [float(np.std(np.frombuffer(decoder.decode(payload), "<i2"))) for _, _, payload in self.packets]


def tone(milliseconds: int) -> bytes:
    return (b"\x00\x20" * 12 + b"\x00\xe0" * 12) * milliseconds


@virtual_time
async def test_sound_leaves_in_real_time_then_a_silent_tail_then_nothing():
    listener = Listener()
    await asyncio.sleep(1)
    await listener.speaker.put("a", tone(100))
    listener.speaker.finish("a")
    await asyncio.sleep(60)
    assert [at for at, _, _ in listener.packets] == [1000 + 20 * n for n in range(5 + 10)]
    assert [stamp for _, stamp, _ in listener.packets] == [1000 + 20 * n for n in range(5 + 10)]
    assert listener.beginnings == [1000]
    assert min(listener.loudness()[:5]) > 1000
    assert max(listener.loudness()[-8:]) < 10
    assert listener.reports == [(100, True)]
    listener.speaker.stop()


@virtual_time
async def test_timestamps_count_the_pause():
    listener = Listener()
    await listener.speaker.put("a", tone(20))
    await asyncio.sleep(10.005)
    await listener.speaker.put("a", tone(20))
    await asyncio.sleep(1)
    stamps = [stamp for _, stamp, _ in listener.packets]
    assert stamps == [20 * n for n in range(11)] + [10_005 + 20 * n for n in range(11)]
    assert [at for at, _, _ in listener.packets] == stamps
    listener.speaker.stop()


@virtual_time
async def test_sound_during_the_tail_goes_on_at_the_next_packet():
    listener = Listener()
    await listener.speaker.put("a", tone(20))
    await asyncio.sleep(0.105)
    await listener.speaker.put("a", tone(20))
    await asyncio.sleep(1)
    assert [at for at, _, _ in listener.packets] == [20 * n for n in range(6 + 11)]
    assert listener.loudness()[6] > 1000
    listener.speaker.stop()


@virtual_time
async def test_a_flush_is_heard_within_a_frame():
    listener = Listener()
    await listener.speaker.put("a", tone(10_000))
    await asyncio.sleep(0.49)
    listener.speaker.flush("a")
    await asyncio.sleep(5)
    assert listener.reports[-1] == (500, True)  # the 25th frame left at 480 ms
    assert listener.packets[-1][0] == 480 + 200
    listener.speaker.stop()


@virtual_time
async def test_who_sends_too_much_waits_until_there_is_room():
    listener = Listener()
    await listener.speaker.put("a", bytes(MAX_WAITING * 1000 * BYTES_PER_MS + 1000 * BYTES_PER_MS))
    before = asyncio.get_running_loop().time()
    await listener.speaker.put("a", bytes(BYTES_PER_MS))
    assert asyncio.get_running_loop().time() - before == pytest.approx(1, abs=0.03)
    listener.speaker.stop()


@virtual_time
async def test_a_stop_lets_go_of_everybody():
    listener = Listener()
    await listener.speaker.put("a", bytes(MAX_WAITING * 1000 * BYTES_PER_MS * 2))
    waiting = asyncio.create_task(listener.speaker.put("a", b"\0\0"))
    await asyncio.sleep(0.1)
    listener.speaker.stop()
    await waiting
    sent = len(listener.packets)
    await asyncio.sleep(1)
    assert len(listener.packets) == sent


@virtual_time
async def test_after_a_stall_a_little_is_caught_up_and_much_is_skipped():
    listener = Listener()
    loop = asyncio.get_running_loop()
    await listener.speaker.put("a", tone(10_000))
    await asyncio.sleep(0.11)
    listener.packets.clear()
    loop.jump(0.1)  # type: ignore[attr-defined]
    await asyncio.sleep(0.021)
    assert [stamp for _, stamp, _ in listener.packets] == [120, 140, 160, 180, 200, 220]
    listener.packets.clear()
    loop.jump(3)  # type: ignore[attr-defined]
    await asyncio.sleep(0.03)
    assert all(0 <= at - stamp < 20 for at, stamp, _ in listener.packets)
    assert 1 <= len(listener.packets) <= 2
    listener.speaker.stop()


@virtual_time
async def test_a_track_that_is_held_stands_still_and_goes_on_from_there():
    listener = Listener()
    await listener.speaker.put("a", tone(1000))
    listener.speaker.finish("a")
    await asyncio.sleep(0.41)
    listener.speaker.hold(on=True)
    await asyncio.sleep(5)
    sent = len(listener.packets)
    assert listener.packets[-1][0] == 400 + 200, "a silent tail, and nothing after it"
    assert listener.reports[-1] == (400, False)
    listener.speaker.hold(on=False)
    await asyncio.sleep(5)
    assert listener.packets[sent][:2] == (5410, 5410), "time has gone on"
    assert listener.reports[-1] == (1000, True)
    assert 50 <= sum(level > 1000 for level in listener.loudness()) <= 52, "all of it, and the codec rings on"
    listener.speaker.stop()
