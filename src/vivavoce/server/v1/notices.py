"""What is ours, told on the socket of a client that offered ``vivavoce.v1``, between the protocol's events."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager

from vivavoce.protocol.frame import Closed, Frame, Line
from vivavoce.sessions.notices import Notice, Notices, TooManyListeners

__all__ = ["telling"]

log = logging.getLogger(__name__)


@asynccontextmanager
async def telling(notices: Notices, line: Line, *, wanted: bool, begun: bool = False) -> AsyncIterator[Line]:
    """The line to run the session with, which tells of each notice too, where that is ``wanted``, while the context
    lasts. The first event is the protocol's, as clients expect (O-01), unless the session has ``begun`` before."""
    with ExitStack() as stack:
        try:
            coming = stack.enter_context(notices.listen()) if wanted else None
        except TooManyListeners:
            log.warning("as many listen to this session's notices as may; one more client goes without")
            coming = None
        if coming is None:
            yield line
            return
        told = _Begun(line)
        if begun:
            told.begun.set()
        telling = asyncio.create_task(_tell(coming, told))
        try:
            yield told
        finally:
            telling.cancel()
            await asyncio.wait([telling])


class _Begun:
    """A line that knows when its first frame was sent."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self.begun = asyncio.Event()
        self.receive, self.close = line.receive, line.close

    async def send(self, frame: Frame) -> None:
        await self._line.send(frame)
        self.begun.set()


async def _tell(coming: AsyncIterator[Notice], line: _Begun) -> None:
    await line.begun.wait()
    try:
        async for notice in coming:
            event = notice.event()
            await line.send(Frame(event["type"], event))
    except Closed:
        pass  # the session itself sees it too
