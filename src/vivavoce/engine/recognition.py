"""The recognitions of one session: each user item's audio is put into words once, and answers wait for
the words that they need."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from vivavoce.audio.resample import convert
from vivavoce.engine.made import Discarded
from vivavoce.models.interfaces import Hints, ModelError, Stt
from vivavoce.protocol.session.commands import RATE
from vivavoce.protocol.session.transcription import Heard, HeardFailed
from vivavoce.protocol.wire.config import Transcription
from vivavoce.protocol.wire.shape import get

__all__ = ["Recognition"]

log = logging.getLogger(__name__)

MAX_DRAFTS, MAX_OPINIONS = 3, 12
"""Pauses of one turn in which recognition begins early: to be sooner there, and where the turn's end hangs on it."""
MAX_DRAFT_SECONDS = 10
"""A longer turn is recognised once, at its end; only what its last words are is asked before."""
LAST_SECONDS = 5

AT_ONCE = 20 * RATE * 2
"""Bytes of audio that are made ready in the event loop, in 10 ms; more of it in a thread."""


_Found = tuple[Heard | HeardFailed, float]
"""And since when it has been there."""


@dataclass(slots=True)
class _Draft:
    item_id: str
    number: int
    """How many drafts this turn has had, with this one."""
    task: "asyncio.Task[_Found] | None"
    """None once it is of no use."""
    seconds: float
    """Of sound."""
    whole: bool
    """Whether it is about the turn from its beginning."""


class Recognition:
    """Recognition may begin before a turn has ended: in a pause that may be its end, on what was said so far. If
    nothing more was said, that draft is the result; it has had the length of the silence to be made in."""

    def __init__(
        self, stt: Stt, group: asyncio.TaskGroup, found: Callable[[str, Heard | HeardFailed, float], None]
    ) -> None:
        """``found(item_id, result, at)`` is told of each result, and since when it has been there."""
        self._stt, self._group, self._found = stt, group, found
        self._now = asyncio.get_running_loop().time
        self.discarded = Discarded()
        self._running: dict[str, asyncio.Task[None]] = {}
        self._draft: _Draft | None = None

    def draft(self, item_id: str, pcm: bytes, hints: Transcription | None, *, wanted: bool = False) -> None:
        """Begin on a turn that may go on, unless it is too long for that or has had its share of drafts; those that
        are ``wanted`` decide whether it has ended."""
        made = self._draft.number if self._draft and self._draft.item_id == item_id else 0
        whole = len(pcm) <= MAX_DRAFT_SECONDS * RATE * 2
        if made >= (MAX_OPINIONS if wanted else MAX_DRAFTS) or not (whole or wanted):
            return
        self._drop()
        pcm = pcm if whole else pcm[-LAST_SECONDS * RATE * 2 :]
        task = self._group.create_task(self._words(pcm, hints), name=f"draft {item_id}")
        self._draft = _Draft(item_id, made + 1, task, len(pcm) / 2 / RATE, whole)

    def whole(self, item_id: str) -> bool:
        """Whether the words of the draft are all that was said."""
        return self._draft is not None and self._draft.item_id == item_id and self._draft.whole

    async def drafted(self, item_id: str) -> str | None:
        """The words of the draft, or the last of them; None where there is none."""
        draft = self._draft
        if draft is None or draft.task is None or draft.item_id != item_id:
            return None
        task = draft.task
        await asyncio.wait([task])
        if task.cancelled():
            return None
        result, _ = task.result()
        return result.text if isinstance(result, Heard) else None

    def went_on(self, item_id: str) -> None:
        """More was said: the draft is of no use."""
        if self._draft and self._draft.item_id == item_id:
            self._drop()

    def _drop(self) -> None:
        if self._draft and self._draft.task:
            self._draft.task.cancel()
            self._draft.task = None
            self.discarded.recognised_seconds += self._draft.seconds

    def start(self, item_id: str, pcm: bytes, hints: Transcription | None) -> None:
        """Recognise an item's audio (24 kHz PCM) beside everything else."""
        draft = self._draft
        words = draft.task if draft and draft.item_id == item_id and draft.whole else None
        if words is None:
            self._drop()
        self._draft = None
        words = words or self._group.create_task(self._words(pcm, hints), name=f"words {item_id}")
        task = self._group.create_task(self._tell(item_id, words), name=f"recognise {item_id}")
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

    async def _tell(self, item_id: str, words: "asyncio.Task[_Found]") -> None:
        try:
            self._found(item_id, *await words)
        finally:
            words.cancel()

    async def _words(self, pcm: bytes, hints: Transcription | None) -> _Found:
        result = await self._result(pcm, hints)
        return result, self._now()

    async def _result(self, pcm: bytes, hints: Transcription | None) -> Heard | HeardFailed:
        try:
            found = await self._stt.transcribe(await _converted(pcm, self._stt.rate), _hints(hints))
            return Heard(found.text, tuple((each.token, each.logprob) for each in found.logprobs or ()) or None)
        except ModelError as error:
            return HeardFailed(str(error))
        except Exception:
            log.exception("a recognition failed by a fault of ours")
            return HeardFailed("The server failed to recognise this; say it again.")


async def _converted(pcm: bytes, rate: int) -> bytes:
    if len(pcm) > AT_ONCE:
        return await asyncio.to_thread(convert, pcm, RATE, rate)
    return convert(pcm, RATE, rate)


def _hints(asked: Transcription | None) -> Hints:
    return Hints(asked.spoken, get(asked.prompt, None)) if asked else Hints()
