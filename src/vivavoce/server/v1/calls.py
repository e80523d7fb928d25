"""``POST /v1/realtime/calls``: a session over WebRTC (H-13 to H-22), and how a call is hung up (H-24)."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from vivavoce.access.principal import Principal
from vivavoce.backends.interface import Relays, SessionRequest
from vivavoce.protocol.dialects import Dialect
from vivavoce.protocol.dialects.beta import Beta
from vivavoce.protocol.frame import Closed, Line
from vivavoce.server import logs
from vivavoce.server.errors import CallNotFound
from vivavoce.server.service import Service, bearer
from vivavoce.server.v1.dialect import dialect_of
from vivavoce.server.v1.offer import read_offer
from vivavoce.server.v1.wish import wish
from vivavoce.sessions.registry import Draining

__all__ = ["begin", "hang_up", "place"]

log = logging.getLogger(__name__)

Take = Callable[[], Awaitable[tuple[Line, str]]]
"""Takes the call: it as a line, and the SDP answer."""


async def place(service: Service, request: Request) -> Response:
    principal = await service.gate.enter(bearer(request))
    return await begin(service, request, principal, dialect_of(principal, request.headers))


async def begin(service: Service, request: Request, principal: Principal, dialect: Dialect) -> Response:
    """Answers the offer, or has another server answer it; a client of the beta is always answered here, as nobody
    translates between it and another server. Where this answers with an error, no call is left (H-46)."""
    offer = await read_offer(request)
    wanted = wish(service, principal, request.query_params, offer.session, media=True)
    service.backend.describe(wanted)  # a wrong session is refused before anything is opened (H-22)
    call_id = service.new_id("rtc_")
    logs.session.set(call_id)
    if isinstance(service.backend, Relays) and not isinstance(dialect, Beta):
        answer = await _relay(service, service.backend, call_id, offer.sdp, wanted)
    else:
        client = request.client.host if request.client else ""
        answer = await _answer(service, call_id, partial(service.answer_call, offer.sdp, dialect), wanted, client)
    location = f"/v1/realtime/calls/{call_id}"  # relative, the id last, nothing after it (H-16, H-17)
    return Response(answer, 201, {"Location": location, "Cache-Control": "no-store"}, "application/sdp")


async def hang_up(service: Service, request: Request) -> Response:
    """Comes back when nothing of the call is left. The body is not read: clients send an empty one as JSON."""
    await service.gate.enter_with_standard_key(bearer(request))
    call_id = request.path_params["call_id"]
    live = service.registry.find(call_id)
    if live is not None and live.kind == "webrtc":
        live.end(Closed(1000, "The call was hung up."))
        await live.gone.wait()
    elif isinstance(service.backend, Relays) and (theirs := service.relayed.find(call_id)) is not None:
        await service.backend.hang_up(theirs)
        service.relayed.forget(call_id)
    else:
        raise CallNotFound
    return Response()


async def _relay(service: Service, backend: Relays, call_id: str, offer: str, wanted: SessionRequest) -> str:
    if service.registry.draining:
        raise Draining
    relayed = await backend.relay(offer, wanted)
    service.relayed.add(call_id, relayed.call)
    log.info("call relayed model=%r theirs=%r", wanted.model, relayed.call)
    return relayed.answer


async def _answer(service: Service, call_id: str, take: Take, wanted: SessionRequest, client: str) -> str:
    """The call outlives its request, so the registry owns it; the request waits for the SDP answer alone."""
    answered: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    service.registry.spawn(_hold(service, call_id, take, wanted, client, answered))
    return await answered


async def _hold(
    service: Service, call_id: str, take: Take, wanted: SessionRequest, client: str, answered: "asyncio.Future[str]"
) -> None:
    try:
        async with AsyncExitStack() as stack:
            live = stack.enter_context(service.registry.admit(call_id, "webrtc", client))
            answerer = await service.backend.open(wanted)
            stack.push_async_callback(answerer.close)
            line, answer = await take()
            stack.push_async_callback(line.close)
            answered.set_result(answer)
            log.info("session began transport=webrtc kind=%s model=%r", wanted.kind, wanted.model)
            end = await live.run(line, answerer, new_id=lambda: service.new_id("event_"))
            log.info("session ended code=%d reason=%r", end.code, end.reason)
    except Exception as error:
        if answered.done():
            raise
        log.warning("call refused: %r", error)
        answered.set_exception(error)
    finally:
        answered.cancel()  # when the server is leaving; else it has been answered
