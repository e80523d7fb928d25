"""One channel of a recording: sound at positions, silence between. A position is a number of samples at the house rate
since the recording began. Pure: it reads no clock."""

from collections import deque

import numpy as np
from numpy.typing import NDArray

from vivavoce.audio import HOUSE_RATE

__all__ = ["JITTER", "Samples", "Track"]

Samples = NDArray[np.int16]

JITTER = HOUSE_RATE * 120 // 1000
"""By how much live sound may be late and still be taken to follow on what was there before."""


class Track:
    def __init__(self) -> None:
        self._pieces: deque[tuple[int, Samples]] = deque()
        """In order, and none reaches into the next."""
        self.end = 0
        """Behind the last sample."""

    def arrive(self, position: int, pcm: bytes) -> None:
        """Live sound, of which the last sample is heard at ``position``. What comes a little early or late follows on
        what came before; a sender that was silent for longer left a hole. One that sends faster than people speak is
        as long as what it sends."""
        start = position - len(pcm) // 2
        self.put(start if start - self.end > JITTER else self.end, pcm)

    def put(self, start: int, pcm: bytes) -> None:
        """Sound from ``start`` on, or from the end where there is sound already."""
        start = max(start, self.end)
        samples = np.frombuffer(pcm, "<i2")
        self._pieces.append((start, samples))
        self.end = start + len(samples)

    def lift(self, position: int) -> bytes:
        """Take out what was to be heard from there on."""
        lifted = b"".join(samples[max(0, position - start) :].tobytes() for start, samples in self._pieces)
        self.cut(position)
        return lifted

    def cut(self, position: int) -> None:
        """What was to be heard from there on is not."""
        while self._pieces and self._pieces[-1][0] >= position:
            self._pieces.pop()
        if self._pieces:
            start, samples = self._pieces[-1]
            self._pieces[-1] = (start, samples[: max(0, position - start)])
        self.end = min(self.end, position)

    def read(self, start: int, end: int) -> Samples:
        """From ``start`` to ``end``, and forget what came before that end."""
        heard = np.zeros(end - start, np.int16)
        while self._pieces and self._pieces[0][0] < end:
            at, samples = self._pieces.popleft()
            if at + len(samples) > end:
                self._pieces.appendleft((end, samples[end - at :]))
                samples = samples[: end - at]
            skipped = max(0, start - at)
            heard[max(0, at - start) : max(0, at - start) + len(samples) - skipped] = samples[skipped:]
        self.end = max(self.end, end)
        return heard
