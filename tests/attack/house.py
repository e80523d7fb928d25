"""A served house to break into: keys of two owners, share links, and a server on a loopback port."""

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import jwt
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from tests.support.backends import ScriptedBackend
from tests.support.calls import Calls
from tests.support.serving import Served, serving_app
from vivavoce.access.jwt import Secret, Tokens
from vivavoce.access.keys import make_key
from vivavoce.access.principal import ALL_SCOPES, Scope
from vivavoce.access.sealing import Sealer
from vivavoce.access.shares import make_share
from vivavoce.access.tokens import hash_of
from vivavoce.server.app import build
from vivavoce.server.keeping import Keeping
from vivavoce.server.options import ServerOptions
from vivavoce.store.store import in_memory

__all__ = ["GIVEN", "JWT_SECRET", "House", "event", "house", "last_words"]

GIVEN = "given-key-of-the-attacked-server"
JWT_SECRET = "what-the-app-signs-its-users-tokens-with"
SECRET = b"what-seals-everything-in-this-server"

MINT = "/v1/realtime/client_secrets"
CALLS = "/v1/realtime/calls"


@dataclass
class House:
    served: Served
    http: httpx.AsyncClient
    backend: ScriptedBackend
    calls: Calls
    clock: "Shift"

    @property
    def store(self):
        return self.served.service.store

    async def key(self, *scopes: Scope, expires_at: float | None = None) -> tuple[str, str]:
        """A stored key, and its id."""
        chosen = frozenset(scopes) or ALL_SCOPES
        key, known = make_key("x", chosen, now=self.clock(), expires_at=expires_at, random=secrets.token_bytes)
        await self.store.keys.add(known, hash_of(key))
        return key, known.id

    async def share(self, *, key: str | None = None, **wanted: Any) -> tuple[str, str]:
        """A link's token, and its id; ``key`` is its owner's for the upstream."""
        given = {"agent": None, "dollars": None, "seconds": None, "expires_at": None, **wanted}
        token, share = make_share(**given, now=self.clock(), random=secrets.token_bytes)
        if key:
            sealed = Sealer(SECRET, secrets.token_bytes).seal(key.encode(), share.id.encode())
            share = replace(share, sealed_key=sealed)
        await self.store.shares.add(share, hash_of(token))
        return token, share.id

    def token(self, user: str, seconds: float = 300) -> str:
        return jwt.encode({"sub": user, "exp": self.clock() + seconds}, JWT_SECRET, "HS256")

    async def mint(self, key: str | None = None, **body: Any) -> httpx.Response:
        return await self.http.post(MINT, json=body, headers=bearer(key))

    async def ephemeral(self, key: str | None = None, **body: Any) -> str:
        answer = await self.mint(key, **body)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["value"])

    async def place(self, key: str | None, **headers: str) -> httpx.Response:
        sdp = {"Content-Type": "application/sdp", **bearer(key), **headers}
        return await self.http.post(CALLS, content="v=0\r\n", headers=sdp)


class Shift:
    """The real clock, which can be set ahead."""

    ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


def bearer(key: str | None) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"} if key else {}


@asynccontextmanager
async def house(trusted_proxies: Sequence[str] = (), files: Path | None = None, **options: Any) -> AsyncIterator[House]:
    backend, calls, clock = ScriptedBackend(), Calls(), Shift()
    keeping = Keeping(store=in_memory(files), secret=SECRET, tokens=Tokens(Secret(JWT_SECRET), clock))
    chosen = ServerOptions(**{"api_keys": (GIVEN,), **options})
    app = build(chosen, backend, answer_call=calls.answer, keeping=keeping, now=clock)
    async with (
        serving_app(app, trusted_proxies=trusted_proxies) as served,
        httpx.AsyncClient(base_url=served.http, timeout=20) as http,
    ):
        yield House(served, http, backend, calls, clock)


async def event(socket: ClientConnection) -> dict[str, Any]:
    return dict(json.loads(await asyncio.wait_for(socket.recv(), 10)))


async def last_words(socket: ClientConnection) -> tuple[dict[str, Any], int]:
    """The last event before the socket was closed, and the code that closed it."""
    said: dict[str, Any] = {}
    try:
        while True:
            said = await event(socket)
    except ConnectionClosed:
        assert socket.close_code is not None
        return said, socket.close_code
