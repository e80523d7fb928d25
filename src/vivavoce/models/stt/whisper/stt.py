"""Whisper (MIT) by faster-whisper: one model for the process, whose sessions share its batches.

``spans.py`` takes silence off, ``queue.py`` says whose turn it is, ``batch.py`` decodes, ``hearing.py`` hears a turn
while it is spoken. What was begun can be cancelled between its steps, of which the longest is to encode an utterance.
Nothing is ever downloaded here: the files lie in ``whisper/NAME`` below the directory of models.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from itertools import chain
from pathlib import Path

from vivavoce.models.interfaces import Hearing, Hints, ModelError, Transcript
from vivavoce.models.stt.whisper.batch import LONGEST, Window
from vivavoce.models.stt.whisper.decoder import Decoder
from vivavoce.models.stt.whisper.hearing import WhisperHearing
from vivavoce.models.stt.whisper.queue import WhisperQueue
from vivavoce.models.stt.whisper.spans import RATE, parts, trimmed

__all__ = ["WhisperStt"]

LEAST = LONGEST - 5 * 2 * RATE
"""Bytes of a part of what is longer than the model takes: it ends in the quietest moment of the next five seconds."""
AT_ONCE = 10 * 2 * RATE
"""Bytes that are looked over in the event loop, in less than a millisecond; more of it in a thread."""
NEEDED = ("model.bin", "config.json", "tokenizer.json")
"""Without the last, the library would fetch one."""


class WhisperStt:
    """Implements ``StreamingStt``. ``model``: the name of a folder in ``directory/whisper``, or a path. Raises
    :class:`ModelError` where files are missing."""

    rate = RATE

    def __init__(self, model: str = "base", directory: Path = Path("models"), language: str | None = None) -> None:
        """``language``: that of sessions which name none; without one it is found out."""
        folder = _folder(model, directory)
        self.name = f"whisper-{folder.name}"
        self._language = language
        self._queue = WhisperQueue(Decoder(folder))

    async def warm(self) -> None:
        await self._queue.warm()

    async def transcribe(self, pcm: bytes, hints: Hints) -> Transcript:
        cut = await asyncio.to_thread(_parts, pcm) if len(pcm) > AT_ONCE else _parts(pcm)
        language = hints.language or self._language
        heard = [await self._queue.heard(Window(part, language, hints.prompt or "")) for part in cut]
        text = "".join(chain.from_iterable(each.words for each in heard)).strip()
        return Transcript(text, tuple(chain.from_iterable(each.logprobs for each in heard)) or None)

    @asynccontextmanager
    async def hear(self, hints: Hints) -> AsyncGenerator[Hearing, None]:
        hearing = WhisperHearing(self._queue, hints, self._language)
        try:
            yield hearing
        finally:
            hearing.close()

    async def close(self) -> None:
        self._queue.close()


def _parts(pcm: bytes) -> list[bytes]:
    return list(parts(trimmed(pcm), LONGEST, LEAST))


def _folder(model: str, directory: Path) -> Path:
    is_path = len(Path(model).parts) > 1 or model.startswith((".", "~"))
    folder = Path(model).expanduser() if is_path else directory / "whisper" / model
    if missing := [name for name in NEEDED if not (folder / name).is_file()]:
        how = "Put them there" if is_path else f"Fetch them with: vivavoce models pull whisper:{model}"
        raise ModelError(f"Whisper lacks {', '.join(missing)} in {folder}. {how}.")
    return folder
