"""A hand on a server that really serves: what its WebSockets say and how they end."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.support.backends import ScriptedBackend
from tests.support.calls import OFFER, Calls
from tests.support.serving import Served, serving
from vivavoce.server.options import ServerOptions

__all__ = ["SDP", "House", "ended", "event", "house", "refusal", "until"]

SDP = {"Content-Type": "application/sdp"}


async def event(socket: ClientConnection) -> dict[str, Any]:
    return dict(json.loads(await asyncio.wait_for(socket.recv(), 5)))


async def until(socket: ClientConnection, type: str) -> dict[str, Any]:
    while (told := await event(socket))["type"] != type:
        pass
    return told


async def ended(socket: ClientConnection) -> tuple[int, str]:
    """Code and reason of the close that comes next."""
    with pytest.raises(ConnectionClosed):
        await event(socket)
    assert socket.close_code is not None
    return socket.close_code, socket.close_reason or ""


async def refusal(url: str, **how: Any) -> tuple[int, dict[str, Any]]:
    """Status and error of a handshake that is refused over HTTP."""
    with pytest.raises(InvalidStatus) as refused:
        await connect(url, **how)
    response = refused.value.response
    assert response.headers["content-type"] == "application/json"
    return response.status_code, json.loads(response.body)["error"]


@dataclass
class House:
    """A server without media and without models: the test plays callers and who answers."""

    http: httpx.AsyncClient
    served: Served
    backend: ScriptedBackend
    calls: Calls

    @property
    def ws(self) -> str:
        return self.served.ws

    async def call(self, **request: Any) -> httpx.Response:
        """``POST /calls``, with a raw offer where nothing else is said."""
        return await self.http.post("/v1/realtime/calls", **(request or {"content": OFFER, "headers": SDP}))

    async def mint(self, **body: Any) -> dict[str, Any]:
        return dict((await self.http.post("/v1/realtime/client_secrets", json=body)).json())

    @property
    def empty(self) -> bool:
        """No call is left."""
        return len(self.served.service.registry) == 0


@asynccontextmanager
async def house(failing: Exception | None = None, **options: Any) -> AsyncIterator[House]:
    backend, calls = ScriptedBackend(failing=failing), Calls()
    async with serving(backend, ServerOptions(**options), answer_call=calls.answer) as served:
        async with httpx.AsyncClient(base_url=served.http) as http:
            yield House(http, served, backend, calls)
