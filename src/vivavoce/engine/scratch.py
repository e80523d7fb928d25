"""A file for what a session need not hold in memory: so large at most, and written over from its beginning when full.

It has no name in the file system and no other user can read it, so it is gone when it is closed, or with the process.
"""

import tempfile
import threading
from pathlib import Path
from typing import IO

__all__ = ["Scratch"]


class Scratch:
    """``write`` and ``read`` block, and belong in a thread. The file is made when it is first written to."""

    def __init__(self, directory: Path | None, size: int) -> None:
        self._directory, self._size = directory, size
        self._end = 0
        self._file: IO[bytes] | None = None
        self._closed = False
        self._one_at_a_time = threading.Lock()

    def place(self, length: int) -> int:
        """Where the next ``length`` bytes go; what was there will be lost."""
        start = self._end if self._end + length <= self._size else 0
        self._end = start + length
        return start

    def write(self, at: int, data: bytes) -> None:
        """Raises ``OSError``."""
        with self._one_at_a_time:
            file = self._opened()
            file.seek(at)
            file.write(data)
            file.flush()

    def read(self, at: int, length: int) -> bytes:
        """Raises ``OSError``."""
        with self._one_at_a_time:
            file = self._opened()
            file.seek(at)
            return file.read(length)

    def close(self) -> None:
        with self._one_at_a_time:
            self._closed = True
            if self._file is not None:
                self._file.close()

    def _opened(self) -> IO[bytes]:
        if self._closed:
            raise OSError("the session has ended")
        if self._file is None:
            if self._directory is not None:
                self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = tempfile.TemporaryFile(dir=self._directory)  # noqa: SIM115
        return self._file
