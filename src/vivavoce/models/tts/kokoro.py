"""Kokoro: 54 natural voices in nine languages on the CPU, one copy of the model in a worker process.

Its weights are Apache-2.0 and ``kokoro-onnx`` is MIT, but that has its phonemes from ``phonemizer`` and eSpeak NG,
both GPL-3.0: it is loaded by ``kokoro_worker`` alone, a program of its own that this one only sends texts to.
"""

import importlib.util
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

import msgspec

from vivavoce.models.interfaces import ModelError
from vivavoce.models.tts.kokoro_voices import OPENAI, VOICES, language_of, voice_named
from vivavoce.models.tts.kokoro_worker import RATE, Utterance
from vivavoce.models.tts.pieces import sayable
from vivavoce.models.worker.pool import WorkerPool

__all__ = ["KokoroTts"]

MOST_WAITING = 16
"""Clauses that may wait for the model: a second each, as an order of magnitude."""
SLOWEST = 0.5
"""The model goes no slower, and slower speech is spoken at this speed."""


class KokoroTts:
    """Implements ``Tts``. One clause is made after the other: the model uses all cores for each."""

    rate = RATE
    name = "kokoro"

    def __init__(self, model: str = "", directory: Path | None = None, language: str | None = None) -> None:
        """``model``: the folder of its two files, else ``directory``/kokoro. ``language``: what is spoken where nobody
        names one. Raises :class:`ModelError` where the package or a file is missing; nothing is downloaded."""
        if importlib.util.find_spec("kokoro_onnx") is None:
            raise ModelError("The voice (Kokoro) is not installed: pip install 'vivavoce[kokoro]'")
        self._language = language
        folder = Path(model) if model else (directory or Path()) / "kokoro"
        files = [(folder / name).resolve() for name in ("kokoro-v1.0.onnx", "voices-v1.0.bin")]
        if missing := [str(file) for file in files if not file.is_file()]:
            raise ModelError(f"The voice (Kokoro) lacks {' and '.join(missing)}: vivavoce models pull kokoro")
        self._pool = WorkerPool(
            "vivavoce.models.tts.kokoro_worker", "The voice (Kokoro)", size=1, max_waiting=MOST_WAITING,
            arguments=[str(file) for file in files],
        )  # fmt: skip

    async def warm(self) -> None:
        await self._pool.warm()

    def voices(self) -> Sequence[str]:
        return (*OPENAI, *VOICES)

    async def speak(
        self, text: str, voice: str, speed: float, language: str | None = None
    ) -> AsyncGenerator[bytes, None]:
        if not sayable(text, speed):
            return
        chosen = voice_named(voice)
        request = Utterance(text, chosen, max(speed, SLOWEST), language_of(chosen, language or self._language))
        async for chunk in self._pool.ask(msgspec.json.encode(request)):
            yield chunk

    async def close(self) -> None:
        await self._pool.close()
