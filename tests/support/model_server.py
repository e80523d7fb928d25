"""A server of OpenAI's HTTP API that does as it is told, and notices when a client leaves."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

__all__ = ["Asked", "ModelServer", "Piece", "model_server", "sse"]

Piece = bytes | float | asyncio.Event
"""Bytes are sent as they are; a number is a pause in seconds; an event is waited for."""


@dataclass
class Asked:
    path: str
    headers: dict[str, str]
    body: Any
    """JSON, or the fields of a form with bytes for its files."""
    connection: int
    """Which connection it came by, counted from 0."""
    left: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the client has gone before the answer was complete."""


@dataclass
class _Told:
    pieces: Sequence[Piece]
    status: int
    kind: str
    headers: dict[str, str]


class ModelServer:
    """``url`` is the base of its API. What is told with :meth:`tell` is given to one request each, in order."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[Asked] = []
        self.came = asyncio.Event()
        """Set with the first request."""
        self._told: list[_Told] = []
        self._connections: list[Any] = []

    def tell(
        self, *pieces: Piece, status: int = 200, kind: str = "text/event-stream", headers: dict[str, str] | None = None
    ) -> None:
        self._told.append(_Told(pieces, status, kind, headers or {}))

    def tell_json(self, told: Any, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self.tell(json.dumps(told).encode(), status=status, kind="application/json", headers=headers)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.transport not in self._connections:
            self._connections.append(request.transport)
        number = self._connections.index(request.transport)
        asked = Asked(request.path, dict(request.headers), await _body(request), number)
        self.asked.append(asked)
        self.came.set()
        told = self._told.pop(0)
        response = web.StreamResponse(status=told.status, headers={"Content-Type": told.kind, **told.headers})
        try:
            await response.prepare(request)
            for piece in told.pieces:
                await _give(response, piece)
            await response.write_eof()
        except (asyncio.CancelledError, ConnectionError):
            asked.left.set()
            raise
        return response


async def _give(response: web.StreamResponse, piece: Piece) -> None:
    match piece:
        case bytes():
            await response.write(piece)
        case asyncio.Event():
            await piece.wait()
        case _:
            await asyncio.sleep(piece)


async def _body(request: web.Request) -> Any:
    if request.content_type == "application/json":
        return await request.json()
    if request.content_type == "multipart/form-data":
        form = await request.post()
        return {name: each.file.read() if isinstance(each, web.FileField) else each for name, each in form.items()}
    return await request.read()


@asynccontextmanager
async def model_server(
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]] | None = None,
) -> AsyncIterator[ModelServer]:
    server = ModelServer()
    app = web.Application(client_max_size=32 * 1024 * 1024)
    app.router.add_route("*", "/{tail:.*}", handler or server.answer)
    runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    try:
        yield server
    finally:
        await runner.cleanup()


def sse(*chunks: Any, done: bool = True) -> bytes:
    """Events as OpenAI sends them."""
    events = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks]
    return "".join([*events, "data: [DONE]\n\n"] if done else events).encode()
