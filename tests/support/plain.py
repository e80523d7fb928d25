"""A server with models that do as they are told, or before an upstream that does, and OpenAI's own client for it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from openai import AsyncOpenAI

from tests.engine.support import senses
from tests.support.model_server import ModelServer, model_server
from tests.support.serving import Served, serving
from vivavoce.backends.builtin import Builtin
from vivavoce.backends.upstream.backend import UpstreamBackend
from vivavoce.server.options import ServerOptions
from vivavoce.store.items import Item
from vivavoce.store.responses import Response

__all__ = ["UPSTREAM_KEY", "at", "billed", "built_in", "client", "passing", "said"]

UPSTREAM_KEY = "sk-the-server-s-own"
PATIENCE = 5.0


@asynccontextmanager
async def built_in(options: ServerOptions | None = None, **models: Any) -> AsyncIterator[Served]:
    async with serving(Builtin(senses(**models), lambda: 0.0), options) as served:
        yield served


@asynccontextmanager
async def passing(options: ServerOptions | None = None) -> AsyncIterator[tuple[Served, ModelServer]]:
    async with model_server() as upstream:
        async with serving(UpstreamBackend(upstream.url, UPSTREAM_KEY), options) as served:
            yield served, upstream


def client(served: Served, key: str = "any", **headers: str) -> AsyncOpenAI:
    return AsyncOpenAI(
        base_url=f"{served.http}/v1", api_key=key, max_retries=0, timeout=PATIENCE, default_headers=headers
    )


async def said(served: Served, session_id: str) -> list[tuple[str | None, str]]:
    """Role and words of all that stands in a thread."""
    await at(served)
    items: list[Item] = await served.service.store.items.all(session_id)
    return [(item.role, item.words) for item in items]


async def billed(served: Served, session_id: str) -> list[Response]:
    await at(served)
    return await served.service.store.responses.all(session_id)


async def at(served: Served) -> None:
    """Once every request has been written down."""
    async with asyncio.timeout(PATIENCE):
        for live in list(served.service.registry._live.values()):
            await live.gone.wait()
