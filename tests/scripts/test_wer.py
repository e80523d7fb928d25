"""The word error rate of ``bench/wer.py``, whose figures stand in docs/performance.md."""

import numpy as np
import pytest

from bench.wer import errors, noisy, said, words_of


@pytest.mark.parametrize(
    ("said", "heard", "wrong"),
    [
        ("what time is it", "what time is it", 0),
        ("what time is it", "", 4),
        ("", "what", 1),
        ("what time is it", "what dime is it", 1),
        ("what time is it", "time is it", 1),
        ("what time is it", "what what time is it now", 2),
        ("a b c d", "b c d a", 2),
    ],
)
def test_the_fewest_words_to_change(said: str, heard: str, wrong: int):
    assert errors(said.split(), heard.split()) == wrong


def test_the_words_are_those_of_the_files():
    assert said()["time_in_london_awb"] == "what time is it in london"
    assert words_of("It's 3, in London.") == ["it's", "3", "in", "london"]


def test_noise_is_as_loud_as_it_should_be_and_always_the_same():
    speech = b"\x00\x10\x00\xf0" * 8000
    heard = noisy(speech, 20)
    added = np.frombuffer(heard, np.int16).astype(float) - np.frombuffer(speech, np.int16)
    assert np.sqrt(np.mean(added**2)) == pytest.approx(4096 / 10, rel=0.02)
    assert noisy(speech, 20) == heard
    assert noisy(speech, None) == speech
