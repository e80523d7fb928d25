"""Turns that are put into words while they are spoken: how the sound of each gets to a recogniser's hearing.

    the turn goes on ──a batch of sound──▶ feed ──┐
    a pause ──the rest of it──▶ feed, words ──────┴─▶ its words so far, or that the hearing is lost

One task a turn feeds its hearing. It is a head start: whoever asks has the sound too, and recognises that where a
hearing is lost. Silence between turns is never fed, and of a pause in a turn only its end.
"""

import asyncio
import logging
import math
from collections.abc import Callable
from typing import Any

from vivavoce.audio.resample import Resampler
from vivavoce.models.interfaces import Hearing, HearingLost, Hints, ModelError, StreamingStt, Stt, Transcript
from vivavoce.protocol.session.commands import RATE, Span, Turn

__all__ = ["FEED", "MOST", "Hearings", "TurnHearing"]

log = logging.getLogger(__name__)

FEED = RATE * 160 // 1000
"""Samples of a batch."""
KEPT_SILENCE = RATE * 300 // 1000
"""Of a long pause that the speaker went on after."""
MOST_WAITING = 20 * RATE * 2
"""Bytes that wait for a recogniser that is behind; with more the hearing is given up."""
MOST = 3
"""Hearings that a session has open: of the turn under way, and of those whose last words are still being found."""


class TurnHearing:
    """The hearing of one turn, from input sample ``start`` on; ``fed`` is up to where it was given."""

    def __init__(self, stt: StreamingStt, item_id: str, hints: Hints, start: int, group: asyncio.TaskGroup) -> None:
        self.item_id, self.hints, self.fed = item_id, hints, start
        self.steady = ""
        """As :attr:`Hearing.steady`."""
        self._resampler = Resampler(RATE, stt.rate)
        self._waiting = bytearray()
        self._asked: asyncio.Future[Transcript] | None = None
        self._stirred = asyncio.Event()
        self._failure: str | None = None
        self.task = group.create_task(self._listen(stt), name=f"hearing {item_id}")
        """Ends when the hearing is lost or closed, and frees whatever worked for it."""

    def feed(self, pcm: bytes) -> None:
        """The sound that follows, 24 kHz."""
        self.fed += len(pcm) // 2
        self._waiting += pcm
        self._stirred.set()
        if len(self._waiting) > MOST_WAITING:
            log.info("a recogniser has fallen behind; the turn will be recognised as a whole")
            self.close()

    async def words(self) -> Transcript:
        """Of all that was fed. Raises as :meth:`Hearing.words`; to be cancelled does the hearing no harm."""
        asked: asyncio.Future[Transcript] = asyncio.get_running_loop().create_future()
        self._asked = asked
        self._stirred.set()
        try:
            either: list[asyncio.Future[Any]] = [asked, self.task]
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            answered = asked.done()
            asked.cancel()
        if answered:
            return asked.result()
        raise ModelError(self._failure) if self._failure else HearingLost

    def close(self) -> None:
        self.task.cancel()
        self._waiting.clear()

    async def _listen(self, stt: StreamingStt) -> None:
        try:
            async with stt.hear(self.hints) as hearing:
                while True:
                    await self._stirred.wait()
                    self._stirred.clear()
                    await self._catch_up(hearing)
        except HearingLost as lost:
            log.info("a turn will be recognised as a whole: %s", lost)
        except ModelError as error:
            self._failure = str(error)
        except Exception:
            log.exception("a hearing failed by a fault of ours")

    async def _catch_up(self, hearing: Hearing) -> None:
        while self._waiting:
            pcm = bytes(self._waiting)
            self._waiting.clear()
            await hearing.feed(self._resampler.push(pcm))
        asked = self._asked
        if asked is not None and not asked.done():
            words = await hearing.words()
            if not asked.done():
                asked.set_result(words)
        self.steady = hearing.steady


class Hearings:
    """Those of one session. ``cut`` gives the sound of a span."""

    def __init__(self, stt: Stt, group: asyncio.TaskGroup, cut: Callable[[Span], bytes]) -> None:
        self._stt = stt if isinstance(stt, StreamingStt) else None
        self._group, self.cut = group, cut
        self._current: TurnHearing | None = None
        self._open = 0
        self.due: float = 0 if self._stt else math.inf
        """The input sample from which on :meth:`look` has something to do."""

    def look(self, turn: Turn | None, hints: Hints, received: int) -> None:
        """The turn as it is now, a batch after the last look."""
        self.due = received + FEED
        if self._current is not None and (turn is None or turn.item_id != self._current.item_id):
            self._drop()
        if turn is not None and not turn.quiet:
            self.reach(turn.item_id, turn.span, hints)

    def reach(self, item_id: str, span: Span, hints: Hints) -> TurnHearing | None:
        """The hearing of this turn, once the sound up to the end of the span is on its way to it."""
        hearing = self._current
        if hearing is None or (hearing.item_id, hearing.hints) != (item_id, hints):
            hearing = self._begin(item_id, span.start, hints)
        if hearing is None or hearing.task.done():
            return None
        if span.end > hearing.fed:
            hearing.feed(self.cut(Span(hearing.fed, span.end)))
        return hearing

    def went_on(self, item_id: str, heard: int) -> None:
        """After a pause, which is not fed."""
        if self._current is not None and self._current.item_id == item_id:
            self._current.fed = max(self._current.fed, heard - KEPT_SILENCE)

    def take(self, item_id: str, hints: Hints) -> TurnHearing | None:
        """The turn is over: its hearing is the caller's, to be closed."""
        hearing = self._current
        if hearing is None or (hearing.item_id, hearing.hints) != (item_id, hints):
            return None
        self._current = None
        return hearing

    def _begin(self, item_id: str, start: int, hints: Hints) -> TurnHearing | None:
        self._drop()
        if self._stt is None or self._open >= MOST:
            return None
        hearing = self._current = TurnHearing(self._stt, item_id, hints, start, self._group)
        self._open += 1
        hearing.task.add_done_callback(self._closed)
        return hearing

    def _drop(self) -> None:
        if self._current is not None:
            self._current.close()
            self._current = None

    def _closed(self, _: asyncio.Task[None]) -> None:
        self._open -= 1
