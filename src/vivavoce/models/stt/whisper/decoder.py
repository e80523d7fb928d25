"""The one Whisper of the process: its files, and what a person is told where it cannot be loaded or fails.

All of this blocks, and is for one thread. CTranslate2 frees the GIL while it works.
"""

import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from vivavoce.models.interfaces import ModelError
from vivavoce.models.stt.whisper.batch import Batch, Heard, Window

__all__ = ["Decoder"]

_log = logging.getLogger(__name__)


class Decoder:
    """``folder`` has the model's files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._whisper: Any = None

    def load(self) -> None:
        """Raises :class:`ModelError`; the next call tries again."""
        from faster_whisper import WhisperModel

        if self._whisper is not None:
            return
        try:
            self._whisper = WhisperModel(
                str(self._folder),
                device="cpu",
                compute_type="int8",
                cpu_threads=min(4, os.cpu_count() or 1),
                local_files_only=True,
            )
        except MemoryError as error:
            raise self._no_memory() from error
        except Exception as error:  # the tokenizer's file raises nothing more special
            raise ModelError(
                f"{self._folder} holds no Whisper that can be loaded ({error}). Check its files: "
                f"vivavoce models pull whisper:{self._folder.name}"
            ) from error

    def decode(self, windows: Sequence[Window], wanted: Callable[[], bool]) -> list[Heard | ModelError]:
        """What is heard in each. All of them have the same ``prompt``, and all or none of them are begun (``said``).
        ``wanted`` is asked before each step, of which the longest is the first: the sound of the windows. Raises
        :class:`Unwanted` where it says no, :class:`ModelError` where none can be decoded."""
        self.load()
        try:
            return Batch(self._whisper, windows, wanted).decode()
        except MemoryError as error:
            raise self._no_memory() from error
        except (RuntimeError, ValueError) as error:  # what CTranslate2 raises
            _log.warning("Whisper failed", exc_info=error)
            raise ModelError(
                f"Speech recognition (Whisper) failed: {error}. If it does so again, check its files: "
                f"vivavoce models pull whisper:{self._folder.name}"
            ) from error

    def _no_memory(self) -> ModelError:
        return ModelError(
            f"This machine has too little memory for Whisper ({self._folder.name}). Choose a smaller one with "
            "--stt-model, such as base or tiny."
        )
