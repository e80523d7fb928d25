"""PocketSphinx on the project's own speech, through real workers."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator

import pytest

from tests.support.leaks import no_leaks
from tests.support.speech import speech
from vivavoce.models.interfaces import Hearing, HearingLost, Hints, ModelError
from vivavoce.models.stt.pocketsphinx import PocketSphinxStt

pytestmark = pytest.mark.models

BATCH = 5120
"""Bytes: 160 ms."""


@pytest.fixture
async def stt() -> AsyncIterator[PocketSphinxStt]:
    async with no_leaks():
        made = PocketSphinxStt(workers=2, hearings=1)
        yield made
        await made.close()


async def test_it_hears_the_questions(stt: PocketSphinxStt) -> None:
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


async def test_a_cancelled_utterance_frees_the_worker(stt: PocketSphinxStt) -> None:
    long = asyncio.create_task(stt.transcribe(speech("long_story"), Hints()))
    await asyncio.sleep(0)
    long.cancel()
    await asyncio.wait([long])
    assert (await stt.transcribe(speech("stop_please"), Hints())).text == "stop please"


async def test_other_languages_are_refused_in_words(stt: PocketSphinxStt) -> None:
    with pytest.raises(ModelError, match="English only, not 'de'"):
        await stt.transcribe(bytes(32_000), Hints("de"))
    with pytest.raises(ModelError, match="English only, not 'de'"):
        await stt.hear(Hints("de")).__aenter__()


def busy_process(stt: PocketSphinxStt) -> int:
    (busy,) = [slot for slot in stt._pool._slots if slot._worker and slot not in stt._pool._free._queue]
    assert busy._worker
    return busy._worker._process.pid


async def fed(hearing: Hearing, pcm: bytes) -> str:
    for at in range(0, len(pcm), BATCH):
        await hearing.feed(pcm[at : at + BATCH])
    return (await hearing.words()).text


async def test_what_is_heard_while_it_is_spoken_is_what_the_whole_is(stt: PocketSphinxStt) -> None:
    async with stt.hear(Hints("en")) as hearing:
        assert await fed(hearing, speech("weather_in_paris")) == "what is the weather in paris"
    async with stt.hear(Hints()) as hearing:
        assert await fed(hearing, speech("stop_please")) == "stop please"
        assert (await fed(hearing, bytes(16_000) + speech("say_hello"))).endswith("say hello to everyone"), "it went on"
    async with stt.hear(Hints()) as hearing:
        assert await fed(hearing, bytes(64_000)) == ""
        assert (hearing.steady, stt.name) == ("", "pocketsphinx")


async def test_a_hearing_whose_worker_dies_is_lost_and_its_place_is_free(stt: PocketSphinxStt) -> None:
    async with stt.hear(Hints()) as hearing:
        with pytest.raises(HearingLost):
            await stt.hear(Hints()).__aenter__()
        await hearing.feed(speech("time_in_london"))
        os.kill(busy_process(stt), signal.SIGKILL)
        with pytest.raises(HearingLost):
            await fed(hearing, speech("time_in_london"))
    async with stt.hear(Hints()) as hearing:
        assert await fed(hearing, speech("stop_please")) == "stop please"
