"""Smart Turn: what it makes of speech, and how it is shared."""

import asyncio
import importlib.util
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.speech import speech
from vivavoce.models.interfaces import ModelError
from vivavoce.models.turn import smart_turn
from vivavoce.models.turn.smart_turn import MOST_WAITING, THREADS, SmartTurn


@pytest.fixture
async def real(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SmartTurn]:
    monkeypatch.setattr(smart_turn, "PATIENCE", 30)  # however busy the machine is
    model = SmartTurn()
    await model.warm()
    yield model
    await model.close()


@pytest.mark.models
async def test_a_question_is_finished_and_its_beginning_is_not(real: SmartTurn):
    silence = bytes(2 * 16_000 // 5)
    whole = speech("weather_in_paris")
    assert await real.finished(whole + silence) > 0.5
    assert await real.finished(whole[: len(whole) * 3 // 5 // 2 * 2] + silence) < 0.5
    assert await real.finished(whole * 20 + silence) > 0.5, "only the last eight seconds are looked at"


class Slow(SmartTurn):
    """Judges when it may."""

    def __init__(self) -> None:
        super().__init__()
        self.may = threading.Event()

    def _judge(self, pcm: bytes) -> float:
        self.may.wait(10)
        return 1.0


@pytest.fixture
async def slow(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Slow]:
    monkeypatch.setattr(smart_turn, "_model_file", lambda: Path("none.onnx"))
    model = Slow()
    yield model
    model.may.set()
    await model.close()


async def test_who_would_wait_too_long_is_told(slow: Slow, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(smart_turn, "PATIENCE", 0.01)
    with pytest.raises(ModelError, match=r"0\.01 s"):
        await slow.finished(b"")
    slow.may.set()


async def test_so_many_wait_and_one_more_is_refused_at_once(slow: Slow, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(smart_turn, "PATIENCE", 10)
    asked = [asyncio.create_task(slow.finished(b"")) for _ in range(THREADS + MOST_WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(ModelError, match="busy"):
        await slow.finished(b"")
    slow.may.set()
    assert await asyncio.gather(*asked) == [1.0] * len(asked)
    assert await slow.finished(b"") == 1.0, "there is room again"


async def test_who_goes_away_makes_room(slow: Slow, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(smart_turn, "PATIENCE", 10)
    asked = [asyncio.create_task(slow.finished(b"")) for _ in range(THREADS + MOST_WAITING)]
    await asyncio.sleep(0)
    asked[-1].cancel()
    await asyncio.wait(asked[-1:])
    slow.may.set()
    assert await slow.finished(b"") == 1.0
    await asyncio.gather(*asked[:-1])


def test_without_its_package_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModelError, match=r"vivavoce\[smart-turn\].* pip install --no-deps pipecat-ai"):
        SmartTurn()
