"""Noise reduction for live speech (S-25): WebRTC's suppressor, from the package webrtc-noise-gain.

It works at 16 kHz in frames of 10 ms, so what comes out holds nothing above 8 kHz. It is late by 7 ms, of which the
suppressor takes 5.7 and the way to its rate and back the rest, and by up to 10 ms more where sound does not come in
multiples of 10 ms.
"""

import importlib.util

from vivavoce.audio import HOUSE_RATE
from vivavoce.audio.resample import Resampler

__all__ = ["LEVELS", "NoiseReducer", "available"]

RATE = 16_000
FRAME_BYTES = RATE // 100 * 2
HELD = 2 * 2
"""Bytes that the resampler may hold back: with as many before, sound of 10 ms makes a frame at once."""
LEVELS = 4
"""The suppressor's own steps; the highest takes 10 dB off steady noise at once and goes on from there."""


def available() -> bool:
    """There are wheels for Linux; elsewhere it has to be built."""
    return importlib.util.find_spec("webrtc_noise_gain") is not None


class NoiseReducer:
    """One stream of mono 16-bit PCM at the house rate. ``level`` is 1 to :data:`LEVELS`."""

    def __init__(self, level: int) -> None:
        from webrtc_noise_gain import AudioProcessor

        self._suppressor = AudioProcessor(0, level)  # 0: the loudness stays as it is
        self._down, self._up = Resampler(HOUSE_RATE, RATE), Resampler(RATE, HOUSE_RATE)
        self._waiting, self._ready = bytearray(HELD), bytearray()

    def push(self, pcm: bytes) -> bytes:
        """As many samples as go in; what is not there yet is silence at the beginning."""
        self._waiting += self._down.push(pcm)
        whole = len(self._waiting) // FRAME_BYTES * FRAME_BYTES
        for at in range(0, whole, FRAME_BYTES):
            clean = self._suppressor.Process10ms(bytes(self._waiting[at : at + FRAME_BYTES])).audio
            self._ready += self._up.push(clean)
        del self._waiting[:whole]
        given = bytes(self._ready[: len(pcm)])
        del self._ready[: len(pcm)]
        return given.rjust(len(pcm), b"\0")
