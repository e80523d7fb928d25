"""What a session has to say that is no event of the protocol: a resume token, what it cost so far, that it is recorded.

It never stands among the protocol's events. Whoever wants it listens beside the session; who comes late is told the
latest of each kind first. A listener that falls behind loses the oldest, and no session waits for one.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

__all__ = ["LISTENERS", "WAITING", "Notice", "Notices", "TooManyListeners"]

WAITING = 64
"""Notices that may wait for one listener."""
LISTENERS = 8


class TooManyListeners(Exception):
    """As many listen to this session's notices as may."""


class Notice(NamedTuple):
    kind: str
    data: Mapping[str, Any]

    def event(self) -> dict[str, Any]:
        """As those are told who have asked for it, by whatever way."""
        return {"type": f"vivavoce.{self.kind}", **self.data}


class Notices:
    """Those of one session."""

    def __init__(self) -> None:
        self._latest: dict[str, Notice] = {}
        self._listeners: set[asyncio.Queue[Notice | None]] = set()
        self._over = False
        self._watching: list[Callable[[Notice], None]] = []

    def watch(self, told: Callable[[Notice], None]) -> None:
        """The house's own listener: called at once with each, for as long as the session lasts."""
        self._watching.append(told)

    def tell(self, kind: str, **data: Any) -> None:
        """``data`` is JSON-like; times in it are milliseconds, money is dollars as a decimal text."""
        notice = self._latest[kind] = Notice(kind, data)
        for told in self._watching:
            told(notice)
        for listener in self._listeners:
            _offer(listener, notice)

    def end(self) -> None:
        """The session is over: listeners are given what waits for them, and then end."""
        self._over = True
        self._watching.clear()
        for listener in self._listeners:
            _offer(listener, None)

    @property
    def listened(self) -> bool:
        """Whether anybody has asked for them."""
        return bool(self._listeners)

    @contextmanager
    def listen(self) -> Iterator[AsyncIterator[Notice]]:
        """Notices while the context lasts, until the session is over. Raises :class:`TooManyListeners`."""
        if len(self._listeners) >= LISTENERS:
            raise TooManyListeners
        waiting: asyncio.Queue[Notice | None] = asyncio.Queue(WAITING)
        for notice in self._latest.values():
            _offer(waiting, notice)
        if self._over:
            _offer(waiting, None)
        self._listeners.add(waiting)
        try:
            yield _until_over(waiting)
        finally:
            self._listeners.discard(waiting)


def _offer(listener: "asyncio.Queue[Notice | None]", notice: Notice | None) -> None:
    if listener.full():
        listener.get_nowait()
    listener.put_nowait(notice)


async def _until_over(waiting: "asyncio.Queue[Notice | None]") -> AsyncIterator[Notice]:
    while (notice := await waiting.get()) is not None:
        yield notice
