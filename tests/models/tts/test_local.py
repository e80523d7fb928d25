"""Kokoro and Piper by their real libraries, in real worker processes, with tiny voices: one tone for each text."""

import shutil
from collections.abc import AsyncIterator
from contextlib import aclosing
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from tests.support import tiny_voices
from tests.support.leaks import no_leaks
from tests.support.tiny_voices import BASE_HZ, PHONEME_MS, STEP_HZ
from vivavoce.audio.pcm import duration_ms
from vivavoce.models.interfaces import ModelError
from vivavoce.models.tts.kokoro import KokoroTts
from vivavoce.models.tts.kokoro_voices import LANGUAGES, OPENAI, VOICES, language_of, voice_named
from vivavoce.models.tts.pieces import LONGEST, chunks, clauses, pause_ms
from vivavoce.models.tts.piper import PiperTts, Speakers

LONG = "One two three four five six seven eight nine ten eleven. " * 200
Voice = KokoroTts | PiperTts


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    tiny_voices.kokoro(folder / "kokoro", VOICES)
    tiny_voices.piper(folder / "piper/xx_XX-some-low.onnx", speakers=40)
    return folder


def make(name: str, files: Path) -> Voice:
    return KokoroTts(directory=files) if name == "kokoro" else PiperTts("xx_XX-some-low", files)


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["kokoro", "piper"])
async def tts(request: pytest.FixtureRequest, files: Path) -> AsyncIterator[Voice]:
    """One for all tests: its process takes a second or two to start."""
    async with no_leaks():
        made = make(request.param, files)
        await made.warm()
        yield made
        await made.close()


async def sound(tts: Voice, text: str, voice: str = "marin", speed: float = 1.0, language: str | None = None) -> bytes:
    return b"".join([chunk async for chunk in tts.speak(text, voice, speed, language)])


def hertz(pcm: bytes, rate: int) -> float:
    length = 1 << 17
    return float(np.abs(np.fft.rfft(np.frombuffer(pcm, "<i2").astype(float), length)).argmax()) * rate / length


@pytest.mark.asyncio(loop_scope="module")
async def test_it_speaks_in_short_chunks_and_pauses_after_a_sentence(tts: Voice) -> None:
    text = "Hello there, this is a text [[of]] many words. And here is one more!"
    made = [chunk async for chunk in tts.speak(text, "marin", 1.0)]
    assert all(10 <= duration_ms(chunk, tts.rate) <= 200 for chunk in made)
    assert not any(made[-1][-tts.rate // 5 :]), "a fifth of a second without a sound"
    assert 2_000 < duration_ms(b"".join(made), tts.rate) < 15_000


@pytest.mark.asyncio(loop_scope="module")
async def test_every_name_has_a_steady_voice_of_its_own(tts: Voice) -> None:
    spoken = {name: await sound(tts, "Yes.", name) for name in OPENAI}
    heard = sorted(hertz(pcm, tts.rate) for pcm in spoken.values())
    assert all(b - a > STEP_HZ / 2 for a, b in pairwise(heard)), "other speakers of the model"
    assert heard[0] > BASE_HZ
    assert await sound(tts, "Yes.", "alloy") == spoken["alloy"]
    assert await sound(tts, "Yes.", "whoever") == await sound(tts, "Yes.", "Whoever")
    assert set(OPENAI) <= set(tts.voices())


@pytest.mark.asyncio(loop_scope="module")
async def test_closing_stops_it_and_the_next_one_speaks(tts: Voice) -> None:
    async with aclosing(tts.speak(LONG, "ash", 1.0)) as long:
        await anext(long)
    assert await sound(tts, "Yes.")


@pytest.mark.asyncio(loop_scope="module")
async def test_speeds_are_kept_to_what_the_model_takes(tts: Voice) -> None:
    ordinary, slow, fast = [len(await sound(tts, "Yes", speed=speed)) for speed in (1.0, 0.25, 1.5)]
    assert slow / ordinary == pytest.approx(2 if tts.name == "kokoro" else 4, rel=0.02)
    assert fast / ordinary == pytest.approx(1 / 1.5, rel=0.02)
    with pytest.raises(ModelError, match=r"from 0\.25 to 1\.5"):
        await sound(tts, "Yes", speed=3)


@pytest.mark.asyncio(loop_scope="module")
async def test_nothing_to_say_is_silence(tts: Voice) -> None:
    assert await sound(tts, " … \n") == b""
    assert not any(await sound(tts, "①")), "a letter that nobody can pronounce"


@pytest.mark.asyncio(loop_scope="module")
async def test_the_language_of_the_session_reaches_the_phonemes(tts: Voice) -> None:
    spoken = {language: await sound(tts, "27, 43", language=language) for language in LANGUAGES}
    assert len(set(spoken.values())) == (len(LANGUAGES) if tts.name == "kokoro" else 1), "a voice of Piper has its own"
    assert await sound(tts, "27, 43", language="fr-CA") == spoken["fr"]


@pytest.mark.asyncio(loop_scope="module")
async def test_what_marks_a_word_of_another_language_is_not_spoken(tts: Voice) -> None:
    """eSpeak NG says ``(en)wiːkˈɛnd(fr)``; each letter of that would be another 60 ms."""
    foreign, english = await sound(tts, "weekend", language="fr"), await sound(tts, "weekend", language="en")
    assert abs(duration_ms(foreign, tts.rate) - duration_ms(english, tts.rate)) <= PHONEME_MS
    assert await sound(tts, "A (b) c.")


@pytest.mark.parametrize("name", ["kokoro", "piper"])
async def test_broken_files_are_named_with_what_mends_them(name: str, files: Path, tmp_path: Path) -> None:
    shutil.copytree(files / name, tmp_path / name)
    next((tmp_path / name).glob("*.onnx")).write_text("half")
    tts = make(name, tmp_path)
    with pytest.raises(ModelError, match=f"cannot be loaded .*vivavoce models pull {name}"):
        await tts.warm()
    await tts.close()


@pytest.mark.parametrize("name", ["kokoro", "piper"])
def test_missing_files_and_packages_say_how_to_get_them(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ModelError, match=rf"lacks .*\.onnx and .*: vivavoce models pull {name}"):
        make(name, tmp_path)
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(ModelError, match=rf"pip install 'vivavoce\[{name}\]'"):
        make(name, tmp_path)


def test_the_table_of_kokoro_holds_distinct_voices_that_there_are() -> None:
    assert len(VOICES) == len(set(VOICES)) == 54
    assert len(set(OPENAI.values())) == len(OPENAI)
    assert set(OPENAI.values()) <= set(VOICES)
    assert voice_named("Marin") == "af_heart"
    assert voice_named("ef_dora") == "ef_dora"
    assert len({voice_named(f"voice-{n}") for n in range(100)}) > 8


def test_a_voice_keeps_its_english() -> None:
    asked = {None: "en-gb", "en": "en-gb", "de": "en-gb", "pt-BR": "pt-br", "zh": "cmn"}
    assert {tag: language_of("bf_emma", tag) for tag in asked} == asked
    assert [language_of("af_heart", tag) for tag in ("en-GB", "en-US", None)] == ["en-gb", "en-us", "en-us"]
    assert language_of("ef_dora", None) == "es"


def test_speakers_are_spread_and_a_single_one_says_so() -> None:
    many = Speakers("m", 904, {"p5": 5})
    assert len({many.speaker(name) for name in OPENAI}) == len(OPENAI)
    assert many.speaker("p5") == 5
    assert all(0 <= many.speaker(f"voice-{n}") < 904 for n in range(50))
    few = Speakers("m", 3, {})
    assert len({few.speaker(name) for name in few.names()}) == len(few.names()) == 3
    one = Speakers("en_US-one", 1, {})
    assert (one.names(), {one.speaker(name) for name in OPENAI}) == (("en_US-one",), {0})


def test_texts_are_cut_into_clauses_and_sounds_into_chunks() -> None:
    text = "It is 3.42 in the afternoon here, as far as I know. Yes. 東京、カナ。 …"
    cut = list(clauses(text))
    assert cut[0] == "It is 3.42 in the afternoon here, as far as I know."
    assert "".join(cut).replace(" ", "") == text.replace(" ", "")
    endless = "word " * 200
    assert max(map(len, clauses(endless + "w" * 500))) <= LONGEST, (
        "one that never ends is cut between words, or at last in one"
    )
    assert [pause_ms(clause) for clause in ('"Yes."', "well,", "and so")] == [250, 100, 0]
    assert [len(chunk) for chunk in chunks(bytes(2 * 2500), 10_000)] == [2000, 3000]
    assert [len(chunk) for chunk in chunks(bytes(20), 10_000)] == [20]
