"""Which files a model consists of, where they lie, and where they come from: data alone, nothing is fetched here."""

from dataclasses import dataclass
from pathlib import Path

__all__ = ["Files", "ModelFile"]


@dataclass(frozen=True, slots=True)
class ModelFile:
    path: str
    """Below the directory of models, with ``/``."""
    url: str
    size: int = 0
    """In bytes; 0: not known here."""
    sha256: str = ""
    """Empty: not known here. Then that of the first fetch is kept beside the file, and holds from there on."""


@dataclass(frozen=True, slots=True)
class Files:
    """What one model of an adapter needs."""

    model: str
    """Its name, as in ``--stt-model``; empty where the adapter has one alone."""
    files: tuple[ModelFile, ...]
    licence: str
    """SPDX where there is an identifier, else in words."""
    languages: str

    def present(self, directory: Path) -> bool:
        """By name and size; nothing is read."""
        return all(_there(directory / file.path, file.size) for file in self.files)

    @property
    def size(self) -> int:
        """Bytes, of the files whose size is known."""
        return sum(file.size for file in self.files)


def _there(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size if size else path.is_file()
    except OSError:
        return False
