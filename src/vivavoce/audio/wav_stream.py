"""PCM that is still being sent, with the header of a WAV file before it or without."""

import struct

__all__ = ["PcmStream"]

MAX_HEADER = 4096
"""Bytes before the sound; most files have 44."""
_PCM, _EXTENSIBLE = 1, 0xFFFE
_UNKNOWN = (0, 0x7FFFFFFF)
"""Lengths that a writer puts down that does not know yet: none, or the most there can be and anything beyond."""


class PcmStream:
    """Mono 16-bit PCM; ``rate`` is what it has unless a header says otherwise."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self._head = b""
        self._begun = False
        self._left: int | None = None
        self._odd = b""

    def push(self, chunk: bytes) -> bytes:
        """The whole samples in what came; from the first of them on :attr:`rate` holds. Raises ``ValueError``, with
        half a sentence, for a header of anything but mono 16-bit PCM."""
        if not self._begun:
            self._head += chunk
            if (at := self._sound_at()) is None:
                return b""
            self._begun, chunk = True, self._head[at:]
        if self._left is not None:
            chunk = chunk[: self._left]
            self._left -= len(chunk)
        chunk = self._odd + chunk
        whole = len(chunk) // 2 * 2
        self._odd = chunk[whole:]
        return chunk[:whole]

    def _sound_at(self) -> int | None:
        """None where more bytes are needed to know."""
        head = self._head
        if not b"RIFF".startswith(head[:4]):
            return 0
        at, rate = 12, 0
        while at + 8 <= len(head):
            name, size = struct.unpack_from("<4sI", head, at)
            if name == b"data" and rate:
                self.rate, self._left = rate, size if _UNKNOWN[0] < size < _UNKNOWN[1] else None
                return at + 8
            if name == b"fmt " and at + 24 <= len(head):
                rate = _rate(head, at + 8)
            at += 8 + size + size % 2
        if at > MAX_HEADER:
            raise ValueError("its WAV header makes no sense")
        return None


def _rate(head: bytes, at: int) -> int:
    kind, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", head, at)
    if kind not in (_PCM, _EXTENSIBLE) or (channels, bits) != (1, 16) or not rate:
        raise ValueError(f"it has {channels} channels of {bits} bits, where one of 16 is wanted")
    return int(rate)
