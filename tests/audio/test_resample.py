"""The live path's lag, its length and what it lets through."""

import numpy as np
import numpy.typing as npt
import pytest

from vivavoce.audio.resample import Resampler, convert

PAIRS = [(24_000, 16_000), (48_000, 24_000), (22_050, 24_000), (8_000, 24_000), (24_000, 8_000)]


def tone(rate: int, hertz: float, seconds: float = 1.0) -> npt.NDArray[np.int16]:
    time = np.arange(round(rate * seconds)) / rate
    return np.asarray(10_000 * np.sin(2 * np.pi * hertz * time), np.int16)


def live(samples: npt.NDArray[np.int16], source: int, target: int) -> npt.NDArray[np.int16]:
    resampler, frame = Resampler(source, target), source // 50
    pieces = [resampler.push(samples[at : at + frame].tobytes()) for at in range(0, len(samples), frame)]
    return np.frombuffer(b"".join(pieces) + resampler.finish(), np.int16)


def rms(samples: npt.NDArray[np.int16]) -> float:
    return float(np.sqrt(np.mean(samples.astype(float) ** 2)))


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_a_click_leaves_within_two_milliseconds(source: int, target: int) -> None:
    """The click is the last sample but 2 ms of its stream: it must have come out without a flush."""
    at = source // 10
    stream = np.zeros(at + source // 500, np.int16)
    stream[at - 3 : at + 1] = 20_000
    out = np.frombuffer(Resampler(source, target).push(stream.tobytes()), np.int16)
    peak = int(np.argmax(np.abs(out.astype(int))))
    assert abs(out[peak]) > 5_000
    assert -0.0002 <= peak / target - (at - 1.5) / source <= 0.002


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_noise_correlates_best_within_two_milliseconds(source: int, target: int) -> None:
    """Against the same noise converted offline, whose lag is none."""
    noise = np.convolve(np.random.default_rng(7).normal(0, 4000, source), np.ones(9) / 9, "same").astype(np.int16)
    ideal = np.frombuffer(convert(noise.tobytes(), source, target), np.int16).astype(float)
    got = live(noise, source, target).astype(float)
    reach = target // 100
    middle = slice(reach, min(len(got), len(ideal)) - reach)
    fits = [float(ideal[middle] @ np.roll(got, -lag)[middle]) for lag in range(-reach, reach)]
    assert 0 <= int(np.argmax(fits)) - reach <= 0.002 * target


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_length_is_exact_and_follows_closely(source: int, target: int) -> None:
    resampler, frame = Resampler(source, target), source // 50
    made = 0
    for count in range(1, 101):
        made += len(resampler.push(bytes(2 * frame))) // 2
        assert abs(count * frame * target / source - made) <= 0.0005 * target
    made += len(resampler.finish()) // 2
    assert abs(made - 100 * frame * target / source) <= 1


def test_frames_join_without_a_seam() -> None:
    whole = tone(24_000, 440)
    at_once = np.frombuffer(Resampler(24_000, 16_000).push(whole.tobytes()), np.int16)
    in_frames = live(whole, 24_000, 16_000)[: len(at_once)]
    assert np.max(np.abs(at_once.astype(int) - in_frames)) <= 1


@pytest.mark.parametrize(("source", "target", "heard", "folded"), [(24_000, 8_000, 2_000, 5_500),
                                                                   (24_000, 16_000, 4_000, 10_500),
                                                                   (48_000, 24_000, 8_000, 15_000)])  # fmt: skip
def test_what_the_new_rate_cannot_carry_is_taken_out(source: int, target: int, heard: int, folded: int) -> None:
    assert rms(live(tone(source, heard), source, target)) > 0.85 * 7071
    assert rms(live(tone(source, folded), source, target)) < 0.02 * 7071


def test_the_same_rate_passes_through() -> None:
    resampler = Resampler(24_000, 24_000)
    assert resampler.push(b"\1\2") == b"\1\2"
    assert resampler.finish() == b""
    assert convert(b"\1\2", 8_000, 8_000) == b"\1\2"


def test_a_finished_stream_leaves_nothing_to_the_next() -> None:
    resampler = Resampler(24_000, 8_000)
    resampler.push(tone(24_000, 1_000).tobytes())
    resampler.finish()
    assert not any(resampler.push(bytes(960)))


def test_convert_keeps_a_tone_and_its_length() -> None:
    out = np.frombuffer(convert(tone(24_000, 1_000).tobytes(), 24_000, 16_000), np.int16)
    assert len(out) == 16_000
    assert rms(out[1000:-1000]) == pytest.approx(7071, rel=0.01)
