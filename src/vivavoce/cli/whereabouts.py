"""Where the server of a data directory listens: noted while it runs, so that other commands find it on whatever port.

A server that was killed leaves its note; so a note counts only while somebody listens there.
"""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

__all__ = ["address_of", "found", "local_address", "noted"]

FILE = "address"
SECONDS = 1.0
"""For a connection to this machine."""
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}


def local_address(host: str, port: int, *, https: bool) -> str:
    """By which programs of this machine reach a server that listens there: scheme, host and port."""
    return address_of(_EVERYWHERE.get(host, host), port, https=https)


def address_of(host: str, port: int, *, https: bool) -> str:
    return f"{'https' if https else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"


@contextmanager
def noted(directory: Path, address: str) -> Iterator[None]:
    """The note stands while the context lasts. Where it cannot be written there is none."""
    path = directory / FILE
    with suppress(OSError):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.write_text(address, "utf-8")
    try:
        yield
    finally:
        with suppress(OSError):
            if path.read_text("utf-8") == address:  # and not that of a server that was started since
                path.unlink()


def found(directory: Path) -> str | None:
    """The address of the server that runs with this data directory; None where none answers."""
    try:
        address = (directory / FILE).read_text("utf-8")
        parts = urlsplit(address)
        with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=SECONDS):
            return address
    except (OSError, ValueError):
        return None
