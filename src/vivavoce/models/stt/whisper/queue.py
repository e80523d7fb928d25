"""Who waits for the one Whisper of the process: windows of all sessions, decoded together where they can be.

What somebody waits for goes first, in the order in which it came. A look ahead, while somebody still speaks, is made
when nobody waits, and where it takes half a second at most; then it rests three times as long as it took. So what is
waited for finds the model busy with one in a quarter of the time, and for that half second. Whoever goes away makes
room; a batch for which nobody waits any more ends at its next step.
"""

import asyncio
import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from vivavoce.models.interfaces import ModelError
from vivavoce.models.stt.whisper.batch import Heard, Window
from vivavoce.models.stt.whisper.decoder import Decoder
from vivavoce.models.stt.whisper.spans import RATE

__all__ = ["WhisperQueue"]

MOST_WAITING = 32
"""Windows: one an utterance, of a longer one half a minute at a time."""
PATIENCE = 30.0
"""Seconds for a window of somebody who waits."""
MOST_TOGETHER = 4
"""Windows in a batch. It saves a tenth of the work, and none of it is ready before all is: while no more than these
wait, each is decoded by itself."""
LOOK, REST = 0.5, 3.0
"""Seconds that a look ahead may take; how many times as long there is none behind it."""


@dataclass(eq=False, slots=True)
class _Job:
    window: Window
    urgent: bool
    heard: asyncio.Future[Heard]

    @property
    def kind(self) -> tuple[bool, str, bool]:
        """What jobs of one batch have in common."""
        return self.urgent, self.window.prompt, bool(self.window.said)


class WhisperQueue:
    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder
        self._thread = ThreadPoolExecutor(1, "whisper")
        self._waiting: list[_Job] = []
        self._working: Sequence[_Job] = ()
        self._takes, self._rests_until = math.inf, 0.0
        self._wakes: asyncio.TimerHandle | None = None
        self._closed = False

    async def warm(self) -> None:
        """Load the model, and decode something. Raises :class:`ModelError`."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._decoder.load)
        await self.heard(Window(bytes(2 * RATE), "en"))

    @property
    def looks_ahead(self) -> bool:
        """Whether the last window was decoded so quickly that a look ahead holds nobody up."""
        return self._takes <= LOOK

    def ask(self, window: Window, *, urgent: bool = True) -> asyncio.Future[Heard]:
        """What is heard in it, or the :class:`ModelError` why not; whoever does not want it any more cancels it.
        Raises :class:`ModelError` where there is no room."""
        if self._closed:
            raise ModelError("Speech recognition (Whisper) has been shut down.")
        if len(self._waiting) >= MOST_WAITING:
            raise ModelError(
                f"Speech recognition (Whisper) is busy: {MOST_WAITING} pieces of speech wait. Try again in a moment."
            )
        job = _Job(window, urgent, asyncio.get_running_loop().create_future())
        job.heard.add_done_callback(lambda _: self._over(job))
        self._waiting.append(job)
        self._next()
        return job.heard

    async def heard(self, window: Window) -> Heard:
        """As :meth:`ask`, with :data:`PATIENCE`. To be cancelled cancels that too."""
        try:
            async with asyncio.timeout(PATIENCE):
                return await self.ask(window)
        except TimeoutError:
            raise ModelError(
                "Speech recognition (Whisper) takes too long on this machine. Choose a smaller one with --stt-model, "
                "such as base or tiny."
            ) from None

    def close(self) -> None:
        """Nobody is left to wait. Idempotent."""
        self._closed = True
        if self._wakes is not None:
            self._wakes.cancel()
        self._thread.shutdown(wait=False, cancel_futures=True)
        for job in (*self._waiting, *self._working):
            _tell(job, ModelError("Speech recognition (Whisper) has been shut down."))

    def _over(self, job: _Job) -> None:
        if job in self._waiting:
            self._waiting.remove(job)
        if not job.heard.cancelled():
            job.heard.exception()  # a look ahead that failed may be of no interest to anybody

    def _next(self) -> None:
        if self._working or self._closed:
            return
        loop = asyncio.get_running_loop()
        waiting = [job for job in self._waiting if not job.heard.done()]
        first = next((job for job in waiting if job.urgent), waiting[0] if waiting else None)
        if first is None:
            return
        if not first.urgent and loop.time() < self._rests_until:
            if self._wakes is None:
                self._wakes = loop.call_at(self._rests_until, self._wake)
            return
        alike = [job for job in waiting if job.kind == first.kind]
        batch = alike[: self._most(first.urgent, len(alike))]
        self._working = batch
        self._waiting = [job for job in self._waiting if job not in batch]
        began = loop.time()
        done = loop.run_in_executor(self._thread, self._decode, batch)
        done.add_done_callback(lambda done: self._done(batch, done, loop.time() - began))

    def _most(self, urgent: bool, waiting: int) -> int:
        """How many of those that could be decoded together are."""
        if urgent:
            return MOST_TOGETHER if waiting > MOST_TOGETHER else 1
        return max(1, min(MOST_TOGETHER, int(LOOK / self._takes)))

    def _wake(self) -> None:
        self._wakes = None
        self._next()

    def _decode(self, batch: Sequence[_Job]) -> Sequence[Heard | ModelError]:
        """In the thread."""
        return self._decoder.decode(
            [job.window for job in batch], wanted=lambda: any(not job.heard.done() for job in batch)
        )

    def _done(self, batch: Sequence[_Job], done: "asyncio.Future[Sequence[Heard | ModelError]]", took: float) -> None:
        self._working = ()
        if self._closed:
            return
        self._takes = took / len(batch)
        if not batch[0].urgent:
            self._rests_until = asyncio.get_running_loop().time() + REST * took
        error = done.exception()
        for job, heard in zip(batch, [error] * len(batch) if error else done.result(), strict=True):
            _tell(job, heard)
        self._next()


def _tell(job: _Job, heard: Heard | BaseException) -> None:
    if job.heard.done():
        return
    if isinstance(heard, BaseException):
        job.heard.set_exception(heard)
    else:
        job.heard.set_result(heard)
