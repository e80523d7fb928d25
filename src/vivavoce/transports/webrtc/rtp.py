"""RTP packets of sound, as they lie in a datagram (RFC 3550, 5.1). Pure.

Of what comes only that is read which a listener needs; aiortc would make an object of each, with its extensions.
"""

from struct import Struct
from typing import NamedTuple

__all__ = ["Header", "Received", "mid_extension", "read"]

_FIXED, _EXTENSION = Struct("!BBHLL"), Struct("!HH")
_ONE_BYTE = 0xBEDE
"""The profile of short extensions (RFC 8285, 4.2)."""
MARKER = 0x80


class Received(NamedTuple):
    payload_type: int
    sequence_number: int
    timestamp: int
    ssrc: int
    payload: bytes


class Header:
    """What stands before each payload of one stream that we send."""

    def __init__(self, payload_type: int, ssrc: int, extension: bytes) -> None:
        self._payload_type, self._ssrc, self._extension = payload_type, ssrc, extension
        self._first = 0x90 if extension else 0x80  # version 2, and whether an extension follows

    def before(self, payload: bytes, sequence: int, timestamp: int, *, begins: bool) -> bytes:
        """The packet. ``begins``: the first after a silence (RFC 3551, 4.1)."""
        second = self._payload_type | (MARKER if begins else 0)
        return _FIXED.pack(self._first, second, sequence, timestamp, self._ssrc) + self._extension + payload


def mid_extension(number: int | None, mid: str) -> bytes:
    """Which section of the offer a packet belongs to (RFC 8843, 15.2); nothing where no number was agreed on, or the
    name is too long for a short extension."""
    name = mid.encode()
    if number is None or not 0 < len(name) <= 16:
        return b""
    value = bytes([number << 4 | len(name) - 1]) + name
    value += bytes(-len(value) % 4)
    return _EXTENSION.pack(_ONE_BYTE, len(value) // 4) + value


def read(data: bytes) -> Received | None:
    """None for what is no RTP."""
    if len(data) < _FIXED.size:
        return None
    first, second, sequence, timestamp, ssrc = _FIXED.unpack_from(data)
    start, end = _FIXED.size + 4 * (first & 0x0F), len(data)
    if first & 0x10:  # an extension
        if end < start + _EXTENSION.size:
            return None
        start += _EXTENSION.size + 4 * _EXTENSION.unpack_from(data, start)[1]
    if first & 0x20:  # padding, whose last byte is its length
        end -= data[-1]
        if not data[-1]:
            return None
    if first >> 6 != 2 or start > end:
        return None
    return Received(second & 0x7F, sequence, timestamp, ssrc, data[start:end])
