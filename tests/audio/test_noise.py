from pathlib import Path

import numpy as np
import pytest

from vivavoce.audio import HOUSE_RATE, noise
from vivavoce.audio.noise import NoiseReducer
from vivavoce.audio.pcm import level_dbfs
from vivavoce.audio.resample import convert
from vivavoce.audio.wav import read_wav

pytestmark = pytest.mark.skipif(not noise.available(), reason="webrtc-noise-gain has wheels for Linux alone")

SPEECH = convert(*read_wav(Path(__file__).parent.parent / "speech" / "long_story.wav"), HOUSE_RATE)
RANDOM = np.random.default_rng(1)


def hiss(seconds: float, level: float) -> bytes:
    return (RANDOM.normal(size=round(seconds * HOUSE_RATE)) * level).astype("<i2").tobytes()


def through(reducer: NoiseReducer, pcm: bytes, samples: int) -> bytes:
    chunks = [pcm[at : at + 2 * samples] for at in range(0, len(pcm), 2 * samples)]
    clean = [reducer.push(chunk) for chunk in chunks]
    assert [len(chunk) for chunk in clean] == [len(chunk) for chunk in chunks]
    return b"".join(clean)


@pytest.mark.parametrize(
    ("samples", "most"), [(480, 7.0), (240, 7.0), (2400, 7.0), (2048, 17.0), (128, 17.0), (33, 17.0)]
)
def test_how_late_it_is(samples: int, most: float):
    clean = through(NoiseReducer(1), SPEECH, samples)
    before, after = (np.frombuffer(pcm, "<i2").astype(float)[HOUSE_RATE:] for pcm in (SPEECH, clean))
    fits = np.fft.irfft(np.fft.rfft(after) * np.fft.rfft(before).conj())  # at each lag, the sound taken as a ring
    assert 0 < int(np.argmax(fits)) / HOUSE_RATE * 1000 <= most


def test_steady_noise_goes_and_the_more_of_it_the_stronger_it_is_wanted():
    rest = []
    for level in (1, 2, 4):
        sound = hiss(4, 300)
        clean = through(NoiseReducer(level), sound, 480)
        rest.append(level_dbfs(sound[-2 * HOUSE_RATE :]) - level_dbfs(clean[-2 * HOUSE_RATE :]))
    assert rest == sorted(rest)
    assert rest[0] > 5
    assert rest[-1] > 10


def test_the_voice_stays():
    clean = through(NoiseReducer(noise.LEVELS), SPEECH, 480)
    assert level_dbfs(clean) > level_dbfs(SPEECH) - 6


def test_silence_stays_silent():
    assert level_dbfs(through(NoiseReducer(2), bytes(HOUSE_RATE), 480)) == -100
