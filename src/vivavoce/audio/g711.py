"""G.711 (ITU-T): mu-law (``audio/pcmu``) and A-law (``audio/pcma``), one byte a sample at 8 kHz.

Decoding looks up 256 entries, encoding 65,536; both tables are made from the formulas on first use.
"""

from functools import cache

import numpy as np
import numpy.typing as npt

__all__ = ["RATE", "alaw_decode", "alaw_encode", "ulaw_decode", "ulaw_encode"]

RATE = 8_000

_Codes = npt.NDArray[np.uint8]
_Levels = npt.NDArray[np.int16]


def ulaw_decode(data: bytes) -> bytes:
    """mu-law bytes to int16 PCM of twice the length."""
    return _ulaw_levels().take(np.frombuffer(data, np.uint8)).tobytes()


def alaw_decode(data: bytes) -> bytes:
    """A-law bytes to int16 PCM of twice the length."""
    return _alaw_levels().take(np.frombuffer(data, np.uint8)).tobytes()


def ulaw_encode(pcm: bytes) -> bytes:
    """Whole int16 samples to one byte each."""
    return _ulaw_codes().take(np.frombuffer(pcm, "<u2")).tobytes()


def alaw_encode(pcm: bytes) -> bytes:
    """Whole int16 samples to one byte each."""
    return _alaw_codes().take(np.frombuffer(pcm, "<u2")).tobytes()


@cache
def _ulaw_levels() -> _Levels:
    code = ~np.arange(256, dtype=np.uint8)
    exponent, mantissa = (code >> 4) & 7, code & 15
    magnitude = (((mantissa.astype(np.int32) << 3) + 132) << exponent) - 132
    return np.where(code & 0x80, -magnitude, magnitude).astype("<i2")


@cache
def _alaw_levels() -> _Levels:
    code = np.arange(256, dtype=np.uint8) ^ 0x55
    exponent, mantissa = ((code >> 4) & 7).astype(np.int32), (code & 15).astype(np.int32)
    linear = (mantissa << 4) + 8
    magnitude = np.where(exponent == 0, linear, (linear + 256) << np.maximum(exponent - 1, 0))
    return np.where(code & 0x80, magnitude, -magnitude).astype("<i2")


def _every_sample() -> npt.NDArray[np.int32]:
    """All 65,536 samples, in the order of their unsigned bits."""
    return np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int32)


@cache
def _ulaw_codes() -> _Codes:
    sample = _every_sample()
    magnitude = np.minimum(np.abs(sample), 32635) + 132
    exponent = np.floor(np.log2(magnitude)).astype(np.int32) - 7
    mantissa = (magnitude >> (exponent + 3)) & 15
    return np.asarray(~(np.where(sample < 0, 0x80, 0) | exponent << 4 | mantissa) & 0xFF, np.uint8)


@cache
def _alaw_codes() -> _Codes:
    sample = _every_sample()
    # One's complement of a negative sample, as in the ITU's own reference code.
    magnitude = np.where(sample < 0, ~sample, sample)
    exponent = np.maximum(np.floor(np.log2(np.maximum(magnitude, 1))).astype(np.int32) - 7, 0)
    mantissa = (magnitude >> (np.maximum(exponent, 1) + 3)) & 15
    return np.asarray((np.where(sample < 0, 0, 0x80) | exponent << 4 | mantissa) ^ 0x55, np.uint8)
