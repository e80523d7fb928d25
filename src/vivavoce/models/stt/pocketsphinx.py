"""PocketSphinx (BSD): recognises English in worker processes, with the model that its wheel carries.

Good on clear, close speech and short questions, at about a tenth of real time. A turn that is heard while it is spoken
has a worker of its own until it is over, as a decoder can't be shared: three at most do at a time, and two workers are
left for whole utterances, among them the turns that there was no place for.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from vivavoce.audio.pcm import level_dbfs
from vivavoce.models.interfaces import HearingLost, Hints, ModelError, Transcript
from vivavoce.models.stt.pocketsphinx_asks import Ask
from vivavoce.models.worker.pool import Run, WorkerPool

__all__ = ["PocketSphinxStt"]

RATE = 16_000
SHORTEST = RATE // 10 * 2
"""Bytes in 100 ms: no word is shorter."""
QUIETEST = -60.0
"""dBFS. PocketSphinx finds a word in anything, so what is as good as silent is not shown to it."""
WORKERS, HEARINGS = 5, 3
READY = 2
"""Workers that are started ahead of time; the others when so many are needed."""
LONGEST = 60 * RATE * 2
"""Bytes of a turn that is heard while it is spoken; one without end gives up its worker."""


class PocketSphinxStt:
    """``workers`` utterances at a time; ``hearings`` of them, but never all, for as long as their turns last. Each
    worker that is needed takes about 90 MB. Implements ``StreamingStt``."""

    rate = RATE
    name = "pocketsphinx"

    def __init__(self, workers: int = WORKERS, hearings: int = HEARINGS) -> None:
        self._pool = WorkerPool(
            "vivavoce.models.stt.pocketsphinx_worker", "Speech recognition (PocketSphinx)", size=workers
        )
        self._places = min(hearings, workers - 1)

    async def warm(self) -> None:
        """Load the model in the first workers, about half a second each."""
        await self._pool.warm(READY)

    async def transcribe(self, pcm: bytes, hints: Hints) -> Transcript:
        _check(hints)
        if _silent(pcm):
            return Transcript("")
        async with self._pool.lease() as run:
            return Transcript(await _reply(run, Ask.WHOLE, pcm))

    @asynccontextmanager
    async def hear(self, hints: Hints) -> AsyncIterator["PocketSphinxHearing"]:
        _check(hints)
        if not self._places:
            raise HearingLost("PocketSphinx hears as many turns as it can")
        self._places -= 1
        try:
            async with self._pool.lease() as run:
                yield PocketSphinxHearing(run)
        finally:
            self._places += 1

    async def close(self) -> None:
        await self._pool.close()


class PocketSphinxHearing:
    """Implements ``Hearing``."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._fed = 0
        self._loud = False
        self.steady = ""

    async def feed(self, pcm: bytes) -> None:
        if self._fed >= LONGEST:
            raise HearingLost("the turn is too long for PocketSphinx to hear as it goes")
        ask = Ask.FEED if self._fed else Ask.BEGIN
        self._fed += len(pcm)
        self._loud = self._loud or not _silent(pcm)
        self.steady = await self._reply(ask, pcm)

    async def words(self) -> Transcript:
        return Transcript(await self._reply(Ask.WORDS) if self._loud else "")

    async def _reply(self, ask: Ask, pcm: bytes = b"") -> str:
        try:
            return await _reply(self._run, ask, pcm)
        except ModelError as error:
            raise HearingLost(str(error)) from error


def _check(hints: Hints) -> None:
    if hints.language and hints.language.lower().partition("-")[0] != "en":
        raise ModelError(
            f"PocketSphinx understands English only, not {hints.language!r}. "
            "Leave the transcription language out, set it to 'en', or choose another recogniser with --stt."
        )


def _silent(pcm: bytes) -> bool:
    return len(pcm) < SHORTEST or level_dbfs(pcm) < QUIETEST


async def _reply(run: Run, ask: Ask, pcm: bytes = b"") -> str:
    return b"".join([chunk async for chunk in run(ask + pcm)]).decode()
