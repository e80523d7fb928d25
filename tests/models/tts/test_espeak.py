"""eSpeak NG through real workers: it streams, keeps its voices apart, and can be stopped."""

import sys
from collections.abc import AsyncIterator
from contextlib import aclosing

import numpy as np
import pytest

from tests.support.leaks import no_leaks
from vivavoce.audio.pcm import duration_ms, level_dbfs
from vivavoce.models.interfaces import ModelError
from vivavoce.models.llm.builtin.manners import GREETING
from vivavoce.models.tts.espeak import EspeakTts
from vivavoce.models.tts.espeak_voices import VOICES, voice_named

pytestmark = pytest.mark.models

SENTENCE = "It is 3:42 in the afternoon in London."


@pytest.fixture
async def tts() -> AsyncIterator[EspeakTts]:
    async with no_leaks():
        made = EspeakTts(workers=1)
        yield made
        await made.close()


async def sound(tts: EspeakTts, text: str = SENTENCE, voice: str = "marin", speed: float = 1.0) -> bytes:
    return b"".join([chunk async for chunk in tts.speak(text, voice, speed)])


async def test_it_speaks_in_short_chunks(tts: EspeakTts) -> None:
    chunks = [chunk async for chunk in tts.speak(SENTENCE, "marin", 1.0)]
    assert all(10 <= duration_ms(chunk, tts.rate) <= 200 for chunk in chunks[:-1])
    assert 2000 < duration_ms(b"".join(chunks), tts.rate) < 4000


async def test_the_greeting_lasts_two_seconds_at_least(tts: EspeakTts) -> None:
    assert duration_ms(await sound(tts, GREETING), tts.rate) >= 2000


async def test_a_pause_follows_a_clause_but_no_mere_piece_of_one(tts: EspeakTts) -> None:
    whole, piece = await sound(tts, "Hello there."), await sound(tts, "Hello there")
    assert 200 < duration_ms(whole, tts.rate) - duration_ms(piece, tts.rate) < 500
    assert level_dbfs(whole[-2 * tts.rate // 5 :]) < -60


async def test_every_name_has_a_steady_voice_of_the_same_loudness(tts: EspeakTts) -> None:
    spoken = {name: await sound(tts, voice=name) for name in tts.voices()}
    assert len(set(spoken.values())) == len(VOICES)
    assert len(await sound(tts, voice="alloy")) == pytest.approx(len(spoken["alloy"]), rel=0.01)
    levels = {name: level_dbfs(pcm) for name, pcm in spoken.items()}
    assert max(levels.values()) - min(levels.values()) < 4, levels
    for name, pcm in spoken.items():
        clipped = np.abs(np.frombuffer(pcm, "<i2").astype(int)) >= 32767
        assert clipped.mean() < 0.001, name


async def test_it_speaks_the_language_of_the_session(tts: EspeakTts) -> None:
    async def lasts(language: str | None) -> float:
        text = "Die Zeit ist reif, und neunundneunzig Luftballons sind unterwegs"
        spoken = [chunk async for chunk in tts.speak(text, "marin", 1.0, language)]
        return duration_ms(b"".join(spoken), tts.rate)

    english, german = await lasts(None), await lasts("de")
    assert abs(english - german) > 100
    assert await lasts("de-AT") == pytest.approx(german, abs=10)
    for unknown in ("en-GB", "xx"):
        assert await lasts(unknown) == pytest.approx(english, abs=10)


def test_a_voice_keeps_its_timbre_in_every_language() -> None:
    assert VOICES["sage"].names(None) == ["en-gb-x-rp+f4"]
    assert VOICES["sage"].names("pt-BR") == ["pt-br+f4", "pt+f4", "en-gb-x-rp+f4"]
    assert VOICES["sage"].names("no")[-2] == "nb+f4"


def test_unknown_names_are_given_a_voice_for_good() -> None:
    assert voice_named("Marin") is VOICES["marin"]
    assert voice_named("my-own-voice") is VOICES["shimmer"]
    assert len({voice_named(f"voice-{n}") for n in range(100)}) > 8


@pytest.mark.parametrize("speed", [0.25, 0.4, 0.5, 1.5])
async def test_speed_stretches_the_words(tts: EspeakTts, speed: float) -> None:
    ordinary, stretched = await sound(tts), await sound(tts, speed=speed)
    assert len(stretched) / len(ordinary) == pytest.approx(1 / speed, rel=0.2)


async def test_a_speed_out_of_range_is_refused(tts: EspeakTts) -> None:
    with pytest.raises(ModelError, match=r"from 0\.25 to 1\.5"):
        await sound(tts, speed=3)


async def test_closing_stops_it_and_the_next_one_speaks(tts: EspeakTts) -> None:
    async with aclosing(tts.speak("One two three four five six seven. " * 200, "ash", 1.0)) as long:
        await anext(long)
    assert await sound(tts, "Yes.")


async def test_odd_texts_do_no_harm(tts: EspeakTts) -> None:
    assert await sound(tts, " … \n") == b""
    assert await sound(tts, "naïve 東京 🙂 [[b'a]] <speak>no</speak> \0 end.")


def test_the_library_is_not_loaded_here() -> None:
    assert "espeakng_loader" not in sys.modules
