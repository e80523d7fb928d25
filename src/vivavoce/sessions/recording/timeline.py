"""Two people on one clock: where each sound of a session belongs in its recording. Pure: time comes in.

- What the user says is where it arrives.
- What the assistant says over WebRTC is where the track played it: the track tells (``media.played``).
- Over a WebSocket it comes faster than it is heard, and the client plays it: it is taken to be played at once, one
  piece after the other, until somebody speaks over it or the client tells how much was heard. While the client is told
  to stand still (``media.hold``), what is left waits.
"""

import numpy as np

from vivavoce.audio import HOUSE_RATE
from vivavoce.sessions.recording.track import Track

__all__ = ["AHEAD", "LAG", "Timeline"]

LAG = HOUSE_RATE
"""Samples that are held back: a sound may be late, and a truncation takes back what was thought to be heard."""
AHEAD = 600 * HOUSE_RATE
"""Samples that may wait to be heard; what a client would have to listen to for longer is not recorded."""
BYTES_PER_MS = HOUSE_RATE * 2 // 1000


class Timeline:
    """``began`` is the clock's time, in seconds, at the recording's first sample. ``media``: the track tells what was
    played."""

    def __init__(self, began: float, *, media: bool) -> None:
        self._began, self._media = began, media
        self._user, self._assistant = Track(), Track()
        self._unplayed: dict[str, tuple[int, bytearray]] = {}
        """Over WebRTC, by item: how many milliseconds were played, and what was not."""
        self._starts: dict[str, int] = {}
        """Over a WebSocket: where each item begins that may still be cut."""
        self._left: bytearray | None = None
        """While the client stands still: what it has still to play, from ``_stood`` on."""
        self._stood = 0
        self._written = 0

    def user(self, now: float, pcm: bytes) -> None:
        self._user.arrive(self._at(now), pcm)

    def assistant(self, now: float, item_id: str, pcm: bytes) -> None:
        """Sound that is made, and not yet heard."""
        if self._media:
            self._unplayed.setdefault(item_id, (0, bytearray()))[1].extend(pcm)
        elif self._left is not None:
            if len(self._left) < AHEAD * 2:
                self._starts.setdefault(item_id, self._stood + len(self._left) // 2)
                self._left += pcm
        elif self._assistant.end - self._at(now) < AHEAD:
            start = max(self._at(now), self._assistant.end)
            self._starts.setdefault(item_id, start)
            self._assistant.put(start, pcm)

    def played(self, now: float, item_id: str, ms: int, *, drained: bool) -> None:
        """So much of an item has been heard by now; ``drained``: no more of it will be."""
        before, waiting = self._unplayed.get(item_id, (0, bytearray()))
        size = max(0, ms - before) * BYTES_PER_MS
        self._assistant.arrive(self._at(now), bytes(waiting[:size]))
        del waiting[:size]
        if drained and not waiting:
            self._unplayed.pop(item_id, None)
        elif item_id in self._unplayed:
            self._unplayed[item_id] = (max(ms, before), waiting)

    def flushed(self, item_id: str | None) -> None:
        """The track drops what it has not played, of an item or of all."""
        for each in list(self._unplayed) if item_id is None else [item_id]:
            if each in self._unplayed:
                self._unplayed[each][1].clear()

    def held(self, now: float, *, on: bool) -> None:
        """A client that plays by itself is told to stand still, or to go on."""
        if on and self._left is None:
            self._stood = max(self._at(now), self._written)
            self._left = bytearray(self._assistant.lift(self._stood))
        elif not on and self._left is not None:
            by = self._at(now) - self._stood
            self._assistant.put(self._stood + by, bytes(self._left))
            self._starts = {item: at + by for item, at in self._starts.items()}
            self._left = None

    def interrupted(self, now: float) -> None:
        """Somebody speaks over what a client is playing; it falls silent."""
        self._left = None
        self._assistant.cut(max(self._at(now), self._written))

    def truncated(self, item_id: str, ms: int) -> None:
        """A client tells how much of an item it played."""
        if (start := self._starts.get(item_id)) is not None:
            self._assistant.cut(max(start + ms * HOUSE_RATE // 1000, self._written))

    def behind(self, now: float) -> float:
        """Seconds since which nothing was taken."""
        return (self._at(now) - self._written) / HOUSE_RATE

    def take(self, now: float) -> bytes:
        """What is certain by now and was not taken yet: 16-bit PCM, left and right in turn."""
        return self._read(self._at(now) - LAG)

    def finish(self, now: float) -> bytes:
        """All the rest."""
        self._assistant.cut(max(self._at(now), self._written))  # nobody hears what comes after the end
        return self._read(max(self._at(now), self._user.end))

    def _read(self, end: int) -> bytes:
        if end <= self._written:
            return b""
        sides = [track.read(self._written, end) for track in (self._user, self._assistant)]
        self._written = end
        self._starts = {item: at for item, at in self._starts.items() if at >= end - AHEAD}
        return np.stack(sides, axis=1).astype("<i2").tobytes()

    def _at(self, now: float) -> int:
        return round((now - self._began) * HOUSE_RATE)
