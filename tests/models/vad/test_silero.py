"""Silero on speech, silence and noise; listeners do not disturb each other."""

import importlib.util
import subprocess
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.speech import speech
from vivavoce.audio import HOUSE_RATE
from vivavoce.models.interfaces import ModelError
from vivavoce.models.vad import silero
from vivavoce.models.vad.silero import SETTLED, TOGETHER, SileroVad

SILENCE = bytes(48_000)


def probabilities(pcm: bytes) -> list[float]:
    vad = SileroVad()
    listener, step = vad.stream(), 2 * vad.window
    return [listener(pcm[at : at + step]) for at in range(0, len(pcm) - step + 1, step)]


@pytest.mark.parametrize("name", ["time_in_london", "time_in_london_rms", "time_in_london_awb", "stop_please"])
def test_words_stand_out_from_the_silence_around_them(name: str) -> None:
    heard = probabilities(SILENCE + speech(name, HOUSE_RATE) + SILENCE)
    quarter_second = 8
    assert max(heard[:30]) < 0.2
    assert max(heard[-24:]) < 0.1
    middle = heard[31 + quarter_second : -31 - quarter_second]
    assert sum(p > 0.5 for p in middle) > 0.6 * len(middle)


def test_noise_is_no_speech() -> None:
    noise = np.random.default_rng(1).normal(0, 1000, 48_000).astype("<i2").tobytes()
    assert max(probabilities(noise)) < 0.3


def test_listeners_keep_their_own_state() -> None:
    vad = SileroVad()
    words = speech("time_in_london", HOUSE_RATE)
    alone = probabilities(words)
    one, other = vad.stream(), vad.stream()
    together = []
    for at in range(0, len(words) - 1535, 1536):
        together.append(one(words[at : at + 1536]))
        other(bytes(1536))
    assert together == alone


def test_faster_whisper_itself_stays_out() -> None:
    code = (
        "import sys; from vivavoce.models.vad.silero import SileroVad as S; S(); print('faster_whisper' in sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out == "False\n"


def test_silence_costs_next_to_nothing_and_the_first_word_after_it_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    vad, asked = SileroVad(), list[int]()
    network = vad._network

    def counted(*given: Any) -> Any:
        asked.append(len(given[0]))
        return network(*given)

    monkeypatch.setattr(vad, "_network", counted)
    listener, step = vad.stream(), 2 * vad.window
    silence, words = bytes(step * 300), speech("stop_please", HOUSE_RATE)
    quiet = [listener(silence[at : at + step]) for at in range(0, len(silence), step)]

    assert asked == [1] * SETTLED
    assert max(quiet) < 0.2
    heard = [listener(words[at : at + step]) for at in range(0, len(words) - step + 1, step)]
    unhurried = probabilities(bytes(step * SETTLED) + words)[SETTLED:]
    assert heard == pytest.approx(unhurried, abs=0.05)


def test_listeners_that_are_asked_together_hear_what_they_hear_alone() -> None:
    """More of them than are asked at once, some in silence, each somewhere else in what is said."""
    vad, step = SileroVad(), 2 * 768
    words = speech("time_in_london", HOUSE_RATE)
    said = [bytes(step * (each % 4)) + words[each * 100 :] for each in range(TOGETHER + 3)] + [bytes(step * 60)]
    alone, together = [vad.stream() for _ in said], [vad.stream() for _ in said]
    for at in range(0, 40 * step, step):
        windows = [sound[at : at + step] for sound in said]
        found = vad.probabilities(list(zip(together, windows, strict=True)))
        assert found == pytest.approx([one(window) for one, window in zip(alone, windows, strict=True)], abs=1e-4)
    assert vad.probabilities([]) == []


def test_a_model_that_is_not_the_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assets = tmp_path / "assets"
    assets.mkdir()
    found = ModuleSpec("faster_whisper", None, is_package=True)
    found.submodule_search_locations = [str(tmp_path)]
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: found)
    with pytest.raises(ModelError, match=r"missing.*pip install"):
        silero._load.__wrapped__()
    (assets / "silero_vad_v9.onnx").write_bytes(b"\x0a\x03abc")
    with pytest.raises(ModelError, match=r"not the voice activity model that is wanted.*pip install"):
        silero._load.__wrapped__()
