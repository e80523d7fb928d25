"""``GET /v1/realtime``: a session over a WebSocket (H-01 to H-12)."""

import asyncio
import logging
from collections.abc import Mapping
from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket

from vivavoce.access.gate import Refused
from vivavoce.access.principal import Principal
from vivavoce.protocol.frame import Closed, Line
from vivavoce.protocol.wire.errors import ProtocolError
from vivavoce.server import logs
from vivavoce.server.admission import admitted, check_room
from vivavoce.server.entrance import address, enter
from vivavoce.server.errors import CallNotFound, answer, refuse_in_band
from vivavoce.server.service import Service
from vivavoce.server.v1.claim import Claim, claimed
from vivavoce.server.v1.dialect import dialect_of
from vivavoce.server.v1.notices import telling
from vivavoce.server.v1.rebuilding import answering, rebuilt, welcome
from vivavoce.server.v1.resuming import find, give_token, missed
from vivavoce.server.v1.sideband import sideband
from vivavoce.server.v1.steering import steer, told
from vivavoce.server.v1.wish import Wanted, wish
from vivavoce.sessions.berth import Berth
from vivavoce.sessions.capacity import Full, Overloaded
from vivavoce.sessions.live import Live
from vivavoce.sessions.registry import Draining
from vivavoce.transports.subprotocols import read_subprotocols
from vivavoce.transports.websocket import WebSocketLine

__all__ = ["realtime", "realtime_without_upgrade"]

log = logging.getLogger(__name__)


async def realtime(service: Service, socket: WebSocket) -> None:
    """What is wrong with the key, or with the call that is asked for, is told over HTTP (H-04, H-08); all else on the
    socket, where a browser can read it (H-09). That there is no room is told over HTTP to all but browsers."""
    offered = read_subprotocols(socket.scope["subprotocols"])
    try:
        if "call_id" in socket.query_params:
            await sideband(service, socket, offered)
            return
        principal = await enter(service, socket, offered.key)
        await service.toolbox.ready()
        claim = claimed(socket.headers, socket.query_params, offered.resume)
        wanted = wish(service, principal, socket.query_params)
        if claim is None and "origin" not in socket.headers:
            check_room(service)
    except (Refused, CallNotFound, ProtocolError, Full, Overloaded, Draining) as error:
        service.metrics.refused("websocket", error)
        await socket.send_denial_response(answer(error))
        return
    logs.session.set(wanted.request.session_id)
    await socket.accept(offered.answer)
    dialect = dialect_of(principal, socket.headers, beta=offered.beta)
    line = WebSocketLine(socket, dialect, new_id=service.new_event)
    try:
        if claim is None:
            await _begin(service, line, wanted, address(socket), notices=offered.notices)
        elif found := find(service, principal, claim, "websocket"):
            await _come_back(service, line, claim, *found, notices=offered.notices)
        else:
            again = partial(_wish_again, service, principal, socket.query_params)
            wanted = await rebuilt(service, principal, claim, again)
            logs.session.set(wanted.request.session_id)
            await _begin(service, line, wanted, address(socket), notices=offered.notices)
    except Exception as error:
        await _refuse(service, line, error)


def _wish_again(service: Service, principal: Principal, query: Mapping[str, str], kept: Mapping[str, str]) -> Wanted:
    return wish(service, principal, {**kept, **query})


async def _refuse(service: Service, line: WebSocketLine, error: Exception) -> None:
    log.warning("session refused: %r", error)
    service.metrics.refused("websocket", error)
    try:
        if isinstance(error, Closed):  # another has taken the session up meanwhile
            await line.close(error.code, error.reason)
        else:
            await refuse_in_band(line, error, service.new_id("event_"))
    except Closed as closed:
        log.info("session refused; the client did not wait to hear why: code=%d", closed.code)


async def _begin(service: Service, line: WebSocketLine, wanted: Wanted, where: str, *, notices: bool) -> None:
    """The session may outlive its connection, so the registry owns it; this lasts as long as the connection."""
    begun: asyncio.Future[tuple[Berth, Line]] = asyncio.get_running_loop().create_future()
    service.registry.spawn(_hold(service, line, wanted, where, begun, notices=notices))
    berth, client = await begun
    await berth.stay(client)


async def _come_back(
    service: Service, line: WebSocketLine, claim: Claim, live: Live, berth: Berth, *, notices: bool
) -> None:
    logs.session.set(live.id)
    give_token(service, live, claim)
    async with telling(live.notices, line, wanted=notices, begun=True) as client:
        await asyncio.sleep(0)  # the notices come first: what is missed may be long
        await berth.come_back(client, await missed(service, live, claim))
        log.info("session taken up again transport=websocket")
        await berth.stay(client)


async def _hold(
    service: Service,
    line: WebSocketLine,
    wanted: Wanted,
    where: str,
    begun: "asyncio.Future[tuple[Berth, Line]]",
    *,
    notices: bool,
) -> None:
    request = wanted.request
    try:
        returning = wanted.goes_on is not None
        place = admitted(service, wanted.principal, request.session_id, "websocket", where, returning=returning)
        async with place as live:
            filters, observers, asides, meter = steer(service, live, wanted)
            opened = await service.backend.open(request)
            answerer = answering(service, live, opened, wanted)
            log.info("session began transport=websocket %s", told(wanted))
            async with telling(live.notices, line, wanted=notices) as client:
                berth = service.parking.berth(live, client)
                if not begun.done():  # the server may be leaving
                    begun.set_result((berth, client))
                welcome(service, live, wanted)
                end = await live.run(
                    berth, answerer, new_id=service.new_event, filters=filters, observers=observers, asides=asides
                )
            log.info("session ended code=%d reason=%r %s", end.code, end.reason, meter)
    except Exception as error:
        if begun.done():
            raise
        begun.set_exception(error)
    finally:
        begun.cancel()  # when the server is leaving; else it has begun


async def realtime_without_upgrade(_request: Request) -> Response:
    error = ProtocolError("upgrade_required", "This address is a WebSocket: connect to it as ws:// or wss://.")
    response = answer(error)
    response.status_code = 426
    response.headers["Upgrade"] = "websocket"
    return response
