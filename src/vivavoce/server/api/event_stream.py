"""A session's notices as server-sent events, for a reader that may be slow, or gone.

Written here because the library for it watches uvicorn's signal handlers twice a second to learn when to end; these
streams end with their session.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from vivavoce.sessions.notices import Notice, Notices
from vivavoce.transports.patient import within

__all__ = ["EventStream"]

HEARTBEAT_SECONDS = 15.0
"""After so long without a notice a comment is sent, so that proxies and the reader know that there is somebody."""
PATIENCE = 10.0
"""Seconds a reader may take to make room for one notice; then it is cut off."""
SECONDS = (HEARTBEAT_SECONDS, PATIENCE)
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}  # the second is for nginx
COMMENT = b": vivavoce\n\n"


class EventStream(Response):
    """Until the session is over, the reader goes, or ``still``, asked with each heartbeat, says no. ``seconds`` are the
    heartbeat's and the patience. Calling it raises :class:`TooManyListeners`, before anything is sent."""

    media_type = "text/event-stream"

    def __init__(
        self, notices: Notices, still: Callable[[], Awaitable[bool]], seconds: tuple[float, float] = SECONDS
    ) -> None:
        super().__init__(None, 200, HEADERS)
        del self.headers["content-length"]
        self._notices, self._still = notices, still
        self._heartbeat, self._patience = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._notices.listen() as coming:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            doing = [asyncio.create_task(_gone(receive)), asyncio.create_task(self._tell(coming, send))]
            try:
                await asyncio.wait(doing, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in doing:
                    task.cancel()
                await asyncio.gather(*doing, return_exceptions=True)

    async def _tell(self, coming: AsyncIterator[Notice], send: Send) -> None:
        try:
            await self._send(send, COMMENT)  # at once: the reader knows that it listens
            async with aclosing(self._events(coming)) as events:
                async for event in events:
                    await self._send(send, event)
            await self._send(send, b"", more=False)
        except TimeoutError:
            pass

    async def _events(self, coming: AsyncIterator[Notice]) -> AsyncGenerator[bytes, None]:
        """Each as it is sent, with a heartbeat where there is nothing to say."""
        following = asyncio.ensure_future(anext(coming, None))
        try:
            while True:
                await asyncio.wait([following], timeout=self._heartbeat)
                if not following.done():
                    if not await self._still():
                        return
                    yield COMMENT
                elif (notice := following.result()) is None:
                    return
                else:
                    yield b"data: " + msgspec.json.encode(notice.event()) + b"\n\n"
                    following = asyncio.ensure_future(anext(coming, None))
        finally:
            following.cancel()

    async def _send(self, send: Send, body: bytes, *, more: bool = True) -> None:
        async def sending() -> None:
            await send({"type": "http.response.body", "body": body, "more_body": more})

        await within(self._patience, sending())


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
