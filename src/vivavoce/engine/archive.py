"""The audio of a session's items, kept for ``conversation.item.retrieve`` (E-42): the newest in memory, what is older
as Opus in a file, both within a bound.

Audio is cut into pieces, which move from memory to the file, oldest first; there the newest take the place of the
oldest. An item of which a piece is lost is not kept at all.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from vivavoce.audio import g711, ogg
from vivavoce.engine.formats import G711_RATE
from vivavoce.engine.scratch import Scratch
from vivavoce.protocol.session.commands import RATE
from vivavoce.protocol.wire.config import Format, Pcm, Pcma

__all__ = ["DISK", "FETCHES", "MEMORY", "PIECE", "Archive"]

log = logging.getLogger(__name__)

MEMORY = 16 * 1024 * 1024
"""Five and a half minutes of PCM. Whoever brings more waits at twice that."""
DISK = 32 * 1024 * 1024
"""Two hours and a quarter of Opus."""
PIECE = 512 * 1024
"""Bytes: eleven seconds of PCM, or a minute of G.711. Packing one takes 20 ms of a thread."""
FETCHES = 4
"""Items that are being read back at one time; whoever asks for more waits."""


@dataclass(slots=True, eq=False)
class _Piece:
    item_id: str
    format: Format
    data: bytearray | None
    """None once it is in the file, or lost."""
    size: int
    """How many bytes of it count, in the client's format."""
    at: int = 0
    length: int = 0
    """Where in the file it is."""

    @property
    def lost(self) -> bool:
        return self.data is None and not self.length


class Archive:
    """Audio by item id, in the format in which the client knows it. What comes back from the file is Opus heard again,
    as long as it was. ``directory`` is for the file."""

    def __init__(
        self, group: asyncio.TaskGroup, directory: Path | None = None, *, memory: int = MEMORY, disk: int = DISK
    ) -> None:
        self._group, self._memory = group, memory
        self._items: dict[str, list[_Piece]] = {}
        self._fresh: deque[_Piece] = deque()
        self._packed: deque[_Piece] = deque()
        self._file = Scratch(directory, disk)
        self._bytes = self._fetching = 0
        self._packing: asyncio.Task[None] | None = None
        self._room = asyncio.Event()
        self._room.set()

    def add(self, item_id: str, data: bytes, format: Format) -> None:
        last = self._fresh[-1] if self._fresh else None
        if last is not None and last.data is not None and last.item_id == item_id and last.size + len(data) <= PIECE:
            last.data += data  # the hot path: an answer goes on
            last.size += len(data)
            self._bytes += len(data)
            if self._bytes > self._memory:
                self._settle()
        else:
            self._add(item_id, data, format)

    def _add(self, item_id: str, data: bytes, format: Format) -> None:
        pieces = self._items.setdefault(item_id, [])
        if pieces and pieces[0].lost:  # without its beginning the rest is of no use
            return
        for start in range(0, len(data), PIECE):
            part = data[start : start + PIECE]
            pieces.append(_Piece(item_id, format, bytearray(part), len(part)))
            self._fresh.append(pieces[-1])
        self._bytes += len(data)
        self._settle()

    def fetch(self, item_id: str, then: Callable[[bytes | None], None]) -> None:
        """``then`` is given the item's audio, None where it is not kept any more: at once, or once it is read."""
        pieces = self._items.get(item_id)
        if pieces and any(piece.data is None for piece in pieces):
            self._fetching += 1
            self._group.create_task(self._fetch(list(pieces), then), name=f"read {item_id}")
            self._settle()
        else:
            then(b"".join(piece.data for piece in pieces if piece.data) if pieces else None)

    @property
    def full(self) -> bool:
        return self._bytes > 2 * self._memory or self._fetching >= FETCHES

    async def room(self) -> None:
        """Wait until there is room for more, and for another :meth:`fetch`."""
        await self._room.wait()

    def trim(self, item_id: str, samples: int) -> None:
        """Keep the first ``samples``, counted at 24 kHz."""
        pieces = self._items.get(item_id, [])
        left = samples * 2 if pieces and isinstance(pieces[0].format, Pcm) else samples // 3
        for piece in list(pieces):
            if left <= 0:
                pieces.remove(piece)
                self._drop(piece)
            elif piece.size > left:
                piece.size = left
                if piece.data is not None:
                    self._bytes -= len(piece.data) - left
                    del piece.data[left:]
            left -= piece.size
        self._settle()

    def forget(self, item_id: str) -> None:
        for piece in self._items.pop(item_id, []):
            self._drop(piece)
        self._settle()

    def close(self) -> None:
        self._file.close()
        self._room.set()

    def _lose(self, item_id: str) -> None:
        """The item's audio is not kept any more, and what still comes of it is not either."""
        pieces = self._items[item_id]
        for piece in pieces:
            self._drop(piece)
        del pieces[1:]

    def _drop(self, piece: _Piece) -> None:
        if piece.data is not None:
            self._fresh.remove(piece)
            self._bytes -= len(piece.data)
            piece.data = None
        elif piece.length:
            self._packed.remove(piece)
        piece.length = 0

    def _settle(self) -> None:
        if self._bytes > self._memory and self._packing is None:
            self._packing = self._group.create_task(self._pack(), name="pack audio")
        if self.full:
            self._room.clear()
        else:
            self._room.set()

    # To the file and back ---------------------------------------------------------------------------

    async def _pack(self) -> None:
        """Move pieces to the file until memory is within its bound; the last may still grow."""
        while self._bytes > self._memory and len(self._fresh) > 1:
            piece = self._fresh[0]
            try:
                await self._move(piece)
            except Exception as error:  # a full disk is no reason to end a conversation
                log.warning("older audio of this session is not kept: %s", error)
                if not piece.lost:
                    self._lose(piece.item_id)
            self._settle()
        self._packing = None

    async def _move(self, piece: _Piece) -> None:
        assert piece.data is not None
        packed = await asyncio.to_thread(_encoded, bytes(piece.data), piece.format)
        at = self._file.place(len(packed))
        for other in list(self._packed):
            if other.at < at + len(packed) and at < other.at + other.length:
                self._lose(other.item_id)
        await asyncio.to_thread(self._file.write, at, packed)
        if piece.data is not None:  # it was not lost meanwhile
            self._fresh.popleft()
            self._packed.append(piece)
            self._bytes -= len(piece.data)
            piece.at, piece.length, piece.data = at, len(packed), None  # in this order: a thread may be reading

    async def _fetch(self, pieces: list[_Piece], then: Callable[[bytes | None], None]) -> None:
        audio: bytes | None = None
        try:
            found = [await asyncio.to_thread(self._read, piece) for piece in pieces]
            if not any(piece.lost for piece in pieces):  # whose place in the file others may have taken meanwhile
                audio = b"".join(found)
        except Exception as error:
            log.warning("the audio of an item cannot be read back: %s", error)
        finally:
            self._fetching -= 1
            self._settle()
        then(audio)

    def _read(self, piece: _Piece) -> bytes:
        data, size = piece.data, piece.size
        if data is not None:
            return bytes(data)
        return _decoded(self._file.read(piece.at, piece.length), piece.format, size)


def _encoded(data: bytes, format: Format) -> bytes:
    if isinstance(format, Pcm):
        return ogg.encode(data, RATE)
    decode = g711.alaw_decode if isinstance(format, Pcma) else g711.ulaw_decode
    return ogg.encode(decode(data), G711_RATE)


def _decoded(packed: bytes, format: Format, size: int) -> bytes:
    if isinstance(format, Pcm):
        return ogg.decode(packed, RATE, size // 2)
    encode = g711.alaw_encode if isinstance(format, Pcma) else g711.ulaw_encode
    return encode(ogg.decode(packed, G711_RATE, size))
