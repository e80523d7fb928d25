"""Where in a recording somebody can be heard, and where their voice begins.

Much of what people say over an answer begins with breath: the "st" of "stop" can be heard 200 ms before there is a
voice in it. ``voiced`` is where the voice begins by the rule of Praat, the phoneticians' program, with its own numbers:
frames of 40 ms, 10 ms apart, whose autocorrelation (Boersma 1993) shows a pitch between 75 and 600 Hz more strongly
than 0.45, and more strongly still where it is quiet. It knows nothing of any server's voice activity.
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["audible", "voiced"]

AUDIBLE = 0.02
"""Of the loudest sample: what is quieter before it is not speech yet."""
STEP, FLOOR, CEILING = 0.01, 75.0, 600.0
"""Seconds and hertz."""
SILENCE, VOICING = 0.03, 0.45
"""Praat's silence and voicing thresholds."""
IN_A_ROW = 2
"""Voiced frames: in hiss, one by itself is chance. (Praat says the same by what a change of voicing costs.)"""


def audible(samples: NDArray[np.int16]) -> slice:
    """From the first to behind the last sample that can be heard."""
    levels = np.abs(samples.astype(np.int32))
    heard = np.flatnonzero(levels > AUDIBLE * levels.max())
    return slice(int(heard[0]), int(heard[-1]) + 1)


def voiced(samples: NDArray[np.int16], rate: int) -> float:
    """Seconds to the middle of the first voiced frame. ValueError where there is none."""
    sound = samples.astype(np.float64) - samples.mean()
    loudest, half, row = np.abs(sound).max(), round(1.5 * rate / FLOOR), 0
    padded, step = np.pad(sound, half), round(STEP * rate)
    for middle in range(0, len(sound), step):
        row = row + 1 if _is_voiced(padded[middle : middle + 2 * half], rate, loudest) else 0
        if row == IN_A_ROW:
            return (middle - (IN_A_ROW - 1) * step) / rate
    raise ValueError("There is no voice in it.")


def _is_voiced(frame: NDArray[np.float64], rate: int, loudest: float) -> bool:
    frame = frame - frame.mean()
    shortest, longest = round(rate / CEILING), round(rate / FLOOR)
    level = np.abs(frame[(len(frame) - longest) // 2 : (len(frame) + longest) // 2]).max() / loudest
    needed = VOICING + max(0.0, 2 - level * (1 + VOICING) / SILENCE)
    window = np.hanning(len(frame))
    lags = slice(shortest, longest + 1)
    strength = _autocorrelation(frame * window)[lags] / _autocorrelation(window)[lags]
    return bool(strength.max() > needed)


def _autocorrelation(frame: NDArray[np.float64]) -> NDArray[np.float64]:
    """By lag, from 0; 1 at 0."""
    found = np.fft.irfft(np.abs(np.fft.rfft(frame, 2 * len(frame))) ** 2)[: len(frame)]
    return np.asarray(found / max(found[0], 1e-9))
