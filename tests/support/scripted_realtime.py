"""A Realtime server that does what its script says, for tests of clients.

A script is an ``async def script(stage)``: it says what it expects of the client and what it answers. What goes wrong
in it fails the test that started the server.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

PATIENCE = 10.0
"""Seconds a script waits for a client."""


class Stage:
    """The server's end of one session."""

    def __init__(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        self._socket = socket
        self.path = socket.request.path
        self.headers = socket.request.headers
        self.extensions = socket.protocol.extensions

    async def send(self, type: str, **data: Any) -> None:
        await self._socket.send(json.dumps({"type": type, "event_id": "event_1", **data}))

    async def send_text(self, text: str) -> None:
        await self._socket.send(text)

    async def receive(self) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE):
            event = json.loads(await self._socket.recv())
        assert isinstance(event, dict)
        return event

    async def expect(self, type: str) -> dict[str, Any]:
        """The next event, which has to be a ``type``."""
        event = await self.receive()
        assert event["type"] == type, event
        return event

    async def skip_to(self, type: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """The next event of a type, and what came before it."""
        before: list[dict[str, Any]] = []
        while (event := await self.receive())["type"] != type:
            before.append(event)
        return event, before

    async def close(self, code: int, reason: str) -> None:
        await self._socket.close(code, reason)

    async def cut(self) -> None:
        """Without a close frame, as a crash does."""
        self._socket.transport.abort()

    async def gone(self) -> None:
        """Until the client has left."""
        async with asyncio.timeout(PATIENCE):
            await self._socket.wait_closed()


Script = Callable[[Stage], Awaitable[object]]


@asynccontextmanager
async def scripted(script: Script) -> AsyncIterator[str]:
    """The address of a server that plays ``script`` to each client."""
    faults: list[BaseException] = []

    async def play(socket: ServerConnection) -> None:
        try:
            await script(Stage(socket))
        except ConnectionClosed:
            pass  # a client may leave whenever it has what it wants
        except (AssertionError, TimeoutError) as fault:
            faults.append(fault)

    async with serve(play, "127.0.0.1", 0, max_size=None) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1/realtime"
    if faults:
        raise faults[0]


@asynccontextmanager
async def refusing(status: HTTPStatus, body: bytes) -> AsyncIterator[str]:
    """The address of a server that answers every handshake with an HTTP error."""

    def refuse(connection: ServerConnection, request: Request) -> Response:
        return Response(status, status.phrase, Headers({"Content-Length": str(len(body))}), body)

    async def never(socket: ServerConnection) -> None:
        raise AssertionError("a refused client was let in")

    async with serve(never, "127.0.0.1", 0, process_request=refuse) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1/realtime"
