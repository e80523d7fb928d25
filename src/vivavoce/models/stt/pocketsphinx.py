"""PocketSphinx (BSD): recognises English in worker processes, with the model that its wheel carries.

Good on clear, close speech and short questions, at about a tenth of real time. It decodes whole
utterances: that hears better than streaming does (``pocketsphinx_worker`` has the settings).
"""

from vivavoce.audio.pcm import level_dbfs
from vivavoce.models.interfaces import Hints, ModelError, Transcript
from vivavoce.models.worker.pool import WorkerPool

__all__ = ["PocketSphinxStt"]

RATE = 16_000
SHORTEST = RATE // 10 * 2
"""Bytes in 100 ms: no word is shorter."""
QUIETEST = -60.0
"""dBFS. PocketSphinx finds a word in anything, so what is as good as silent is not shown to it."""


class PocketSphinxStt:
    """``workers`` utterances at a time; each worker takes about 90 MB. Implements ``Stt``."""

    rate = RATE
    name = "pocketsphinx"

    def __init__(self, workers: int = 2) -> None:
        self._pool = WorkerPool(
            "vivavoce.models.stt.pocketsphinx_worker", "Speech recognition (PocketSphinx)", size=workers
        )

    async def warm(self) -> None:
        """Load the model in every worker, about half a second each."""
        await self._pool.warm()

    async def transcribe(self, pcm: bytes, hints: Hints) -> Transcript:
        if hints.language and hints.language.lower().partition("-")[0] != "en":
            raise ModelError(
                f"PocketSphinx understands English only, not {hints.language!r}. "
                "Leave the transcription language out, set it to 'en', or choose another recogniser with --stt."
            )
        if len(pcm) < SHORTEST or level_dbfs(pcm) < QUIETEST:
            return Transcript("")
        words = b"".join([chunk async for chunk in self._pool.ask(pcm)])
        return Transcript(words.decode())

    async def close(self) -> None:
        await self._pool.close()
