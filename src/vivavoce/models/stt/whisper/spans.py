"""The parts of an utterance that are worth decoding: no silence at its edges, and none longer than a model takes.

Where somebody speaks is what voice activity has found already. This only takes off what is as good as silent by its
level: the padding before a turn and the pause behind it, in which Whisper would find a sentence.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

__all__ = ["KEPT", "RATE", "loud_until", "parts", "trimmed"]

RATE = 16_000
FRAME = RATE // 50
"""Samples whose level is looked at together: 20 ms."""
QUIETEST = 32768 * 10 ** (-60 / 20)
"""-60 dBFS, as the mean of a frame's squares under the root."""
KEPT = 2 * (RATE // 10)
"""Bytes that stay at each edge: 100 ms, in which a word may fade in or out."""
SHORTEST = 2 * (RATE // 10)
"""Bytes in 100 ms: no word is shorter."""


def loud_until(pcm: bytes) -> int:
    """The first byte behind the last that is not silent; 0 where all is."""
    loud = np.flatnonzero(_levels(pcm) >= QUIETEST)
    return min(len(pcm), 2 * FRAME * (int(loud[-1]) + 1)) if len(loud) else 0


def trimmed(pcm: bytes) -> bytes:
    """It without the silence at its edges; nothing where no word can be in it."""
    loud = np.flatnonzero(_levels(pcm) >= QUIETEST)
    if len(pcm) < SHORTEST or not len(loud):
        return b""
    return pcm[max(0, 2 * FRAME * int(loud[0]) - KEPT) : 2 * FRAME * (int(loud[-1]) + 1) + KEPT]


def parts(pcm: bytes, most: int, least: int) -> Iterator[bytes]:
    """It in parts of ``most`` bytes at most, each cut where it is quietest behind its first ``least``."""
    while len(pcm) > most:
        at = least + 2 * FRAME * int(np.argmin(_levels(pcm[least:most]))) + FRAME
        yield pcm[:at]
        pcm = pcm[at:]
    if pcm:
        yield pcm


def _levels(pcm: bytes) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Of each frame; the last one may be shorter."""
    samples = np.frombuffer(pcm, "<i2")
    padded = np.zeros(-(-len(samples) // FRAME) * FRAME, np.float32)
    padded[: len(samples)] = samples
    levels: np.ndarray[Any, np.dtype[np.float32]] = np.sqrt(np.mean(np.square(padded.reshape(-1, FRAME)), axis=1))
    return levels
