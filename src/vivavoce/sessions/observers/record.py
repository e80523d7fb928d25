"""What of a session is to be written while it goes on: who spoke with whom, what was said, what it used. Beside the
stream: no session waits for a disk, and none ends because there is no room on one.

    told(frame) ──▶ waiting.py, by item ──▶ take(), when the ledger writes: all that wait ──▶ the store
    charged(…)  ──▶                    ◀── put_back() when it could not be written, and tried again

**Overflow.** What waits are items and not events, so a slow disk makes a batch larger and not the queue longer. Where
there is no more room all the same, new ones are lost and counted, and that is said. What was paid for is not dropped.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from contextvars import copy_context
from typing import Any, Final

from vivavoce.access.agents import Kept, at
from vivavoce.protocol.frame import AUDIO_DELTA, Closed, Frame
from vivavoce.sessions.filters import Observer
from vivavoce.sessions.notices import Notices
from vivavoce.sessions.observers.transcript import TOLD, Transcript
from vivavoce.sessions.observers.waiting import Taken, Waiting
from vivavoce.store.items import Item
from vivavoce.store.ledger import Ledger, why
from vivavoce.store.responses import Response
from vivavoce.store.sessions import Session
from vivavoce.store.writing import Batch

__all__ = ["Record"]

log = logging.getLogger(__name__)

AGAIN_SECONDS: Final = 0.25
"""At the end of a session there is no time to lose: so soon a disk that took nothing is tried again."""
TITLE, PREVIEW = 60, 120
"""Characters."""


class Record(Observer):
    """Of one live session, a :class:`Source` of the ``ledger`` while it runs. ``begun`` is its record as it begins, or
    the one that it goes on with. ``kept`` is asked with every frame: an agent that hands over may hand over to one that
    keeps less."""

    def __init__(
        self,
        ledger: Ledger,
        begun: Session,
        *,
        kept: Callable[[], Kept],
        now: Callable[[], float],
        notices: Notices,
        media: bool,
    ) -> None:
        self._ledger, self._begun, self._kept, self._now, self._notices = ledger, begun, kept, now, notices
        self._transcript = Transcript(now, media=media)
        self._waiting = Waiting()
        if begun.call_id:
            self._waiting.change["call_id"] = begun.call_id
        self._taken: Taken | None = None
        """What is being written."""
        self._facts: dict[str, str] = {}
        self._end: dict[str, Any] = {}
        """How it ended, once it has."""
        self._over = asyncio.Event()
        self._log = copy_context().run
        self._failing = self._known = False
        """``_known``: whether the store has the session itself."""
        self.lost = 0
        """Items, and costs of answers, that were not written down and never will be."""
        self.deleted = False
        """Somebody has deleted the session: nothing more is written of it."""

    # What happens ---------------------------------------------------------------------------------------

    def sees(self, type: str) -> bool:
        return type in (AUDIO_DELTA, "conversation.created") or type in TOLD

    def told(self, frame: Frame) -> None:
        if frame.type == AUDIO_DELTA:
            self._transcript.sound(frame)
            return
        self._learn(frame)
        try:
            items = self._transcript.told(frame)
        except Exception:  # whatever an upstream makes of the protocol, its session goes on
            log.exception("an event of the type %s is not written down", frame.type)
            return
        if items and self._kept() != "off":
            self._add(items)

    def charged(self, response: Response) -> None:
        """Something was used, as the meter has it."""
        self._waiting.pay(response)
        self._ledger.soon(self)

    def _learn(self, frame: Frame) -> None:
        if frame.type in ("session.created", "session.updated"):
            self._know("voice", at(frame.data, "session.audio.output.voice"))
        elif frame.type == "conversation.created":
            self._know("conversation_id", at(frame.data, "conversation.id"))
        elif frame.type == "response.created":
            self._know("conversation_id", at(frame.data, "response.conversation_id"))

    def _know(self, name: str, value: Any) -> None:
        if isinstance(value, str) and value != self._facts.get(name):
            self._facts[name] = self._waiting.change[name] = value
            self._ledger.soon(self)

    def _add(self, items: Iterable[Item]) -> None:
        for item in items:
            if not self._waiting.add(item):
                self._lose(1, f"{self._waiting.items} items wait for the store already")
                continue
            if item.words and item.place == "conversation":
                self._waiting.change["preview"] = _shortened(item.words, PREVIEW)
                if item.role == "user" and "title" not in self._facts:
                    self._know("title", _shortened(item.words, TITLE))
        self._ledger.soon(self)

    async def run(self) -> None:
        """Until :meth:`finish`, and all is written. Cancelled, it says what was lost."""
        try:
            self._ledger.soon(self)
            await self._over.wait()
            while self._waiting or self._taken:
                await self._ledger.flush()
                if self._failing:
                    await asyncio.sleep(AGAIN_SECONDS)
        finally:
            self._ledger.leave(self)
            if left := self._waiting.items + (len(self._taken.items) if self._taken else 0):
                self._lose(left, "the session is over and the store did not take them")
            self._waiting, self._taken = Waiting(), None

    async def finish(self, how: Closed) -> None:
        """The session is over."""
        if self._kept() != "off":
            self._add(self._transcript.rest())
        self._end = {"ended_at": self._now(), "end_reason": f"{how.code} {how.reason}".strip()}
        self._waiting.change |= self._end
        self._ledger.soon(self)
        self._over.set()

    # And is written -------------------------------------------------------------------------------------

    def take(self) -> Batch | None:
        if not self._waiting and self._known:
            return None
        self._taken = self._waiting.take()
        return Batch(
            session_id=self._begun.id,
            owner=self._begun.owner,
            now=self._now(),
            begun=None if self._known else self._begun,
            change={**self._taken.change, **self._end},
            items=self._taken.items,
            responses=self._taken.responses,
        )

    def written(self, *, there: bool) -> None:
        self._taken, self._known = None, True
        if not there and not self.deleted:
            self.deleted = True
            self._log(log.info, "the record of this session was deleted; nothing more is written in it")
        if self._failing:
            self._failing = False
            self._tell(True)
        if self._waiting:
            self._ledger.soon(self)

    def put_back(self, error: Exception) -> None:
        if self._taken is None:
            return  # nobody waits for it any more
        self._waiting.put_back(self._taken)
        self._taken = None
        if not self._failing:
            self._failing = True
            self._tell(False)
        self._ledger.soon(self)

    def lose(self, id: str, error: Exception) -> None:
        self._lose(1, f"the store cannot hold {id}: {why(error)}")

    def _lose(self, items: int, reason: str) -> None:
        if not self.lost:
            self._log(log.error, "what was said is not written down, from here on it is counted alone: %s", reason)
        self.lost += items
        self._tell(False)

    def _tell(self, written: bool) -> None:
        """``lost`` items are gone; while it is not ``written``, what is said waits in memory."""
        self._notices.tell("store", written=written, lost=self.lost)


def _shortened(words: str, characters: int) -> str:
    """On one line, whole words."""
    line = " ".join(words[: 4 * characters].split())
    if len(line) <= characters:
        return line
    return (line[:characters].rpartition(" ")[0] or line[: characters - 1]) + "…"
