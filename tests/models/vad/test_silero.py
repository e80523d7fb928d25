"""Silero on speech, silence and noise; listeners do not disturb each other."""

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from tests.support.speech import speech
from vivavoce.audio import HOUSE_RATE
from vivavoce.models.vad.silero import SETTLED, SileroVad

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


class Counted:
    """The model, and how often it was asked."""

    def __init__(self, session: Any) -> None:
        self._session, self.runs = session, 0

    def run(self, *given: Any) -> Any:
        self.runs += 1
        return self._session.run(*given)


def test_silence_costs_next_to_nothing_and_the_first_word_after_it_is_heard() -> None:
    vad = SileroVad()
    counted = Counted(vad._session)
    vad._session = counted
    listener, step = vad.stream(), 2 * vad.window
    silence, words = bytes(step * 300), speech("stop_please", HOUSE_RATE)
    quiet = [listener(silence[at : at + step]) for at in range(0, len(silence), step)]

    assert counted.runs == SETTLED
    assert max(quiet) < 0.2
    heard = [listener(words[at : at + step]) for at in range(0, len(words) - step + 1, step)]
    unhurried = probabilities(bytes(step * SETTLED) + words)[SETTLED:]
    assert heard == pytest.approx(unhurried, abs=0.05)
