"""eSpeak NG: a voice that speaks at once on any machine, in worker processes.

eSpeak NG is GPL-3.0: its library is loaded by ``espeak_worker`` alone, a program of its own that this
one only sends texts to.
"""

from collections.abc import AsyncGenerator, Sequence

import msgspec

from vivavoce.models.tts.espeak_voices import VOICES, voice_named
from vivavoce.models.tts.espeak_worker import RATE, Utterance
from vivavoce.models.tts.pieces import sayable
from vivavoce.models.worker.pool import WorkerPool

__all__ = ["EspeakTts"]

WORDS_PER_MINUTE = 165
"""At speed 1: an unhurried reader."""
SLOWEST = 80
"""Words a minute: eSpeak goes no slower, so slower speech is made of longer gaps between its words."""
GAP_UNIT = 0.038
"""Seconds that one unit of eSpeak's word gap lasts at :data:`SLOWEST`, measured."""


class EspeakTts:
    """Implements ``Tts``. Clauses take 5 ms for each second of speech, so few workers serve many."""

    rate = RATE
    name = "espeak"

    def __init__(self, workers: int = 2, language: str | None = None) -> None:
        """``language``: what is spoken where nobody names one; else English."""
        self._language = language
        self._pool = WorkerPool(
            "vivavoce.models.tts.espeak_worker", "The voice (eSpeak NG)", size=workers, max_waiting=64
        )

    async def warm(self) -> None:
        await self._pool.warm()

    def voices(self) -> Sequence[str]:
        return tuple(VOICES)

    async def speak(
        self, text: str, voice: str, speed: float, language: str | None = None
    ) -> AsyncGenerator[bytes, None]:
        if not sayable(text, speed):
            return
        chosen = voice_named(voice)
        words_per_minute, gap = _pace(speed)
        names = chosen.names(language or self._language)
        request = Utterance(text, names, chosen.pitch, chosen.volume, words_per_minute, gap)
        async for chunk in self._pool.ask(msgspec.json.encode(request)):
            yield chunk

    async def close(self) -> None:
        await self._pool.close()


def _pace(speed: float) -> tuple[int, int]:
    """eSpeak's words a minute and its word gap."""
    wanted = WORDS_PER_MINUTE * speed
    if wanted >= SLOWEST:
        return round(wanted), 0
    return SLOWEST, round((60 / wanted - 60 / SLOWEST) / GAP_UNIT)
