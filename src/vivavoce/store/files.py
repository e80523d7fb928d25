"""Files of sessions: a directory for each, under the data directory, whose names nobody from outside can bend."""

import re
import shutil
from pathlib import Path
from typing import Final

__all__ = ["Files"]

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
"""No separator, no hidden file, nothing above."""


class Files:
    """Under ``directory``, which is made when there is something to put there. It blocks: it belongs in a thread."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def path(self, session_id: str, name: str) -> Path:
        """Where that file of the session is, or would be. Raises :class:`ValueError` for a name that is none."""
        for part in (session_id, name):
            if not _NAME.fullmatch(part):
                raise ValueError(f"{part[:128]!r} is no name of a file here")
        return self._directory / session_id / name

    def make(self, session_id: str, name: str) -> Path:
        """The same, in a directory that is there, and this user's alone. Raises :class:`OSError`."""
        path = self.path(session_id, name)
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        return path

    def delete(self, session_id: str) -> None:
        """All of the session's. Raises :class:`OSError` where one of them cannot be deleted."""
        if _NAME.fullmatch(session_id) and (directory := self._directory / session_id).is_dir():
            shutil.rmtree(directory)
