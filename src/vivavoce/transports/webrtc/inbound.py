"""What is heard on the incoming track, as the session takes it: mono PCM at the house rate, in which lost
packets count as time (W-10). Pure."""

import numpy as np

from vivavoce.audio import HOUSE_RATE
from vivavoce.audio.resample import Resampler

__all__ = ["Inbound"]

RATE = 48_000
"""Samples and RTP ticks a second of what aiortc decodes."""
MAX_GAP = 5
"""Seconds. A longer hole is no loss: the caller sent nothing, or began a new clock. It is not filled, as
only received audio counts."""


class Inbound:
    """One stream. It adds what the resampler does, about 1 ms."""

    def __init__(self) -> None:
        self._resampler = Resampler(RATE, HOUSE_RATE)
        self._expected: int | None = None

    def push(self, stereo: bytes, timestamp: int) -> bytes:
        """The next decoded frame: interleaved 16-bit stereo at :data:`RATE`, and its first sample's RTP
        timestamp. Gives the sound since the last frame, any hole before it filled with silence."""
        samples = np.frombuffer(stereo, "<i2").reshape(-1, 2)
        mono = samples.mean(axis=1, dtype=np.float32).astype("<i2").tobytes()
        missing = 0 if self._expected is None else timestamp - self._expected
        self._expected = timestamp + len(samples)
        silence = bytes(2 * missing) if 0 < missing <= MAX_GAP * RATE else b""
        return self._resampler.push(silence + mono)
