"""Server-sent events (WHATWG HTML, 9.2), sans-I/O: bytes in, cut wherever they are, and the data of each event out."""

__all__ = ["MAX_EVENT", "Events", "TooLong"]

MAX_EVENT = 1024 * 1024
"""Bytes of one event."""


class TooLong(Exception):
    """An event has more than :data:`MAX_EVENT` bytes."""


class Events:
    """Comments, names and ids of events are passed over."""

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []

    def push(self, chunk: bytes) -> list[bytes]:
        """The data of the events that this completes. Raises :class:`TooLong`."""
        text = self._rest + chunk
        held = b""
        if b"\r" in text:
            if text.endswith(b"\r"):  # half of a line's end, perhaps
                text, held = text[:-1], b"\r"
            text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *lines, rest = text.split(b"\n")
        self._rest = rest + held
        found = [data for line in lines if (data := self._line(line)) is not None]
        if len(self._rest) + sum(map(len, self._data)) > MAX_EVENT:
            raise TooLong
        return found

    def finish(self) -> list[bytes]:
        """The event that a server did not complete before it left. The rule is to drop it; some end so."""
        return self.push(b"\n\n")

    def _line(self, line: bytes) -> bytes | None:
        if line.startswith(b"data:"):
            self._data.append(line[6:] if line[5:6] == b" " else line[5:])
        elif not line and self._data:
            data, self._data = b"\n".join(self._data), []
            return data
        return None
