"""The audio of a session's items, kept for ``conversation.item.retrieve`` (E-42) within a bound."""

from collections import OrderedDict
from dataclasses import dataclass, field

from vivavoce.protocol.wire.config import Format, Pcm

__all__ = ["MAX_BYTES", "Archive"]

MAX_BYTES = 16 * 1024 * 1024
"""Five and a half minutes of PCM a session; the oldest items' audio goes first."""


@dataclass(slots=True)
class _Kept:
    format: Format
    data: bytearray = field(default_factory=bytearray)


class Archive:
    """Audio by item id, in the format in which the client knows it."""

    def __init__(self) -> None:
        self._items: OrderedDict[str, _Kept] = OrderedDict()
        self._bytes = 0

    def add(self, item_id: str, data: bytes, format: Format) -> None:
        self._items.setdefault(item_id, _Kept(format)).data.extend(data)
        self._bytes += len(data)
        while self._bytes > MAX_BYTES and len(self._items) > 1:
            self.forget(next(iter(self._items)))

    def get(self, item_id: str) -> bytes | None:
        """None where the audio is not kept any more."""
        kept = self._items.get(item_id)
        return None if kept is None else bytes(kept.data)

    def trim(self, item_id: str, samples: int) -> None:
        """Keep the first ``samples``, counted at 24 kHz."""
        kept = self._items.get(item_id)
        if kept is not None:
            size = samples * 2 if isinstance(kept.format, Pcm) else samples // 3
            self._bytes -= max(0, len(kept.data) - size)
            del kept.data[size:]

    def forget(self, item_id: str) -> None:
        if kept := self._items.pop(item_id, None):
            self._bytes -= len(kept.data)
