"""The recognitions of one session: each user item's audio is put into words once, and answers wait for
the words that they need."""

import asyncio
import logging
from collections.abc import Callable, Iterable

from vivavoce.audio.resample import convert
from vivavoce.models.interfaces import Hints, ModelError, Stt
from vivavoce.protocol.session.commands import RATE
from vivavoce.protocol.session.transcription import Heard, HeardFailed
from vivavoce.protocol.wire.config import Transcription
from vivavoce.protocol.wire.shape import get

__all__ = ["Recognition"]

log = logging.getLogger(__name__)


class Recognition:
    def __init__(self, stt: Stt, group: asyncio.TaskGroup, found: Callable[[str, Heard | HeardFailed], None]) -> None:
        """``found(item_id, result)`` is told of each result."""
        self._stt, self._group, self._found = stt, group, found
        self._running: dict[str, asyncio.Task[None]] = {}

    def start(self, item_id: str, pcm: bytes, hints: Transcription | None) -> None:
        """Recognise an item's audio (24 kHz PCM) beside everything else."""
        task = self._group.create_task(self._recognise(item_id, pcm, hints), name=f"recognise {item_id}")
        self._running[item_id] = task
        task.add_done_callback(lambda _: self._running.pop(item_id, None))

    async def known(self, item_ids: Iterable[str]) -> None:
        """Wait until the words of these items are known, or known to be lost."""
        tasks = [self._running[item_id] for item_id in item_ids if item_id in self._running]
        if tasks:
            await asyncio.wait(tasks)

    def forget(self, item_id: str) -> None:
        if task := self._running.get(item_id):
            task.cancel()

    async def _recognise(self, item_id: str, pcm: bytes, hints: Transcription | None) -> None:
        result: Heard | HeardFailed
        try:
            found = await self._stt.transcribe(convert(pcm, RATE, self._stt.rate), _hints(hints))
            result = Heard(found.text, tuple((each.token, each.logprob) for each in found.logprobs or ()) or None)
        except ModelError as error:
            result = HeardFailed(str(error))
        except Exception:
            log.exception("a recognition failed by a fault of ours")
            result = HeardFailed("The server failed to recognise this; say it again.")
        self._found(item_id, result)


def _hints(asked: Transcription | None) -> Hints:
    return Hints(get(asked.language, None), get(asked.prompt, None)) if asked else Hints()
