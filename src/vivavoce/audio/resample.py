"""From one sample rate to another: live, in at most 2 ms, and whole, in high quality.

Live sound goes through soxr's cubic "QQ", whose lag is a sample or two; its better settings hold back
20 to 115 ms. QQ has no filter of its own, so what the new rate cannot carry would fold back as hiss
and whistling: on the way down a short symmetric low-pass (0.8 ms of lag) takes it out first.
"""

from functools import lru_cache

import numpy as np
import numpy.typing as npt
import soxr

__all__ = ["Resampler", "convert"]

LOWPASS_LAG = 0.0008
"""Seconds the low-pass adds; its transition band is 2 kHz wide."""

_Samples = npt.NDArray[np.float32]


class Resampler:
    """One stream of mono int16 PCM on its way from ``source`` to ``target`` samples a second.

    What goes in as n samples comes out as n * target / source of them, give or take the few that the
    interpolation holds; :meth:`finish` makes it exact."""

    def __init__(self, source: int, target: int) -> None:
        # Floats: soxr adds dither to its 16-bit output, and silence should stay silent.
        self._soxr = None if source == target else soxr.ResampleStream(source, target, 1, quality="QQ")
        self._lowpass = _Lowpass(source, target) if target < source else None

    def push(self, pcm: bytes) -> bytes:
        """The next whole samples, converted."""
        if self._soxr is None or not pcm:
            return pcm
        samples = _floats(pcm)
        if self._lowpass is not None:
            samples = self._lowpass.push(samples)
        return _pcm(self._soxr.resample_chunk(samples))

    def finish(self) -> bytes:
        """The samples still held; afterwards a new stream may begin."""
        if self._soxr is None:
            return b""
        rest = _pcm(self._soxr.resample_chunk(np.zeros(0, np.float32), last=True))
        self._soxr.clear()
        if self._lowpass is not None:
            self._lowpass.clear()
        return rest


def convert(pcm: bytes, source: int, target: int) -> bytes:
    """A whole utterance at another rate, in high quality."""
    if source == target or not pcm:
        return pcm
    return _pcm(soxr.resample(_floats(pcm), source, target, quality="HQ"))


def _floats(pcm: bytes) -> _Samples:
    return np.frombuffer(pcm, "<i2").astype(np.float32)


def _pcm(samples: _Samples) -> bytes:
    return np.rint(samples).clip(-32768, 32767).astype("<i2").tobytes()


class _Lowpass:
    """A streaming FIR filter; as many samples come out as go in."""

    def __init__(self, source: int, target: int) -> None:
        self._taps = _lowpass_taps(source, target)
        self.clear()

    def clear(self) -> None:
        self._past = np.zeros(len(self._taps) - 1, np.float32)

    def push(self, samples: _Samples) -> _Samples:
        joined = np.concatenate((self._past, samples))
        self._past = joined[len(samples) :]
        return np.asarray(np.convolve(joined, self._taps, "valid"), np.float32)


@lru_cache(maxsize=32)
def _lowpass_taps(source: int, target: int) -> _Samples:
    """A Hamming-windowed sinc with unit gain at 0 Hz, 6 dB down at 45 % of ``target``."""
    half = max(1, round(LOWPASS_LAG * source))
    position = np.arange(-half, half + 1)
    taps = np.sinc(position * 0.9 * target / source) * np.hamming(2 * half + 1)
    return np.asarray(taps / taps.sum(), np.float32)
