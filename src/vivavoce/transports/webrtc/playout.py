"""What is yet to be heard, in order, and how much of each item has been. Pure: no clock, no tasks.

The track takes a frame every 20 ms; the session learns from :data:`~vivavoce.protocol.frame.PLAYED` frames
where a listener is, so that a barge-in keeps exactly what was heard (O-36 on).
"""

from dataclasses import dataclass, field

from vivavoce.audio import HOUSE_RATE
from vivavoce.audio.opus import FRAME_BYTES
from vivavoce.protocol.frame import PLAYED, REST, Frame

__all__ = ["Playout"]

BYTES_PER_MS = HOUSE_RATE * 2 // 1000
REPORT_MS = 100
"""Milliseconds of an item between two reports of it."""


@dataclass(slots=True)
class _Item:
    id: str
    waiting: bytearray = field(default_factory=bytearray)
    played: int = 0  # bytes
    told: int = 0  # bytes, in the last report
    finished: bool = False


class Playout:
    """PCM at the house rate, by item, first come first played."""

    def __init__(self) -> None:
        self._items: dict[str, _Item] = {}
        self._reports: list[Frame] = []
        self.waiting = 0
        """Bytes not yet taken."""

    def push(self, item_id: str, pcm: bytes) -> None:
        item = self._items.get(item_id)
        if item is None:
            item = self._items[item_id] = _Item(item_id)
        item.waiting += pcm
        self.waiting += len(pcm)

    def finish(self, item_id: str) -> None:
        """No more audio of this item will come. Without this an item that has run dry is only late."""
        if item := self._items.get(item_id):
            item.finished = True
            self._settle(item)

    def flush(self, item_id: str | None) -> None:
        """Drops what waits of one item, or of all, and reports how far it had come."""
        for item in list(self._items.values()):
            if item_id in (None, item.id):
                self.waiting -= len(item.waiting)
                item.waiting.clear()
                item.finished = True
                self._settle(item)

    def rest(self) -> list[Frame]:
        """All that was not played, as REST frames for :meth:`restore` of another."""
        return [
            Frame(
                REST,
                {"type": REST, "item_id": item.id, "audio_ms": item.played // BYTES_PER_MS, "finished": item.finished},
                bytes(item.waiting),
            )
            for item in self._items.values()
        ]

    def restore(self, rest: Frame) -> None:
        """Goes on where another stopped."""
        item_id, played = rest.data["item_id"], rest.data["audio_ms"] * BYTES_PER_MS
        self._items[item_id] = _Item(item_id, played=played, told=played)
        self.push(item_id, rest.audio or b"")
        if rest.data["finished"]:
            self.finish(item_id)

    def take(self) -> bytes | None:
        """The next 20 ms, filled up with silence at the end of an item; None when nothing waits."""
        item = self._next()
        if item is None:
            return None
        pcm = bytes(item.waiting[:FRAME_BYTES])
        del item.waiting[:FRAME_BYTES]
        item.played += len(pcm)
        self.waiting -= len(pcm)
        self._settle(item)
        return pcm.ljust(FRAME_BYTES, b"\0")

    def reports(self) -> list[Frame]:
        """The reports since the last call."""
        reports, self._reports = self._reports, []
        return reports

    def _next(self) -> _Item | None:
        for item in list(self._items.values()):
            if item.waiting:
                return item
            if self.waiting:  # it ran dry, and the next item has begun: nothing more of it will come
                del self._items[item.id]
        return None

    def _settle(self, item: _Item) -> None:
        """Reports an item where it is due, and forgets it at its end."""
        ended = item.finished and not item.waiting
        if ended:
            del self._items[item.id]
        if ended or not item.waiting or item.played - item.told >= REPORT_MS * BYTES_PER_MS:
            item.told = item.played
            drained = ended and not self.waiting
            data = {"type": PLAYED, "item_id": item.id, "audio_ms": item.played // BYTES_PER_MS, "drained": drained}
            self._reports.append(Frame(PLAYED, data))
