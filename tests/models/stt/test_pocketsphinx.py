"""PocketSphinx on the project's own speech, through real workers."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.support.leaks import no_leaks
from tests.support.speech import speech
from vivavoce.models.interfaces import Hints, ModelError, Stt
from vivavoce.models.stt.pocketsphinx import PocketSphinxStt

pytestmark = pytest.mark.models


@pytest.fixture
async def stt() -> AsyncIterator[Stt]:
    async with no_leaks():
        made = PocketSphinxStt(workers=1)
        yield made
        await made.close()


async def test_it_hears_the_questions(stt: Stt) -> None:
    """All in one test, so that the model is loaded once."""
    heard = {}
    for name in ("time_in_london", "time_in_london_rms", "time_in_london_awb", "twelve_times_seven", "say_hello"):
        heard[name] = (await stt.transcribe(speech(name), Hints("en"))).text
    assert all({"time", "london"} <= set(heard[name].split()) for name in heard if name.startswith("time"))
    assert heard["twelve_times_seven"].endswith("twelve times seven")
    assert heard["say_hello"] == "say hello to everyone"
    padded = bytes(16_000) + speech("stop_please") + bytes(16_000)
    assert (await stt.transcribe(padded, Hints())).text == "stop please"
    assert (await stt.transcribe(bytes(32_000), Hints())).text == ""
    assert (await stt.transcribe(b"", Hints())).text == ""


async def test_a_cancelled_utterance_frees_the_worker(stt: Stt) -> None:
    long = asyncio.create_task(stt.transcribe(speech("long_story"), Hints()))
    await asyncio.sleep(0)
    long.cancel()
    await asyncio.wait([long])
    assert (await stt.transcribe(speech("stop_please"), Hints())).text == "stop please"


async def test_other_languages_are_refused_in_words(stt: Stt) -> None:
    with pytest.raises(ModelError, match="English only, not 'de'"):
        await stt.transcribe(bytes(32_000), Hints("de"))
