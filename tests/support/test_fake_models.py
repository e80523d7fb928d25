"""The fakes keep to the interfaces and record how each request ended."""

import asyncio
from contextlib import aclosing

import pytest

from tests.support.fake_models import FakeLlm, FakeStt, FakeTts, FakeVad, says, tone
from tests.support.virtual_time import virtual_time
from vivavoce.audio.pcm import duration_ms
from vivavoce.models.interfaces import Finish, Hints, Llm, ModelError, Prompt, Said, Stt, Tts, Vad


def test_they_fit_the_interfaces() -> None:
    fits: tuple[Vad, Stt, Llm, Tts] = (FakeVad(), FakeStt(), FakeLlm(), FakeTts())
    assert fits


def test_vad_hears_loud_from_quiet() -> None:
    listener = FakeVad().stream()
    assert listener(tone(32, 24_000)) == 1.0
    assert listener(bytes(2 * FakeVad.window)) == 0.0


@virtual_time
async def test_stt_answers_in_turn_and_after_its_delay() -> None:
    stt = FakeStt("one", ModelError("no"), "never", delay=0.5)
    assert (await stt.transcribe(b"12", Hints("en"))).text == "one"
    assert asyncio.get_running_loop().time() == 0.5
    with pytest.raises(ModelError):
        await stt.transcribe(b"34", Hints())
    task = asyncio.create_task(stt.transcribe(b"56", Hints()))
    await asyncio.sleep(0.1)
    task.cancel()
    await asyncio.wait([task])
    assert [heard.pcm for heard in stt.asked] == [b"12", b"34", b"56"]
    assert [heard.state for heard in stt.asked] == ["done", "failed", "cancelled"]


@virtual_time
async def test_llm_plays_its_script_and_finishes() -> None:
    llm = FakeLlm(says("hello you", pause=0.1))
    prompt = Prompt("", ())
    assert [part async for part in llm.answer(prompt)] == [Said("hello"), Said(" you"), Finish()]
    assert asyncio.get_running_loop().time() == pytest.approx(0.2)
    assert (llm.asked[0].prompt, llm.asked[0].state) == (prompt, "done")


@virtual_time
async def test_closing_an_answer_is_recorded() -> None:
    llm = FakeLlm(says("hello you"))
    async with aclosing(llm.answer(Prompt("", ()))) as answer:  # type: ignore[type-var]
        async for _part in answer:
            break
    assert llm.asked[0].state == "cancelled"


@virtual_time
async def test_tts_makes_a_tone_for_each_word() -> None:
    tts = FakeTts(word_ms=100, chunk_ms=60, delay=0.2, chunk_delay=0.1)
    chunks = [chunk async for chunk in tts.speak("three little words", "alloy", 1.0)]
    assert [duration_ms(chunk, tts.rate) for chunk in chunks] == [60] * 5
    assert asyncio.get_running_loop().time() == pytest.approx(0.6)
    assert (tts.asked[0].text, tts.asked[0].voice, tts.asked[0].state) == ("three little words", "alloy", "done")
