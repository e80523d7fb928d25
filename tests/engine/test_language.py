"""The language of a session reaches who hears and who speaks."""

from typing import Any

import pytest

from tests.engine.support import senses, session
from tests.support.fake_models import FakeLlm, FakeStt, FakeTts, says
from tests.support.virtual_time import virtual_time


@pytest.mark.parametrize(
    ("asked", "language"),
    [
        ({"language": "de"}, "de"),
        ({"languages": ["pt-BR", "en"]}, "pt-BR"),
        ({"language": None}, None),
        ({}, None),
    ],
)
@virtual_time
async def test_it_reaches_recognition_and_voice(asked: dict[str, Any], language: str | None):
    stt, tts = FakeStt("wie spät ist es"), FakeTts()
    async with session(senses(stt=stt, llm=FakeLlm(says("Es ist zwölf.")), tts=tts)) as hand:
        await hand.update(audio={"input": {"transcription": {"model": "whisper-1", **asked}}})
        await hand.speak(600, silence_ms=300)
        await hand.until("response.done")
    assert stt.asked[0].hints.language == language
    assert tts.asked[0].language == language
