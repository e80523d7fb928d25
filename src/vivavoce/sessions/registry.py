"""The sessions that are alive in this process: how many there may be, which is which, and how they all end
when the server leaves."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

from vivavoce.sessions.beside import guarded
from vivavoce.sessions.capacity import Capacity
from vivavoce.sessions.live import Live

__all__ = ["Draining", "Registry"]

log = logging.getLogger(__name__)

LEAVE_SECONDS = 6.0
"""How long sessions may take to end once they were told to; a little more than the hub gives a line."""


class Draining(Exception):
    """The server is leaving and takes no new sessions."""


class Registry:
    """As many sessions as ``capacity`` takes; ``now`` gives unix seconds. Used as an async context manager, which owns
    the sessions that no request owns: leaving it cancels what is left of them."""

    def __init__(self, *, capacity: Capacity, now: Callable[[], float]) -> None:
        self.capacity = capacity
        self._now = now
        self._live: dict[str, Live] = {}
        self._tasks = asyncio.TaskGroup()
        self._owned: set[asyncio.Task[None]] = set()
        self.draining = False

    def __len__(self) -> int:
        return len(self._live)

    def find(self, id: str) -> Live | None:
        return self._live.get(id)

    def named(self, name: str) -> Live | None:
        """By any of its names."""
        return self._live.get(name) or next((live for live in self._live.values() if name in live.names), None)

    def records(self) -> set[str]:
        """The ids of those that are being written down."""
        return {live.record for live in self._live.values() if live.record is not None}

    def count(self, *, owner: str | None = None, client: str | None = None, kind: str | None = None) -> int:
        """How many are alive of one owner, from one client, or of one kind."""
        return sum(owner == live.owner or client == live.client or kind == live.kind for live in self._live.values())

    @property
    def taking(self) -> bool:
        """Whether somebody new would be let in."""
        return not self.draining and not self.capacity.full and len(self._live) < self.capacity.limit

    def check_room(self, *, returning: bool = False) -> None:
        """Raises :class:`Draining` and what :meth:`Capacity.check` does."""
        if self.draining:
            raise Draining
        self.capacity.check(len(self._live), returning=returning)

    @contextmanager
    def admit(
        self, id: str, kind: str, client: str = "", owner: str = "", *, returning: bool = False
    ) -> Iterator[Live]:
        """A place for one session while the context lasts. Raises as :meth:`check_room`."""
        self.check_room(returning=returning)
        live = self._live[id] = Live(id, kind, client, self._now(), owner)
        try:
            yield live
        finally:
            del self._live[id]
            live.left()

    def spawn(self, session: Coroutine[Any, Any, object]) -> None:
        """Runs a session that outlives the request which opened it. What it raises is logged."""
        task = self._tasks.create_task(guarded(session))
        self._owned.add(task)
        task.add_done_callback(self._owned.discard)
        task.add_done_callback(lambda _: session.close())  # one that was cancelled before it began

    async def drain(self, seconds: float) -> None:
        """Takes no more sessions, lets answers that are being given end within ``seconds``, and ends every
        session: an idle one at once, a busy one when its answer is complete or the time is up."""
        self.draining = True
        live = list(self._live.values())
        try:
            async with asyncio.timeout(seconds):
                await asyncio.gather(*map(_end_when_quiet, live))
        except TimeoutError:
            log.warning("answers were still being given after %s s; they are cut", seconds)
        for each in live:
            each.end()
        try:
            async with asyncio.timeout(LEAVE_SECONDS):
                await asyncio.gather(*(each.gone.wait() for each in live))
        except TimeoutError:
            log.warning("%d sessions did not end within %s s", len(self._live), LEAVE_SECONDS)

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.draining = True
        for task in self._owned:
            task.cancel()
        await self._tasks.__aexit__(kind, error, trace)


async def _end_when_quiet(live: Live) -> None:
    if not live.parked:  # else nobody hears it anyway
        await live.quiet.wait()
    live.end()
