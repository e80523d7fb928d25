from pathlib import Path

import numpy as np
import pytest

from vivavoce.audio import ogg
from vivavoce.audio.resample import convert
from vivavoce.audio.wav import read_wav

SPEECH, RATE = read_wav(Path(__file__).parent.parent / "speech" / "long_story.wav")


def lag_and_likeness(before: bytes, after: bytes) -> tuple[int, float]:
    """By how many samples ``after`` is late, and how like it is to what went in (1 is the same)."""
    a, b = (np.frombuffer(pcm, "<i2").astype(float) for pcm in (before, after))
    likeness = {}
    for shift in range(-100, 101):
        x, y = a[100 : len(a) - 100], b[100 + shift : len(b) - 100 + shift]
        likeness[shift] = float(x @ y / np.linalg.norm(x) / np.linalg.norm(y))
    best = max(likeness, key=likeness.__getitem__)
    return best, likeness[best]


@pytest.mark.parametrize("rate", [8_000, 24_000])
def test_speech_comes_back_at_its_place(rate: int):
    pcm = convert(SPEECH, RATE, rate)
    file = ogg.encode(pcm, rate)
    back = ogg.decode(file, rate, len(pcm) // 2)
    assert len(back) == len(pcm)
    lag, likeness = lag_and_likeness(pcm, back)
    assert abs(lag) / rate < 0.001
    assert likeness > 0.85
    assert len(file) * 8 / (len(pcm) / 2 / rate) < 1.1 * ogg.BIT_RATE


@pytest.mark.parametrize("samples", [1, 479, 480, 481, 24_001])
def test_any_length(samples: int):
    pcm = SPEECH[: 2 * samples]
    assert len(ogg.decode(ogg.encode(pcm, 24_000), 24_000, samples)) == len(pcm)


def test_what_is_no_ogg_file():
    with pytest.raises(ValueError, match="Invalid data"):
        ogg.decode(b"nothing of the kind", 24_000, 1)
