"""Joins a client's line and the one that answers it, for as long as both last.

Frames pass one at a time and in order; a pump takes the next one when the last has been handed over, so a
slow reader slows its own session and nothing is queued here. Whichever side ends first ends the other.
"""

import asyncio
import logging
from collections.abc import Callable

from vivavoce.protocol.frame import Closed, Frame, Line

__all__ = ["CLOSE_SECONDS", "join"]

log = logging.getLogger(__name__)

CLOSE_SECONDS = 5.0
"""How long a line may take to close; after that it is left behind."""

_UNSENDABLE = {1005, 1006, 1015}
"""Codes that report an end and are never sent (RFC 6455, 7.4.1)."""


async def join(
    client: Line,
    answerer: Line,
    *,
    ending: asyncio.Future[Closed] | None = None,
    saw: Callable[[Frame], None] | None = None,
) -> Closed:
    """Passes frames both ways until one side ends, ``ending`` is set or the task is cancelled; then both lines are
    closed. Returns how it ended, in the terms of the side that ended it. ``saw`` is shown each frame of
    the answering side once the client has it; it must not block."""
    session = _Join(client, answerer, saw)
    try:
        return await session.run(ending)
    except ExceptionGroup as group:
        log.exception("session failed", exc_info=group)
        session.told = Closed(1011, "The server made a mistake; this session is lost.")
        return session.told
    finally:
        await session.close()


class _Join:
    def __init__(self, client: Line, answerer: Line, saw: Callable[[Frame], None] | None) -> None:
        self._client = client
        self._answerer = answerer
        self._saw = saw
        self.told = Closed(1001, "The server is going away.")
        """What the client is told at the end; this, when the task is cancelled."""

    async def run(self, ending: asyncio.Future[Closed] | None) -> Closed:
        async with asyncio.TaskGroup() as group:
            pumps = [group.create_task(self._inward()), group.create_task(self._outward())]
            await asyncio.wait([*pumps, ending] if ending else pumps, return_when=asyncio.FIRST_COMPLETED)
            for pump in pumps:
                pump.cancel()
        if ending and ending.done():
            self.told = ending.result()
            return self.told
        end = next(pump.result() for pump in pumps if not pump.cancelled())
        self.told = end if end.code not in _UNSENDABLE else Closed(1011, "The side that answers was cut off.")
        return end

    async def _inward(self) -> Closed:
        try:
            while True:
                await self._answerer.send(await self._client.receive())
        except Closed as closed:
            return closed

    async def _outward(self) -> Closed:
        try:
            while True:
                frame = await self._answerer.receive()
                await self._client.send(frame)
                if self._saw:
                    self._saw(frame)
        except Closed as closed:
            return closed

    async def close(self) -> None:
        """Both at once: the client hears why, the answering side only that it is over. Lines that have ended
        already take this for nothing."""
        await asyncio.gather(
            _close(self._client, self.told.code, self.told.reason), _close(self._answerer, 1000, "The client has gone.")
        )


async def _close(line: Line, code: int, reason: str) -> None:
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await line.close(code, reason)
    except TimeoutError:
        log.warning("a line did not close within %s s: %r", CLOSE_SECONDS, line)
    except Exception:
        log.exception("a line failed to close: %r", line)
