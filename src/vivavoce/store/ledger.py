"""When sessions are written down: all that have something to write, in one transaction, ten times a second.

    a source: soon() ──▶ EVERY ──▶ take() of each ──▶ one transaction ──▶ written() or put_back() of each
    write(batch), flush() ──▶ at once ─┘              (writing.py)

Whoever reads what is kept of sessions does it by :meth:`Ledger.run`, and so finds what was told a moment ago.

There is one writer for the whole process: however many sessions there are, a thread is woken ten times a second, and
what changes often is merged meanwhile where it waits, at its source. So what a session has finished is written within
:data:`EVERY` seconds and the time of two transactions; that much a crash can take.

**Overflow.** What waits is bounded where it waits (``sessions/observers/waiting.py``); here is one entry for each
source. A disk that takes nothing is tried again, less and less often, for all sources alike.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from contextvars import Context
from dataclasses import replace
from functools import partial
from typing import Final, Protocol, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, OperationalError

from vivavoce.store.database import Transactions
from vivavoce.store.writing import Batch, write

__all__ = ["EVERY", "PAUSES", "ROWS", "Ledger", "Source", "why"]

log = logging.getLogger(__name__)

EVERY: Final = 0.1
"""Seconds in which others may join a transaction."""
ROWS: Final = 1024
"""Items in one transaction, and those of one more source: who waits for the database meanwhile has a turn between."""
PAUSES: Final = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds before a disk that took nothing is tried again; the last one for good."""


T = TypeVar("T")


class Source(Protocol):
    """Has something to write, now and then. All of it is called on the event loop."""

    def take(self) -> Batch | None:
        """What is to be written now; None where nothing is."""

    def written(self, *, there: bool) -> None:
        """What was taken is; only what it used where its session is not ``there`` any more."""

    def put_back(self, error: Exception) -> None:
        """What was taken is not, and is tried again if :meth:`Ledger.soon` is called again."""

    def lose(self, id: str, error: Exception) -> None:
        """Of what was taken, the item or response ``id`` cannot be written, now or ever; all else is."""


class Ledger:
    def __init__(self, database: Transactions) -> None:
        self._run = database.run
        self._waiting: dict[Source, None] = {}
        self._flushes: list[asyncio.Future[None]] = []
        self._hurry = asyncio.Event()
        self._writer: asyncio.Task[None] | None = None
        self._failures = 0

    @property
    def waiting(self) -> int:
        """Sources that have something to write: those of the last tenth of a second, or more than a disk can take."""
        return len(self._waiting)

    def soon(self, source: Source) -> None:
        """It has something to write."""
        self._waiting[source] = None
        if self._writer is None:  # it works for all sessions, and its log lines are of none
            self._writer = asyncio.get_running_loop().create_task(self._work(), context=Context())

    def leave(self, source: Source) -> None:
        """It has nothing to write any more."""
        self._waiting.pop(source, None)
        if self._writer is not None and not self._waiting:
            self._hurry.set()

    async def flush(self) -> None:
        """All that waits is written when this returns, or could not be."""
        if self._writer is not None:
            flushed = asyncio.get_running_loop().create_future()
            self._flushes.append(flushed)
            self._hurry.set()
            await flushed

    async def run(self, work: Callable[[Connection], T]) -> T:
        """As :meth:`Database.run`, for who has to find all that was said until now."""
        await self.flush()
        return await self._run(work)

    async def write(self, batch: Batch) -> bool:
        """At once. False where the session was deleted meanwhile: no word of it is written again, what it used is
        counted. Raises what the database raises; it is not tried again."""
        once = _Once(batch)
        self.soon(once)
        self._hurry.set()
        return await once.there

    async def _work(self) -> None:
        """Until nothing waits."""
        try:
            while self._waiting or self._flushes:
                pause = PAUSES[min(self._failures, len(PAUSES)) - 1] if self._failures else EVERY
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await self._hurry.wait()
                self._hurry.clear()
                await self._round()
        finally:
            self._writer = None

    async def _round(self) -> None:
        """All sources that wait as it begins."""
        flushes, self._flushes = self._flushes, []
        sources, self._waiting = iter(self._waiting), {}
        try:
            while taken := list(_taken(sources)):
                if not await self._write(taken):
                    self._waiting |= dict.fromkeys(sources)
        finally:
            for flushed in flushes:
                if not flushed.done():
                    flushed.set_result(None)

    async def _write(self, taken: Sequence[tuple[Source, Batch]]) -> bool:
        try:
            there = await self._run(partial(write, batches=[batch for _, batch in taken]))
        except OperationalError as error:  # no room, no connection: nothing is wrong with what is written
            return self._fail(error, taken)
        except Exception:
            return all([await self._write_apart(source, batch) for source, batch in taken])
        for (source, _), is_there in zip(taken, there, strict=True):
            source.written(there=is_there)
        return self._succeed()

    async def _write_apart(self, source: Source, batch: Batch) -> bool:
        """Something in it, or in another's that was with it, is of a kind that no store can take. All the rest is
        written."""
        bare = replace(batch, items=(), responses=())
        try:
            [there] = await self._run(partial(write, batches=[bare]))
            for id, part in _parts(batch, replace(bare, begun=None)):
                try:
                    await self._run(partial(write, batches=[part]))
                except OperationalError:
                    raise
                except Exception as error:
                    source.lose(id, error)
        except Exception as error:
            return self._fail(error, [(source, batch)])
        source.written(there=there)
        return self._succeed()

    def _succeed(self) -> bool:
        if self._failures:
            log.info("the store takes what is said again")
            self._failures = 0
        return True

    def _fail(self, error: Exception, taken: Sequence[tuple[Source, Batch]]) -> bool:
        self._failures += 1
        if self._failures == 1:
            log.warning("the store takes nothing now, it will be tried again: %s", why(error))
        for source, _ in taken:
            source.put_back(error)
        return False


class _Once:
    """One batch, whose writer waits for it."""

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        self.there: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    def take(self) -> Batch:
        return self._batch

    def written(self, *, there: bool) -> None:
        if not self.there.done():
            self.there.set_result(there)

    def put_back(self, error: Exception) -> None:
        self.lose("", error)

    def lose(self, id: str, error: Exception) -> None:
        if not self.there.done():
            self.there.set_exception(error)


def why(error: Exception) -> str:
    """Without the statement and what was in it."""
    return str(error.orig).partition("\n")[0] if isinstance(error, DBAPIError) else repr(error)


def _taken(sources: Iterator[Source]) -> Iterator[tuple[Source, Batch]]:
    """For one transaction."""
    rows = 0
    while rows < ROWS and (source := next(sources, None)) is not None:
        if batch := source.take():
            rows += len(batch.items)
            yield source, batch


def _parts(batch: Batch, bare: Batch) -> Iterator[tuple[str, Batch]]:
    """Its items and responses, one by one, in ``bare``."""
    yield from ((item.id, replace(bare, items=[item])) for item in batch.items)
    yield from ((response.id, replace(bare, responses=[response])) for response in batch.responses)
