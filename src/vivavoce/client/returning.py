"""A session that comes back by itself when its connection is lost, to a Vivavoce server (see docs/sessions.md).

What was missed is received then, so who reads sees one stream. Where the server had to begin the session anew, that
begins with ``session.created``: what was said comes next, and what the session was set to is to be set again.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence

from vivavoce.client.realtime import RealtimeSession, Refused, Unreachable
from vivavoce.protocol.frame import Closed, Frame

__all__ = ["OFFERED", "Returning"]

OFFERED = ("vivavoce.v1", "realtime")
"""Subprotocols to offer: a Vivavoce server takes the first, and then tells what it takes to come back, too."""
FOR_SECONDS = 60.0
"""How long it is tried."""
PAUSE, LONGEST_PAUSE = 0.3, 5.0
"""Seconds before the second attempt, twice as long before each further one, give or take a quarter; at most."""

_LOST = {1001, 1005, 1006, 1011, 1012, 1013}
"""Codes with which a connection ends and a conversation need not. 4001, another connection has taken it up, is none."""
_OURS = "vivavoce."

Dial = Callable[[Sequence[str], str | None], Awaitable[RealtimeSession]]
"""Opens a connection with these subprotocols, and the id of the last event that was seen."""


class Returning:
    """A :class:`Line`. ``anew`` is awaited after a ``session.created`` that is not the first; ``show`` is told, for
    people, that the connection is lost, and that it is back. Notices are not received here."""

    def __init__(
        self,
        session: RealtimeSession,
        dial: Dial,
        *,
        anew: Callable[["Returning"], Awaitable[None]],
        show: Callable[[str], None] = lambda words: None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._session, self._dial, self._anew, self._show, self._sleep = session, dial, anew, show, sleep
        self._token: str | None = None
        self._after: str | None = None
        self._there = asyncio.Event()
        self._there.set()
        self._over: Closed | None = None

    async def receive(self) -> Frame:
        while True:
            try:
                frame = await self._session.receive()
            except Closed as closed:
                await self._come_back(closed)
                continue
            if frame.type == f"{_OURS}resume":
                self._token = str(frame.data.get("token"))
            if frame.type.startswith(_OURS):
                continue
            if frame.type == "session.created" and self._after is not None:
                await self._anew(self)
            self._after = str(frame.data.get("event_id"))
            return frame

    async def send(self, frame: Frame) -> None:
        """While the connection is lost this waits: whoever speaks meanwhile keeps as much of it as it likes."""
        while True:
            await self._there.wait()
            if self._over is not None:
                raise self._over
            try:
                return await self._session.send(frame)
            except Closed:
                self._there.clear()  # who receives comes back

    async def close(self, code: int = 1000, reason: str = "") -> None:
        self._over = self._over or Closed(code, reason)
        self._there.set()
        await self._session.close(code, reason)

    async def _come_back(self, closed: Closed) -> None:
        """Raises ``closed`` where there is no way back, or it was not found in time."""
        self._there.clear()
        if self._over is None and self._token and closed.code in _LOST:
            self._show("The connection is lost; coming back.")
            try:
                async with asyncio.timeout(FOR_SECONDS):
                    self._session = await self._found()
                self._show("Back.")
                self._there.set()
                return
            except (TimeoutError, Refused):
                pass
        self._over = self._over or closed
        self._there.set()
        raise closed

    async def _found(self) -> RealtimeSession:
        pause = PAUSE
        while True:
            try:
                return await self._dial((*OFFERED, f"vivavoce-resume.{self._token}"), self._after)
            except Unreachable:
                await self._sleep(pause * (0.75 + random.random() / 2))
                pause = min(2 * pause, LONGEST_PAUSE)
