"""Piper: quick natural voices, one model for a language, one copy of it in a worker process.

``piper-tts`` is GPL-3.0: it is loaded by ``piper_worker`` alone, a program of its own that this one only sends
texts to.
"""

import importlib.util
from collections.abc import AsyncGenerator, Mapping, Sequence
from pathlib import Path
from zlib import crc32

import msgspec

from vivavoce.models.interfaces import ModelError
from vivavoce.models.tts.kokoro_voices import OPENAI
from vivavoce.models.tts.pieces import sayable
from vivavoce.models.tts.piper_worker import Utterance
from vivavoce.models.worker.pool import WorkerPool

__all__ = ["PiperTts", "Speakers"]

DEFAULT = "en_US-lessac-medium"
MOST_WAITING = 32
"""Clauses that may wait for the model: a tenth of a second each, as an order of magnitude."""


class _Audio(msgspec.Struct):
    sample_rate: int


class _Settings(msgspec.Struct):
    """What is needed here of NAME.onnx.json."""

    audio: _Audio
    num_speakers: int = 1
    speaker_id_map: dict[str, int] = msgspec.field(default_factory=dict)


class Speakers:
    """Who speaks for which name: OpenAI's spread evenly over all speakers, any other one by its hash."""

    def __init__(self, model: str, count: int, named: Mapping[str, int]) -> None:
        self._model, self._count, self._named = model, max(1, count), named
        apart = min(len(OPENAI), self._count)
        self._openai = {name: at % apart * self._count // apart for at, name in enumerate(OPENAI)}

    def speaker(self, name: str) -> int:
        if name in self._named:
            return self._named[name]
        known = self._openai.get(name.lower())
        return crc32(name.lower().encode()) % self._count if known is None else known

    def names(self) -> Sequence[str]:
        """Those that have a voice of their own; the name of the model where it has one alone."""
        if self._count == 1:
            return (self._model,)
        return (*list(self._openai)[: self._count], *self._named)


class PiperTts:
    """Implements ``Tts``, in the language of its model whatever is asked for."""

    name = "piper"

    def __init__(self, model: str = "", directory: Path | None = None) -> None:
        """``model``: such as ``de_DE-thorsten-medium``, whose files lie in ``directory``/piper, or where its .onnx file
        lies, with the .onnx.json beside it. Raises :class:`ModelError` where the package or a file is missing;
        nothing is downloaded."""
        if importlib.util.find_spec("piper") is None:
            raise ModelError("The voice (Piper) is not installed: pip install 'vivavoce[piper]'")
        file = _file(model or DEFAULT, directory or Path()).resolve()
        settings = _settings(file)
        self.rate = settings.audio.sample_rate
        self._speakers = Speakers(file.stem, settings.num_speakers, settings.speaker_id_map)
        self._pool = WorkerPool(
            "vivavoce.models.tts.piper_worker", "The voice (Piper)", size=1, max_waiting=MOST_WAITING,
            arguments=[str(file)],
        )  # fmt: skip

    async def warm(self) -> None:
        await self._pool.warm()

    def voices(self) -> Sequence[str]:
        """A model of one speaker gives every name the same voice, and has its own name alone here."""
        return self._speakers.names()

    async def speak(
        self, text: str, voice: str, speed: float, language: str | None = None
    ) -> AsyncGenerator[bytes, None]:
        if not sayable(text, speed):
            return
        async for chunk in self._pool.ask(msgspec.json.encode(Utterance(text, self._speakers.speaker(voice), speed))):
            yield chunk

    async def close(self) -> None:
        await self._pool.close()


def _file(model: str, directory: Path) -> Path:
    return Path(model) if model.endswith(".onnx") else directory / "piper" / f"{model}.onnx"


def _settings(file: Path) -> _Settings:
    beside = file.with_name(f"{file.name}.json")
    if missing := [str(each) for each in (file, beside) if not each.is_file()]:
        raise ModelError(f"The voice (Piper) lacks {' and '.join(missing)}: vivavoce models pull piper:{file.stem}")
    try:
        return msgspec.json.decode(beside.read_bytes(), type=_Settings)
    except msgspec.MsgspecError as error:
        raise ModelError(f"{beside} is no description of a voice of Piper: {error}.") from error
