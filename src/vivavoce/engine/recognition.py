"""The recognitions of one session: each user item's audio is put into words once, and answers wait for
the words that they need."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass

from vivavoce.audio.resample import convert
from vivavoce.engine.hearings import Hearings, TurnHearing
from vivavoce.engine.made import Discarded
from vivavoce.models.interfaces import HearingLost, Hints, ModelError, Stt, Transcript
from vivavoce.protocol.session.commands import RATE, Span
from vivavoce.protocol.session.transcription import Heard, HeardFailed
from vivavoce.protocol.wire.config import Transcription
from vivavoce.protocol.wire.shape import get

__all__ = ["Recognition", "hints"]

log = logging.getLogger(__name__)

MAX_DRAFTS, MAX_OPINIONS = 3, 12
"""Pauses of one turn in which words are asked for: to be sooner there, and where they cost little or the turn's end
hangs on them."""
MAX_DRAFT_SECONDS = 10
"""A longer turn that is not heard while it is spoken is recognised once, at its end; only what its last words are is
asked before."""
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
    task: "asyncio.Task[_Found | None] | None"
    """None once it is of no use."""
    again: float
    """Seconds of sound that are recognised once more if the speaker goes on."""
    whole: bool
    """Whether it is about the turn from its beginning."""


class Recognition:
    """Recognition may begin before a turn has ended: while it is spoken (:class:`Hearings`), or in a pause that may be
    its end, on what was said so far. If nothing more was said, that draft is the result; it has had the length of the
    silence to be made in."""

    def __init__(
        self,
        stt: Stt,
        hearings: Hearings,
        group: asyncio.TaskGroup,
        found: Callable[[str, Heard | HeardFailed, float], None],
        steady: Callable[[str, str], None],
    ) -> None:
        """``found(item_id, result, at)`` is told of each result, and since when it has been there; ``steady(item_id,
        words)`` of an item's first words, where they are known before that."""
        self._stt, self._hearings, self._group, self._found, self._steady = stt, hearings, group, found, steady
        self._now = asyncio.get_running_loop().time
        self.discarded = Discarded()
        self._running: dict[str, asyncio.Task[None]] = {}
        self._draft: _Draft | None = None

    def draft(self, item_id: str, span: Span, asked: Hints, *, wanted: bool = False) -> None:
        """Find the words of a turn that may go on, unless it is too long for that or has had its share of drafts; those
        that are ``wanted`` decide whether it has ended."""
        made = self._draft.number if self._draft and self._draft.item_id == item_id else 0
        short = span.end - span.start <= MAX_DRAFT_SECONDS * RATE
        hearing = self._hearings.reach(item_id, span, asked)
        if made >= (MAX_OPINIONS if wanted or hearing else MAX_DRAFTS) or not (short or wanted or hearing):
            return
        self._drop()
        last = span if short else Span(span.end - LAST_SECONDS * RATE, span.end)
        pcm = self._hearings.cut(last) if short or hearing is None else None
        task = self._group.create_task(self._words(pcm, asked, hearing), name=f"draft {item_id}")
        again = 0.0 if hearing else (last.end - last.start) / RATE
        self._draft = _Draft(item_id, made + 1, task, again, short or hearing is not None)

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
        found = None if task.cancelled() else task.result()
        return found[0].text if found and isinstance(found[0], Heard) else None

    def went_on(self, item_id: str, heard: int) -> None:
        """More was said, of which the input up to ``heard`` is known: the draft is of no use."""
        self._hearings.went_on(item_id, heard)
        if self._draft and self._draft.item_id == item_id:
            self._drop()

    def _drop(self) -> None:
        if self._draft and self._draft.task:
            self._draft.task.cancel()
            self._draft.task = None
            self.discarded.recognised_seconds += self._draft.again

    def start(self, item_id: str, pcm: bytes, asked: Hints, begins: int = 0) -> None:
        """Recognise an item's audio (24 kHz PCM) beside everything else; in the input it ``begins`` at this sample."""
        draft, hearing = self._draft, self._hearings.take(item_id, asked)
        words = draft.task if draft and draft.item_id == item_id and draft.whole else None
        if words is None:
            self._drop()
            if hearing is not None:
                hearing.feed(pcm[2 * max(0, hearing.fed - begins) :])
            words = self._group.create_task(self._words(pcm, asked, hearing), name=f"words {item_id}")
        self._draft = None
        if hearing is not None and hearing.steady:
            self._steady(item_id, hearing.steady)
        task = self._group.create_task(self._tell(item_id, words, pcm, asked, hearing), name=f"recognise {item_id}")
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

    async def _tell(
        self, item_id: str, words: "asyncio.Task[_Found | None]", pcm: bytes, asked: Hints, hearing: TurnHearing | None
    ) -> None:
        try:
            found = await words or await self._words(pcm, asked, None)
            assert found, "there is the sound"
            self._found(item_id, *found)
        finally:
            words.cancel()
            if hearing is not None:
                hearing.close()

    async def _words(self, pcm: bytes | None, asked: Hints, hearing: TurnHearing | None) -> _Found | None:
        """None where the hearing is lost, and the sound not given."""
        result: Heard | HeardFailed
        try:
            found = await self._transcript(pcm, asked, hearing)
            if found is None:
                return None
            result = Heard(found.text, tuple((each.token, each.logprob) for each in found.logprobs or ()) or None)
        except ModelError as error:
            result = HeardFailed(str(error))
        except Exception:
            log.exception("a recognition failed by a fault of ours")
            result = HeardFailed("The server failed to recognise this; say it again.")
        return result, self._now()

    async def _transcript(self, pcm: bytes | None, asked: Hints, hearing: TurnHearing | None) -> Transcript | None:
        if hearing is not None:
            with suppress(HearingLost):
                return await hearing.words()
        return None if pcm is None else await self._stt.transcribe(await _converted(pcm, self._stt.rate), asked)


async def _converted(pcm: bytes, rate: int) -> bytes:
    if len(pcm) > AT_ONCE:
        return await asyncio.to_thread(convert, pcm, RATE, rate)
    return convert(pcm, RATE, rate)


def hints(asked: Transcription | None) -> Hints:
    return Hints(asked.spoken, get(asked.prompt, None)) if asked else Hints()
