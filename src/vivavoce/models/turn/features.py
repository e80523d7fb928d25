"""Log-mel features as Whisper's encoder takes them: 80 bands, a frame every 10 ms.

The recipe is Whisper's: a periodic Hann window of 25 ms, the power spectrum, Slaney's triangular mel bands up to
8 kHz, the logarithm, at most 80 dB below its loudest. Before it the sound is brought to a mean of zero and a variance
of one.
"""

from functools import cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

__all__ = ["BANDS", "RATE", "log_mel"]

RATE = 16_000
BANDS = 80
_WINDOW, _HOP = 400, 160

Floats = NDArray[np.float32]


def log_mel(samples: Floats) -> Floats:
    """Of ``n`` samples (-1 to 1, at :data:`RATE`) the features, shape ``(BANDS, n // 160)``."""
    even = (samples - samples.mean()) / np.sqrt(samples.var() + 1e-7)
    padded = np.pad(even, _WINDOW // 2, mode="reflect")
    frames = sliding_window_view(padded, _WINDOW)[: len(samples) // _HOP * _HOP : _HOP]
    power = np.abs(np.fft.rfft(frames * _hann(), axis=-1)) ** 2
    bands = np.log10(np.maximum(_filters() @ power.T, 1e-10))
    return np.asarray((np.maximum(bands, bands.max() - 8.0) + 4.0) / 4.0, np.float32)


@cache
def _hann() -> Floats:
    return np.hanning(_WINDOW + 1)[:-1].astype(np.float32)


@cache
def _filters() -> Floats:
    """Triangles over the bins of the spectrum, each with an area of one: shape ``(BANDS, 201)``."""
    bins = np.linspace(0, RATE / 2, _WINDOW // 2 + 1)
    edges = _hertz(np.linspace(0, _mel(RATE / 2), BANDS + 2))
    low, middle, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    triangles = np.maximum(0, np.minimum((bins - low) / (middle - low), (high - bins) / (high - middle)))
    return np.asarray(triangles * 2 / (high - low), np.float32)


# Slaney's mel scale is linear up to 1 kHz, which is 15 mel, and logarithmic above.
_STEP = np.log(6.4) / 27


def _mel(hertz: float) -> float:
    return float(15 + np.log(hertz / 1000) / _STEP) if hertz >= 1000 else hertz * 3 / 200


def _hertz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(mel < 15, mel * 200 / 3, 1000 * np.exp(_STEP * (mel - 15)))
