"""Whisper (MIT) by faster-whisper: one model for the process, one utterance at a time, in a thread of its own.

CTranslate2 frees the GIL while it works. What it has begun it ends, also for who has gone away; who waits and goes away
is never begun. Nothing is ever downloaded here: the files lie in ``whisper/NAME`` below the directory of models.
"""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from vivavoce.audio.pcm import level_dbfs
from vivavoce.models.interfaces import Hints, ModelError, Transcript

__all__ = ["WhisperStt"]

RATE = 16_000
SHORTEST = RATE // 10 * 2
"""Bytes in 100 ms: no word is shorter."""
QUIETEST = -60.0
"""dBFS. Whisper finds a sentence in silence, so what is as good as silent is not shown to it."""
MOST_ASKED = 16
"""Utterances that are worked on or wait."""
NEEDED = ("model.bin", "config.json", "tokenizer.json")
"""Without the last, the library would fetch one."""


class WhisperStt:
    """Implements ``Stt``. ``model``: the name of a folder in ``directory/whisper``, or a path. Raises
    :class:`ModelError` where files are missing."""

    rate = RATE

    def __init__(self, model: str = "small", directory: Path = Path("models"), language: str | None = None) -> None:
        """``language``: that of sessions which name none; without one it is found out."""
        self._folder = _folder(model, directory)
        self.name = f"whisper-{self._folder.name}"
        self._language = language
        self._whisper: Any = None
        self._thread = ThreadPoolExecutor(1, "whisper")
        self._asked = 0

    async def warm(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._loaded)

    async def transcribe(self, pcm: bytes, hints: Hints) -> Transcript:
        if len(pcm) < SHORTEST or level_dbfs(pcm) < QUIETEST:
            return Transcript("")
        if self._asked >= MOST_ASKED:
            raise ModelError(f"Speech recognition (Whisper) is busy: {self._asked} utterances wait. Try again soon.")
        self._asked += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, self._hear, pcm, hints)
        finally:
            self._asked -= 1

    async def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _hear(self, pcm: bytes, hints: Hints) -> Transcript:
        """In the thread. No log probabilities: the library tells their mean alone."""
        whisper = self._loaded()
        spoken = hints.language or self._language
        language = spoken.lower().partition("-")[0] if spoken else None
        if language and language not in whisper.supported_languages:
            raise ModelError(f"{self.name} does not understand {spoken!r}: choose another language or --stt-model.")
        segments, _ = whisper.transcribe(
            np.frombuffer(pcm, "<i2").astype(np.float32) / 32768,
            language=language,
            initial_prompt=hints.prompt,
            beam_size=1,
            temperature=0.0,
            condition_on_previous_text=False,
            without_timestamps=True,
            no_speech_threshold=0.6,  # with the next: what is neither speech nor likely is left out
            log_prob_threshold=-1.0,
        )
        return Transcript("".join(segment.text for segment in segments).strip())

    def _loaded(self) -> Any:
        """In the thread, which is the only one."""
        if self._whisper is None:
            from faster_whisper import WhisperModel

            try:
                self._whisper = WhisperModel(
                    str(self._folder),
                    device="cpu",
                    compute_type="int8",
                    cpu_threads=min(4, os.cpu_count() or 1),
                    local_files_only=True,
                )
            except (RuntimeError, ValueError) as error:
                raise ModelError(f"{self._folder} holds no Whisper that can be loaded: {error}") from error
        return self._whisper


def _folder(model: str, directory: Path) -> Path:
    is_path = len(Path(model).parts) > 1 or model.startswith((".", "~"))
    folder = Path(model).expanduser() if is_path else directory / "whisper" / model
    if missing := [name for name in NEEDED if not (folder / name).is_file()]:
        how = "Put them there" if is_path else f"Fetch them with: vivavoce models pull whisper:{model}"
        raise ModelError(f"Whisper lacks {', '.join(missing)} in {folder}. {how}.")
    return folder
