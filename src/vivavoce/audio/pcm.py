"""Arithmetic of mono 16-bit PCM: lengths, durations, loudness."""

import math

import numpy as np

__all__ = ["SAMPLE_BYTES", "SILENT_DBFS", "duration_ms", "level_dbfs", "samples_in"]

SAMPLE_BYTES = 2
SILENT_DBFS = -100.0
"""What :func:`level_dbfs` says of digital silence, and of nothing at all."""


def duration_ms(pcm: bytes, rate: int) -> int:
    """Whole milliseconds, rounded down."""
    return len(pcm) // SAMPLE_BYTES * 1000 // rate


def samples_in(ms: float, rate: int) -> int:
    """The samples in ``ms`` milliseconds, rounded to the nearest."""
    return round(ms * rate / 1000)


def level_dbfs(pcm: bytes) -> float:
    """RMS loudness, 0 for a square wave at full scale."""
    samples = np.frombuffer(pcm, "<i2").astype(np.float32)
    if not samples.size:
        return SILENT_DBFS
    rms = math.sqrt(float(np.mean(samples * samples))) / 32768
    return max(SILENT_DBFS, 20 * math.log10(rms)) if rms else SILENT_DBFS
