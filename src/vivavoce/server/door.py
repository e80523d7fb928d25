"""The first thing that listens: it answers ``/health`` while everything behind it is still being imported and built.

That takes a second or two of the processor; who started the server learns at once that it is alive. Any other
request waits for the application. One that cannot be built ends the server.
"""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from vivavoce.server.health import health

if TYPE_CHECKING:
    from vivavoce.server.service import Service

__all__ = ["Door"]


class Door:
    """An ASGI application. ``build`` runs once, in a thread."""

    def __init__(self, build: Callable[[], Starlette]) -> None:
        self._build = build
        self._built = asyncio.Event()
        self._app: Starlette | None = None
        self._leaving = False
        self.failure: Exception | None = None
        """Why there is nothing behind the door."""
        self.give_up: Callable[[], None] = lambda: None
        """Called on failure."""

    @property
    def service(self) -> "Service | None":
        """None until it is built."""
        return self._app.state.service if self._app else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        if self._app is None and scope["type"] == "http" and scope["path"] == "/health":
            await (await health(Request(scope)))(scope, receive, send)
            return
        await self._built.wait()
        if self._app is not None:
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await JSONResponse({"error": {"message": "The server could not start."}}, 503)(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        house = asyncio.create_task(self._house(), name="the application behind the door")
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self._leaving = True
        house.cancel()
        await asyncio.wait([house])
        await send({"type": "lifespan.shutdown.complete"})

    async def _house(self) -> None:
        try:
            app = await asyncio.to_thread(self._build)
            async with app.router.lifespan_context(app):
                self._app = app
                self._built.set()
                await asyncio.Event().wait()
        except Exception as error:
            if not self._leaving:
                self.failure = error
            self._built.set()
            self.give_up()
