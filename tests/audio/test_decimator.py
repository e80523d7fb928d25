"""Two samples for three: what is left of tones, and that blocks join without a seam."""

import numpy as np
import pytest

from vivavoce.audio.decimator import Decimator

BLOCK = 768


def decimated(pcm: np.ndarray, block: int = BLOCK) -> np.ndarray:
    decimator, made = Decimator(block), np.zeros(len(pcm) * 2 // 3, np.float32)
    for at in range(0, len(pcm), block):
        decimator.push(pcm[at : at + block], made[at * 2 // 3 : (at + block) * 2 // 3])
    return made


def tone(hertz: float, samples: int = 8 * BLOCK) -> np.ndarray:
    return np.asarray(16_384 * np.sin(2 * np.pi * hertz * np.arange(samples) / 24_000), np.int16)


@pytest.mark.parametrize("hertz", [100, 440, 1_000, 3_000, 6_000])
def test_a_tone_keeps_its_pitch_its_level_and_its_place(hertz: int):
    late = 38 / 48_000
    there = np.arange(8 * 512) / 16_000 - late
    assert decimated(tone(hertz))[64:] == pytest.approx(0.5 * np.sin(2 * np.pi * hertz * there)[64:], abs=0.01)


@pytest.mark.parametrize("hertz", [8_800, 10_000, 11_500])
def test_what_the_lower_rate_cannot_carry_does_not_fold_back(hertz: int):
    assert np.abs(decimated(tone(hertz))[64:]).max() < 0.005


def test_the_size_of_a_block_makes_no_difference():
    noise = np.asarray(np.random.default_rng(3).normal(0, 3_000, 8 * BLOCK), np.int16)
    assert decimated(noise, 24) == pytest.approx(decimated(noise), abs=1e-6)


def test_silence_and_a_steady_level_stay_what_they_are():
    assert not decimated(np.zeros(BLOCK, np.int16)).any()
    assert decimated(np.full(2 * BLOCK, -32_768, np.int16))[100:] == pytest.approx(-1.0, abs=1e-5)


def test_a_block_that_is_no_multiple_of_a_stretch():
    with pytest.raises(ValueError, match="multiple of 24"):
        Decimator(500)
