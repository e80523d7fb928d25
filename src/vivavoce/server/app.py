"""The application, put together: plain values and a backend in, an ASGI application out."""

import asyncio
import logging
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

from starlette.applications import Starlette
from starlette.routing import Mount, Route, Router, WebSocketRoute

from vivavoce.access.gate import Gate
from vivavoce.access.grants import Grants
from vivavoce.access.keys import GivenKeys
from vivavoce.access.limits import Limits
from vivavoce.access.sealing import Sealer
from vivavoce.backends.interface import Backend
from vivavoce.server import watching
from vivavoce.server.answering import answering
from vivavoce.server.api import routes as api
from vivavoce.server.errors import handlers
from vivavoce.server.heartbeat import heartbeat
from vivavoce.server.keeping import Keeping
from vivavoce.server.metrics import metrics_of, observe_now
from vivavoce.server.openapi import described
from vivavoce.server.operations import routes
from vivavoce.server.options import ServerOptions
from vivavoce.server.pages import Pages
from vivavoce.server.retention import retain
from vivavoce.server.security import middleware
from vivavoce.server.service import AnswerCall, Service
from vivavoce.server.trimming import given_back, trim
from vivavoce.server.v1 import routes as v1
from vivavoce.server.v1.direct import take_up
from vivavoce.server.v1.realtime import realtime
from vivavoce.server.v1.resuming import keep_tokens
from vivavoce.sessions.capacity import Capacity
from vivavoce.sessions.parking import Parking
from vivavoce.sessions.registry import Registry
from vivavoce.tools.toolbox import Toolbox

__all__ = ["build"]

log = logging.getLogger(__name__)

ID_BYTES = 16
SECRET_BYTES = 32


def build(
    options: ServerOptions,
    backend: Backend,
    *,
    now: Callable[[], float] = time.time,
    random: Callable[[int], bytes] = secrets.token_bytes,
    answer_call: AnswerCall | None = None,
    warm: Callable[[], Awaitable[None]] | None = None,
    keeping: Keeping | None = None,
    toolbox: Toolbox | None = None,
) -> Starlette:
    """``warm`` loads models while the server answers already, so that the first question is no slower than the second.
    ``now`` gives unix seconds, ``random(n)`` n unguessable bytes; ``answer_call`` answers WebRTC offers, by default
    with aiortc. ``toolbox`` has the tools that this server runs. Without
    ``keeping``, all that is kept ends with the process. The application closes store and
    backend when it ends. What ``server.run`` needs to leave in order is ``app.state.service``."""

    def new_id(prefix: str) -> str:
        return prefix + random(ID_BYTES).hex()

    keeping = keeping or Keeping()
    store = keeping.store
    sealer = Sealer(keeping.secret or random(SECRET_BYTES), random)
    grants = Grants(store.grants, sealer, now=now, random=random)
    registry = Registry(capacity=Capacity(options.max_sessions), now=now)
    service = Service(
        options=options,
        backend=backend,
        toolbox=toolbox or Toolbox(),
        registry=registry,
        parking=Parking(
            seconds=options.park_seconds,
            limit=options.max_parked,
            random=random,
            hold=lambda live: registry.spawn(keep_tokens(store.resume_tokens, live, now)),
        ),
        grants=grants,
        gate=Gate(
            grants,
            store.keys,
            store.shares,
            sealer,
            now,
            given=GivenKeys(options.api_keys),
            tokens=keeping.tokens,
            served=options.served,
        ),
        limits=Limits(options.allowances, now=now, storage=keeping.counts),
        store=store,
        answer_call=answer_call or answering(options.calls, new_id, now),
        new_id=new_id,
        random=random,
        now=now,
        metrics=metrics_of(options.agents, options.prices, options.model, backend),
    )
    observe_now(service)
    app = Starlette(
        routes=_routes(service),
        middleware=middleware(options.host, options.allow_origins, options.public_url),
        exception_handlers=handlers(),
        lifespan=partial(_life, service, warm),
    )
    app.router.redirect_slashes = False
    app.state.service = service
    return app


def _routes(service: Service) -> list[Route | Mount]:
    table = described([*v1.OPERATIONS, *api.OPERATIONS, *watching.OPERATIONS])
    realtimes = [WebSocketRoute("/realtime", partial(realtime, service)), *routes(service, table, "/v1")]
    return [
        Mount("/v1", Router(realtimes, redirect_slashes=False)),
        Mount("/api", Router(routes(service, table, "/api"), redirect_slashes=False)),
        *routes(service, watching.OPERATIONS, ""),
        Mount("/", Pages(directory=service.options.static, html=True, check_dir=False)),
    ]


@asynccontextmanager
async def _life(service: Service, warm: Callable[[], Awaitable[None]] | None, _app: Starlette) -> AsyncIterator[None]:
    beating = heartbeat(service.registry, service.metrics.lag.observe)
    working = (_warmed(warm), service.toolbox.run(), retain(service), beating, trim(given_back()))
    beside = [asyncio.create_task(each) for each in working]
    try:
        async with service.registry:
            await take_up(service)
            yield
    finally:
        for task in beside:
            task.cancel()
        await asyncio.wait(beside)
        service.toolbox.close()
        await service.backend.close()
        await service.limits.close()
        service.store.close()


async def _warmed(warm: Callable[[], Awaitable[None]] | None) -> None:
    """A model that does not load is no reason not to serve: whoever asks for it is told then."""
    try:
        if warm is not None:
            await warm()
    except Exception as error:
        log.warning("a model did not load: %s", error)
