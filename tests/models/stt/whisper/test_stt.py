"""Whisper by its real libraries, with a tiny model that hears tones."""

import random
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.tiny_whisper import (
    FIRST_TEXT,
    LANGUAGES,
    NO_TIMESTAMPS,
    SOT,
    SOT_PREV,
    TRANSCRIBE,
    WORDS,
    spoken,
    tiny_whisper,
)
from vivavoce.models.interfaces import Hints, ModelError, StreamingStt
from vivavoce.models.stt.whisper import batch
from vivavoce.models.stt.whisper.batch import Unwanted, Window
from vivavoce.models.stt.whisper.decoder import Decoder
from vivavoce.models.stt.whisper.stt import WhisperStt

QUESTION = "what time is it in Paris ."


class Spied:
    """What CTranslate2 is asked to generate."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self.asked: list[dict[str, Any]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def generate(self, encoded: Any, prompts: Sequence[list[int]], **how: Any) -> Any:
        self.asked.append({**how, "prompts": prompts})
        return self._model.generate(encoded, prompts, **how)


@pytest.fixture
def spied(decoder: Decoder, monkeypatch: pytest.MonkeyPatch) -> Spied:
    made = Spied(decoder._whisper.model)
    monkeypatch.setattr(decoder._whisper, "model", made)
    return made


def texts(heard: Sequence[Any]) -> list[str]:
    return ["".join(each.words) for each in heard]


async def test_it_hears_words_and_how_sure_it_is_of_them(stt: WhisperStt):
    assert isinstance(stt, StreamingStt)
    await stt.warm()
    heard = await stt.transcribe(spoken("_ " + QUESTION + " _"), Hints("en-GB"))
    assert heard.text == "what time is it in Paris."
    assert heard.logprobs is not None
    assert [each.token for each in heard.logprobs] == [" what", " time", " is", " it", " in", " Paris", "."]
    assert all(-1e-3 < each.logprob <= 0 for each in heard.logprobs)
    assert (await stt.transcribe(bytes(64_000), Hints())).text == ""


async def test_what_is_longer_than_the_model_takes_is_cut_and_put_together(stt: WhisperStt):
    long = " ".join(random.Random(1).choices(WORDS[:6], k=40))
    assert (await stt.transcribe(spoken(long), Hints("en"))).text == long


def test_it_hears_what_faster_whisper_hears(decoder: Decoder):
    pcm = spoken(QUESTION)
    samples = np.frombuffer(pcm, "<i2").astype(np.float32) / 32768
    segments, told = decoder._whisper.transcribe(samples, beam_size=1, temperature=0.0, without_timestamps=True)
    (segment,) = segments
    (heard,) = decoder.decode([Window(pcm)], lambda: True)
    assert not isinstance(heard, ModelError)
    assert ("".join(heard.words), heard.language) == (segment.text, told.language)
    likelihood = sum(each.logprob for each in heard.logprobs) / (len(heard.logprobs) + 1)
    assert likelihood == pytest.approx(segment.avg_logprob, abs=1e-3)


def test_windows_of_several_sessions_are_decoded_together(decoder: Decoder, spied: Spied):
    windows = [
        Window(spoken("no no"), "de"),
        Window(spoken("it is"), "xx"),
        Window(spoken(QUESTION)),
        Window(b"\0\1" * 99),
    ]
    no, foreign, question, _ = decoder.decode(windows, lambda: True)
    assert texts([no, question]) == [" no no", " what time is it in Paris."]
    assert str(foreign) == "Whisper does not understand 'xx': choose another language or --stt-model."
    assert len(spied.asked) == 1, "one batch"
    languages = [prompt[1] for prompt in spied.asked[0]["prompts"]]
    assert languages[:2] == [LANGUAGES["de"], LANGUAGES["en"]], "who names none has it found out"


def test_language_and_prompt_of_a_session_reach_the_model(decoder: Decoder, spied: Spied):
    decoder.decode([Window(spoken("no"), "de-AT", prompt="Paris")], lambda: True)
    paris = FIRST_TEXT + WORDS.index("Paris")
    assert spied.asked[0]["prompts"] == [[SOT_PREV, paris, SOT, LANGUAGES["de"], TRANSCRIBE, NO_TIMESTAMPS]]


def test_words_that_are_known_are_given_to_it_and_it_may_have_no_more(decoder: Decoder):
    windows = [
        Window(spoken(QUESTION), "en", said=" what time"),
        Window(spoken("no no"), "en", said=" no no", timed=True),
    ]
    question, no = decoder.decode(windows, lambda: True)
    assert texts([question, no]) == [" is it in Paris.", ""]
    assert not isinstance(no, ModelError)
    assert [(word.text, round(word.end)) for word in no.timed] == [(" no", 1), (" no", 2)]


def test_a_decode_has_an_end(decoder: Decoder, spied: Spied, monkeypatch: pytest.MonkeyPatch):
    endless = Window(spoken("no " * 30), "en")
    (heard,) = decoder.decode([endless], lambda: True)
    assert len(spied.asked) == 2, "it went round in circles, and had one attempt more"
    assert len(texts([heard])[0].split()) < 6
    monkeypatch.setattr(batch, "TOKENS", 3)
    monkeypatch.setattr(batch, "TOKENS_A_SECOND", 0)
    assert texts(decoder.decode([Window(spoken(QUESTION), "en")], lambda: True)) == [" what time is"]


@pytest.mark.parametrize(("sure", "no_speech", "text"), [(1.0, 20.0, ""), (8.0, 20.0, " no no")])
def test_what_is_neither_speech_nor_likely_was_not_said(tmp_path: Path, sure: float, no_speech: float, text: str):
    decoder = Decoder(tiny_whisper(tmp_path, sure=sure, no_speech=no_speech))
    assert texts(decoder.decode([Window(spoken("no no"), "en")], lambda: True)) == [text]


def test_nobody_waits_any_more_and_the_decode_ends_at_its_next_step(decoder: Decoder, spied: Spied):
    asked = iter([True, False])
    with pytest.raises(Unwanted):
        decoder.decode([Window(spoken("no"), "en")], lambda: next(asked))
    assert spied.asked == [], "the sound was encoded, and no word was looked for"


def test_missing_files_are_named_with_what_fetches_them(tmp_path: Path):
    with pytest.raises(ModelError, match=r"lacks model\.bin.* vivavoce models pull whisper:base"):
        WhisperStt("base", tmp_path)
    with pytest.raises(ModelError, match="Put them there"):
        WhisperStt(str(tmp_path))


def test_broken_files_are_named_with_what_checks_them(models: Path, tmp_path: Path):
    folder = shutil.copytree(models / "whisper" / "tiny", tmp_path / "tiny")
    for name in ("tokenizer.json", "model.bin"):
        (folder / name).write_bytes(b"half")
        with pytest.raises(ModelError, match=r"no Whisper that can be loaded .* vivavoce models pull whisper:tiny"):
            Decoder(folder).load()


@pytest.mark.parametrize(
    ("error", "words"), [(MemoryError(), "too little memory .* such as base"), (RuntimeError("mkl"), "failed: mkl")]
)
def test_a_failure_of_the_library_is_said_in_words(
    decoder: Decoder, monkeypatch: pytest.MonkeyPatch, error: Exception, words: str
):
    def fails(features: Any) -> Any:
        raise error

    monkeypatch.setattr(decoder._whisper, "encode", fails)
    with pytest.raises(ModelError, match=words):
        decoder.decode([Window(spoken("no"), "en")], lambda: True)


async def test_after_the_end_it_says_so(models: Path):
    stt = WhisperStt("tiny", models)
    await stt.close()
    await stt.close()
    with pytest.raises(ModelError, match="has been shut down"):
        await stt.transcribe(spoken("no"), Hints())
