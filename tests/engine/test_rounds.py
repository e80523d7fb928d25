"""Windows of many sessions, looked at together once a round, and in order for each."""

import asyncio
from collections.abc import Sequence

import pytest

from tests.engine.support import Hand, senses
from tests.support.fake_models import tone
from vivavoce.backends.builtin import Builtin
from vivavoce.backends.interface import SessionRequest
from vivavoce.engine.rounds import BEHIND, Rounds
from vivavoce.models.interfaces import VadStream
from vivavoce.protocol.frame import Closed


class Counting:
    """The first byte of a window is its probability, in percent."""

    window = 768

    def __init__(self) -> None:
        self.asked: list[int] = []

    def stream(self) -> VadStream:
        return lambda window: window[0] / 100

    def probabilities(self, heard: Sequence[tuple[VadStream, bytes]]) -> list[float]:
        self.asked.append(len(heard))
        return [stream(window) for stream, window in heard]


async def test_what_comes_in_one_round_is_looked_at_together() -> None:
    vad, told = Counting(), list[tuple[str, float]]()
    rounds = Rounds(vad)
    streams = {name: vad.stream() for name in "abc"}
    for name, percent in [("a", 10), ("b", 20), ("a", 11), ("c", 30), ("a", 12)]:
        rounds.add(streams[name], bytes([percent]), lambda probability, name=name: told.append((name, probability)))  # type: ignore[misc]
    assert not told
    await asyncio.sleep(0)
    assert vad.asked == [3, 1, 1]
    assert [probability for name, probability in told if name == "a"] == [0.1, 0.11, 0.12]
    await asyncio.sleep(0)
    assert vad.asked == [3, 1, 1]


async def test_nobody_waits_for_more_than_a_few_windows() -> None:
    vad, told = Counting(), list[float]()
    rounds, stream = Rounds(vad), vad.stream()
    for percent in range(BEHIND):
        rounds.add(stream, bytes([percent]), told.append)
    assert len(told) == BEHIND


async def test_one_that_must_know_now_has_all_looked_at() -> None:
    vad, told = Counting(), list[float]()
    rounds, one, other = Rounds(vad), vad.stream(), vad.stream()
    rounds.add(one, bytes([40]), told.append)
    rounds.settle(other)
    assert not told
    rounds.settle(one)
    assert told == [0.4]


async def test_a_fault_in_one_session_ends_that_one_alone(caplog: pytest.LogCaptureFixture) -> None:
    backend = Builtin(senses(), lambda: 0.0)
    lines = [await backend.open(SessionRequest(f"sess_{n}", "gpt-realtime", "realtime", None, False)) for n in range(2)]
    broken, well = (Hand(line) for line in lines)
    broken.line._core.speech = None  # type: ignore[attr-defined]
    for hand in (broken, well):
        await hand.hear(tone(100))
    await well.until("input_audio_buffer.speech_started")
    with pytest.raises(Closed) as end:
        await broken.until("input_audio_buffer.speech_started")
    assert end.value.code == 1011
    assert "TypeError" in caplog.text
    for line in lines:
        await line.close()
