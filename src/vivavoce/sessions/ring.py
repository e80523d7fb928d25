"""What a client was told last, to be told again where it was cut off before it had read all of it."""

from collections import deque
from collections.abc import Iterator

import msgspec

from vivavoce.protocol.frame import Frame

__all__ = ["FRAME_BYTES", "KEPT_BYTES", "PARKED_BYTES", "Ring"]

KEPT_BYTES = 2 * 1024 * 1024
"""While the client is there: what a socket may hold on its way to a client that has stopped reading, twice."""
PARKED_BYTES = 8 * 1024 * 1024
"""While nobody is there: 174 s of 24 kHz audio, where an answer of OpenAI's has 205 s at most."""
FRAME_BYTES = 512
"""What a frame counts beside its sound or text, so that small ones are bounded too."""

_encoder = msgspec.json.Encoder()


class Ring:
    """The newest frames, in order, in up to :attr:`room` bytes; older ones are forgotten, an eighth at a time."""

    def __init__(self) -> None:
        self.room = KEPT_BYTES
        self._frames: deque[Frame] = deque()
        self._sizes: deque[int] = deque()
        self._bytes = 0

    def add(self, frame: Frame) -> None:
        """The hot path, for sound."""
        audio = frame.audio
        size = FRAME_BYTES + len(audio if audio is not None else _encoder.encode(frame.data))
        self._frames.append(frame)
        self._sizes.append(size)
        self._bytes += size
        if self._bytes > self.room:
            self._forget()

    def __iter__(self) -> Iterator[Frame]:
        """The oldest first."""
        return iter(self._frames)

    def after(self, event_id: str) -> list[Frame] | None:
        """What followed the event; None where the ring does not hold it (any more)."""
        found: list[Frame] = []
        for frame in reversed(self._frames):
            if frame.data.get("event_id") == event_id:
                return found[::-1]
            found.append(frame)
        return None

    def without_sound(self) -> None:
        """Forgets what has been handed to a track, which keeps it until it is played."""
        kept = [frame for frame in self._frames if frame.audio is None]
        self._frames.clear()
        self._sizes.clear()
        self._bytes = 0
        for frame in kept:
            self.add(frame)

    def _forget(self) -> None:
        while self._bytes > self.room * 7 // 8:
            self._frames.popleft()
            self._bytes -= self._sizes.popleft()
