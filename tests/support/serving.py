"""A whole server on a free loopback port, as it is served in earnest, inside the test's event loop."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from starlette.applications import Starlette

from vivavoce.backends.interface import Backend
from vivavoce.server.app import build
from vivavoce.server.options import ServerOptions
from vivavoce.server.run import Server, Serving, listen
from vivavoce.server.service import AnswerCall, Service

__all__ = ["Served", "serving", "serving_app"]


class Served:
    def __init__(self, app: Starlette, server: Server, port: int) -> None:
        self.server = server
        self.port = port
        self._app = app

    @property
    def service(self) -> Service:
        service: Service = self._app.state.service
        return service

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws(self) -> str:
        return f"ws://127.0.0.1:{self.port}/v1/realtime"


@asynccontextmanager
async def serving(
    backend: Backend,
    options: ServerOptions | None = None,
    *,
    answer_call: AnswerCall | None = None,
    drain_seconds: float = 0.5,
) -> AsyncIterator[Served]:
    app = build(options or ServerOptions(), backend, answer_call=answer_call)
    async with serving_app(app, drain_seconds=drain_seconds) as served:
        yield served


@asynccontextmanager
async def serving_app(
    app: Starlette, *, drain_seconds: float = 0.5, trusted_proxies: Sequence[str] = ()
) -> AsyncIterator[Served]:
    """For any application whose ``state.service`` has a registry to drain."""
    listening = listen("127.0.0.1", 0)
    server = Server(app, Serving(drain_seconds=drain_seconds, trusted_proxies=trusted_proxies))
    async with asyncio.TaskGroup() as group:
        running = group.create_task(server.serve([listening]))
        try:
            yield Served(app, server, listening.getsockname()[1])
        finally:
            server.should_exit = True
            await asyncio.wait([running])
