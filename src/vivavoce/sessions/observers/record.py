"""Writes a session down while it goes on: who spoke with whom, what was said, what it used. Beside the stream: no
session waits for a disk, and none ends because there is no room on one.

    told(frame) ──▶ waiting.py, by item ──▶ run(): all that wait, in one transaction ──▶ the store
    charged(…)  ──▶                    ◀── put back when it could not be written, and tried again

**Overflow.** What waits are items and not events, so a slow disk makes a batch larger and not the queue longer. Where
there is no more room all the same, new ones are lost and counted, and that is said. What was paid for is not dropped.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

from sqlalchemy.exc import DBAPIError, OperationalError

from vivavoce.access.agents import Kept, at
from vivavoce.protocol.frame import AUDIO_DELTA, Closed, Frame
from vivavoce.sessions.filters import Observer
from vivavoce.sessions.notices import Notices
from vivavoce.sessions.observers.transcript import Transcript
from vivavoce.sessions.observers.waiting import Waiting
from vivavoce.store.items import Item
from vivavoce.store.ledger import Batch
from vivavoce.store.responses import Response
from vivavoce.store.sessions import Session

__all__ = ["Record"]

log = logging.getLogger(__name__)

PAUSES: Final = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds before it is tried again; the last one for good."""
TITLE, PREVIEW = 60, 120
"""Characters."""


class Record(Observer):
    """Of one live session. ``begun`` is its record as it begins, or the one that it goes on with. ``kept`` is asked
    with every frame, since an agent that hands over may hand over to one that keeps less; ``write`` is
    :meth:`Ledger.write`."""

    def __init__(
        self,
        write: Callable[[Batch], Awaitable[bool]],
        begun: Session,
        *,
        kept: Callable[[], Kept],
        now: Callable[[], float],
        notices: Notices,
        media: bool,
    ) -> None:
        self._write, self._begun, self._kept, self._now, self._notices = write, begun, kept, now, notices
        self._transcript = Transcript(now, media=media)
        self._waiting = Waiting()
        self._waiting.change |= {"ended_at": None, "end_reason": None}  # one that goes on has no end any more
        if begun.call_id:
            self._waiting.change["call_id"] = begun.call_id
        self._facts: dict[str, str] = {}
        self._title: str | None = None
        self._something = asyncio.Event()
        self._something.set()
        self._over = asyncio.Event()
        self._failures = 0
        self._known = False
        """Whether the store has the session itself."""
        self.lost = 0
        """Items that were not written down, and never will be."""
        self.deleted = False
        """Somebody has deleted the session: nothing more is written of it."""

    # What happens ---------------------------------------------------------------------------------------

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
        self._something.set()

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
            self._something.set()

    def _add(self, items: Iterable[Item]) -> None:
        for item in items:
            if not self._waiting.add(item):
                self._lose(1, f"{self._waiting.items} items wait for the store already")
                continue
            if item.words and item.place == "conversation":
                self._waiting.change["preview"] = _shortened(item.words, PREVIEW)
                if item.role == "user" and self._title is None:
                    self._title = _shortened(item.words, TITLE)
        self._something.set()

    # And is written -------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Until :meth:`finish`, and all is written. Cancelled, it says what was lost."""
        try:
            while self._waiting or not self._over.is_set():
                if not self._waiting:
                    self._something.clear()
                    await self._something.wait()
                elif not await self._flush():
                    await self._pause()
        finally:
            if self._waiting.items:
                self._lose(self._waiting.items, "the session is over and the store did not take them")

    async def finish(self, how: Closed) -> None:
        """The session is over."""
        if self._kept() != "off":
            self._add(self._transcript.rest())
        ended = {"ended_at": self._now(), "end_reason": f"{how.code} {how.reason}".strip()}
        self._waiting.change |= ended
        self._over.set()
        self._something.set()

    async def _flush(self) -> bool:
        """Whether all that waited is written; else it waits again, as far as nothing newer has come."""
        taken = self._waiting.take()
        batch = Batch(
            session_id=self._begun.id,
            owner=self._begun.owner,
            now=self._now(),
            begun=None if self._known else self._begun,
            title=self._title,
            **taken._asdict(),
        )
        try:
            await self._written(batch)
        except BaseException as error:
            self._waiting.put_back(taken)
            if not isinstance(error, Exception):
                raise
            self._say_failing(error)
            return False
        self._known = True
        self._say_well()
        return True

    async def _written(self, batch: Batch) -> None:
        """All of it; where something in it is of a kind that no store can take, all the rest."""
        try:
            there = await self._write(batch)
        except OperationalError:
            raise  # no room, no connection: nothing is wrong with what is written
        except Exception:
            there = await self._apart(batch)
        if not there and not self.deleted:
            self.deleted = True
            log.info("the record of this session was deleted; nothing more is written in it")

    async def _apart(self, batch: Batch) -> bool:
        there = await self._write(replace(batch, items=()))
        for item in batch.items:
            try:
                await self._write(replace(batch, items=[item], responses=()))
            except OperationalError:
                raise
            except Exception as error:
                self._lose(1, f"the store cannot hold item {item.id}: {_why(error)}")
        return there

    async def _pause(self) -> None:
        """At the end there is no time to lose."""
        if self._over.is_set():
            await asyncio.sleep(PAUSES[0])
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(PAUSES[min(self._failures, len(PAUSES)) - 1]):
                await self._over.wait()

    # Said -----------------------------------------------------------------------------------------------

    def _say_failing(self, error: Exception) -> None:
        self._failures += 1
        if self._failures == 1:
            log.warning("the store takes nothing now, it will be tried again: %s", _why(error))
            self._tell(False)

    def _say_well(self) -> None:
        if self._failures:
            log.info("the store takes what is said again")
            self._failures = 0
            self._tell(True)

    def _lose(self, items: int, why: str) -> None:
        if not self.lost:
            log.error("what was said is not written down, from here on it is counted alone: %s", why)
        self.lost += items
        self._tell(False)

    def _tell(self, written: bool) -> None:
        """``lost`` items are gone; while it is not ``written``, what is said waits in memory."""
        self._notices.tell("store", written=written, lost=self.lost)


def _why(error: Exception) -> str:
    """Without the statement and what was in it."""
    return str(error.orig).partition("\n")[0] if isinstance(error, DBAPIError) else repr(error)


def _shortened(words: str, characters: int) -> str:
    """On one line, whole words."""
    line = " ".join(words[: 4 * characters].split())
    if len(line) <= characters:
        return line
    return (line[:characters].rpartition(" ")[0] or line[: characters - 1]) + "…"
