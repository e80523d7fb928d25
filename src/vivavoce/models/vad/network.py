"""The network of Silero v6, for several listeners at once: the same numbers as ONNX Runtime gives, to 6 digits.

    samples ─▶ spectrum (STFT) ─▶ four convolutions ─▶ LSTM, which remembers ─▶ a probability
    640          4 x 129            1 x 128              128

It is a million multiplications and twenty small arrays, so what costs is not the arithmetic: for one listener it is
calls and the reading of 1 MB of weights, which several share. ONNX Runtime takes 115 µs for a window, and this model
admits but one listener there; this takes 105 for one and 30 each for eight, and spares the process the runtime.
"""

import threading
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["HEARD", "STATE", "Network"]

HEARD = 576
"""Samples at 16 kHz that it looks at: a window, and the end of the one before it."""
STATE = 128
"""Floats of an LSTM's output, and of its cell."""
MIRRORED = 64
"""Samples at the end that are heard backwards behind it, which fills the last stretch."""
STRETCH, STEP, STRETCHES = 256, 128, 4
"""Of the spectrum."""
BINS = STRETCH // 2 + 1

_Floats = npt.NDArray[np.float32]


class Network:
    def __init__(self, tensors: Mapping[str, _Floats]) -> None:
        """Raises :class:`ValueError` where they are another model's."""
        try:
            basis = tensors["encoder.feature_extractor.forward_basis_buffer"]
            layers = [
                (tensors[f"encoder.conv_layers.{n}.weight"], tensors[f"encoder.conv_layers.{n}.bias"]) for n in range(4)
            ]
            last, self._last_bias = tensors["decoder.conv1d.weight"], tensors["decoder.conv1d.bias"]
            heard, remembered, bias = (tensors[f"onnx::LSTM_{n}"][0] for n in (209, 210, 211))
        except KeyError as error:
            raise ValueError(f"there is no {error} in it") from None
        shapes = [each.shape for each in (basis, *(weight for weight, _ in layers), last, heard, remembered, bias)]
        if shapes != _SHAPES:
            raise ValueError("its tensors have other shapes")
        self._window = basis[0, 0].copy()  # the first row of a Fourier transform is ones, times the window
        used = ((0, 1, 2), (0, 1, 2), (1, 2), (1,))  # taps: the other ones of short inputs meet only padding
        self._layers = [(_matrix(weight, taps), bias) for (weight, bias), taps in zip(layers, used, strict=True)]
        self._gates = np.ascontiguousarray(np.concatenate([heard.T, remembered.T]))
        self._gates_bias = bias[: 4 * STATE] + bias[4 * STATE :]
        self._last = last[0]

    def __call__(self, samples: _Floats, hidden: _Floats, cell: _Floats) -> tuple[_Floats, _Floats, _Floats]:
        """The probabilities (n) that there is speech in ``samples`` (n, HEARD), between -1 and 1, for listeners whose
        states are ``hidden`` and ``cell`` (n, STATE each); and their states behind it."""
        n = len(samples)
        room = _rooms[n]
        (first, first_bias), (second, second_bias), (third, third_bias), (fourth, fourth_bias) = self._layers
        room.samples[:, :HEARD] = samples
        room.samples[:, HEARD:] = samples[:, -2 : -2 - MIRRORED : -1]
        np.abs(np.fft.rfft(room.stretches * self._window), out=room.spectrum)
        made = room.around_spectrum.reshape(STRETCHES * n, -1) @ first
        made += first_bias
        np.maximum(made.reshape(n, STRETCHES, -1), 0, out=room.first)
        made = room.around_first.reshape(2 * n, -1) @ second
        made = _positive(made, second_bias).reshape(n, -1) @ third
        made = _positive(made, third_bias) @ fourth
        room.gates[:, :STATE] = _positive(made, fourth_bias)
        room.gates[:, STATE:] = hidden
        gates = room.gates @ self._gates
        gates += self._gates_bias
        new = np.tanh(gates[:, 3 * STATE :])
        open = _sigmoid(gates[:, : 3 * STATE])  # of what comes in, what goes out, and what is kept
        cell = open[:, 2 * STATE :] * cell
        cell += np.multiply(open[:, :STATE], new, out=new)
        hidden = np.tanh(cell)
        hidden *= open[:, STATE : 2 * STATE]
        made = np.maximum(hidden, 0) @ self._last
        made += self._last_bias
        return _sigmoid(made)[:, 0], hidden, cell


_SHAPES: list[Any] = [
    (2 * BINS, 1, STRETCH),
    (128, BINS, 3), (64, 128, 3), (64, 64, 3), (STATE, 64, 3),
    (1, STATE, 1),
    (4 * STATE, STATE), (4 * STATE, STATE), (8 * STATE,),
]  # fmt: skip


def _matrix(weight: _Floats, taps: tuple[int, ...]) -> _Floats:
    """A convolution (out, in, taps) as a matrix for rows in which what each tap sees stands side by side."""
    return np.ascontiguousarray(np.concatenate([weight[:, :, tap].T for tap in taps]))


def _positive(made: _Floats, bias: _Floats) -> _Floats:
    made += bias
    return np.maximum(made, 0, out=made)


def _sigmoid(x: _Floats) -> _Floats:
    """In place."""
    np.exp(np.negative(x, out=x), out=x)
    x += 1
    return np.reciprocal(x, out=x)


class _Room(NamedTuple):
    """Where what is made for n listeners is put. ``around`` are views in which overlapping stretches stand side by
    side, with the zeros of the padding."""

    samples: _Floats
    stretches: _Floats
    spectrum: _Floats
    around_spectrum: _Floats
    first: _Floats
    around_first: _Floats
    gates: _Floats


class _Rooms(threading.local):
    """By n; each thread has its own."""

    def __init__(self) -> None:
        self._made = dict[int, _Room]()

    def __getitem__(self, n: int) -> _Room:
        if n not in self._made:
            self._made[n] = _room(n)
        return self._made[n]


_rooms = _Rooms()


def _room(n: int) -> _Room:
    samples = np.zeros((n, HEARD + MIRRORED), np.float32)
    spectrum, first = (np.zeros((n, 1 + STRETCHES + 1, width), np.float32) for width in (BINS, 128))
    return _Room(
        samples,
        _side_by_side(samples, STRETCHES, STRETCH, STEP),
        spectrum[:, 1:-1],
        _side_by_side(spectrum, STRETCHES, 3 * BINS, BINS),
        first[:, 1:-1],
        _side_by_side(first, 2, 3 * 128, 2 * 128),
        np.zeros((n, 2 * STATE), np.float32),
    )


def _side_by_side(whole: _Floats, count: int, size: int, step: int) -> _Floats:
    """For each listener, ``count`` stretches of so many numbers, each ``step`` further on."""
    width = whole.itemsize
    return np.lib.stride_tricks.as_strided(whole, (len(whole), count, size), (whole.strides[0], step * width, width))
