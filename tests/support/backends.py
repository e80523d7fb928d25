"""A backend without models: it keeps the protocol's rules for opening a session and says what it is told."""

import asyncio
from typing import Any

from tests.support.lines import MemoryLine
from vivavoce.backends.interface import SessionRequest
from vivavoce.protocol.frame import Frame, Line
from vivavoce.protocol.session.config import Defaults, Settings, defaults, echo, initial

__all__ = ["ScriptedBackend"]


class ScriptedBackend:
    """The test finds each opened session in :attr:`opened` and plays the answering side of it."""

    name = "scripted"
    keeps_time = False

    def __init__(self, *, failing: Exception | None = None) -> None:
        self.failing = failing
        self.requests: list[SessionRequest] = []
        self.opened: asyncio.Queue[MemoryLine] = asyncio.Queue()
        self.lines: list[MemoryLine] = []
        self.closed = False

    def describe(self, request: SessionRequest) -> dict[str, Any]:
        given = Defaults()
        config = initial(request.config, given) if request.config else defaults(request.kind, given)
        return echo(config, Settings(request.session_id, request.model, expires_at=3600))

    async def open(self, request: SessionRequest) -> Line:
        self.requests.append(request)
        if self.failing:
            raise self.failing
        line = MemoryLine()
        session = self.describe(request)
        line.arrive(Frame("session.created", {"type": "session.created", "event_id": "event_1", "session": session}))
        self.lines.append(line)
        self.opened.put_nowait(line)
        return line

    async def close(self) -> None:
        self.closed = True

    async def next_opened(self) -> MemoryLine:
        return await asyncio.wait_for(self.opened.get(), 5)
