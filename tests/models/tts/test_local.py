"""Kokoro and Piper through real worker processes, with their packages faked at the one call that each takes."""

import json
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest

from tests.models.tts import fakes
from tests.support.leaks import no_leaks
from vivavoce.audio.pcm import duration_ms
from vivavoce.models.interfaces import ModelError
from vivavoce.models.tts.kokoro import KokoroTts
from vivavoce.models.tts.kokoro_voices import OPENAI, VOICES, language_of, voice_named
from vivavoce.models.tts.pieces import chunks, clauses, pause_ms
from vivavoce.models.tts.piper import PiperTts, Speakers

LONG = "One two three four five six seven eight nine ten eleven. " * 200
Voice = KokoroTts | PiperTts


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fakes.install(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    for name in ("kokoro_onnx", "piper"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.syspath_prepend(tmp_path)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    for name in ("kokoro/kokoro-v1.0.onnx", "kokoro/voices-v1.0.bin", "piper/xx_XX-some-low.onnx"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("weights")
    settings = {"audio": {"sample_rate": 16_000}, "num_speakers": 20, "speaker_id_map": {"p7": 7}, "more": 1}
    (tmp_path / "piper/xx_XX-some-low.onnx.json").write_text(json.dumps(settings))
    return tmp_path


def make(name: str, files: Path) -> Voice:
    return KokoroTts(directory=files) if name == "kokoro" else PiperTts("xx_XX-some-low", files)


@pytest.fixture(params=["kokoro", "piper"])
async def tts(request: pytest.FixtureRequest, packages: None, files: Path) -> AsyncIterator[Voice]:
    async with no_leaks():
        made = make(request.param, files)
        yield made
        await made.close()


async def sound(tts: Voice, text: str, voice: str = "marin", speed: float = 1.0, language: str | None = None) -> bytes:
    return b"".join([chunk async for chunk in tts.speak(text, voice, speed, language)])


async def test_it_speaks_in_short_chunks_and_pauses_after_a_sentence(tts: Voice) -> None:
    await tts.warm()
    text = "Hello there, this is a text [[of]] many words. And here is one more!"
    made = [chunk async for chunk in tts.speak(text, "marin", 1.0)]
    assert all(10 <= duration_ms(chunk, tts.rate) <= 200 for chunk in made)
    assert duration_ms(b"".join(made), tts.rate) == pytest.approx(60 * (len(text) - 1) + 500, abs=5)
    assert not any(made[-1][-tts.rate // 5 :])


async def test_every_name_has_a_steady_voice_of_its_own(tts: Voice) -> None:
    spoken = {name: await sound(tts, "Yes.", name) for name in OPENAI}
    assert len(set(spoken.values())) == len(OPENAI)
    assert await sound(tts, "Yes.", "alloy") == spoken["alloy"]
    assert await sound(tts, "Yes.", "whoever") == await sound(tts, "Yes.", "Whoever")
    assert set(OPENAI) <= set(tts.voices())


async def test_closing_stops_it_and_the_next_one_speaks(tts: Voice) -> None:
    async with aclosing(tts.speak(LONG, "ash", 1.0)) as long:
        await anext(long)
    assert await sound(tts, "Yes.")


async def test_speeds_are_kept_to_what_the_model_takes(tts: Voice) -> None:
    ordinary, slow, fast = [len(await sound(tts, "Yes", speed=speed)) for speed in (1.0, 0.25, 1.5)]
    assert slow / ordinary == pytest.approx(2 if tts.name == "kokoro" else 4, rel=0.01)
    assert fast / ordinary == pytest.approx(1 / 1.5, rel=0.01)
    with pytest.raises(ModelError, match=r"from 0\.25 to 1\.5"):
        await sound(tts, "Yes", speed=3)


async def test_nothing_to_say_is_silence(tts: Voice) -> None:
    assert await sound(tts, " … \n") == b""


async def test_kokoro_speaks_the_language_of_the_session(packages: None, files: Path) -> None:
    tts = KokoroTts(directory=files, language="fr")
    assert (
        await sound(tts, "Oui") == await sound(tts, "Oui", language="fr-CA") != await sound(tts, "Oui", language="es")
    )
    with pytest.raises(ModelError, match="could not speak this text"):
        await sound(tts, "unspeakable")
    await tts.close()


@pytest.mark.parametrize("name", ["kokoro", "piper"])
async def test_broken_files_are_named_with_what_mends_them(name: str, packages: None, files: Path) -> None:
    next((files / name).glob("*.onnx")).write_text("half")
    tts = make(name, files)
    with pytest.raises(ModelError, match=f"cannot be loaded .*bad protobuf.*vivavoce models pull {name}"):
        await tts.warm()
    await tts.close()


@pytest.mark.parametrize("name", ["kokoro", "piper"])
def test_missing_files_and_packages_say_how_to_get_them(
    name: str, packages: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
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
    assert [pause_ms(clause) for clause in ('"Yes."', "well,", "and so")] == [250, 100, 0]
    assert [len(chunk) for chunk in chunks(bytes(2 * 2500), 10_000)] == [2000, 3000]
    assert [len(chunk) for chunk in chunks(bytes(20), 10_000)] == [20]
