"""``POST /v1/realtime/calls``: a session over WebRTC (H-13 to H-22), and how a call is hung up (H-24)."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from vivavoce.access.principal import Principal
from vivavoce.backends.interface import Relays, SessionRequest
from vivavoce.protocol.dialects import Dialect
from vivavoce.protocol.dialects.beta import Beta
from vivavoce.protocol.frame import Closed, Line
from vivavoce.server import logs
from vivavoce.server.admission import admitted
from vivavoce.server.entrance import address, enter
from vivavoce.server.errors import CallNotFound
from vivavoce.server.service import Service, bearer
from vivavoce.server.v1.claim import Claim, claimed
from vivavoce.server.v1.dialect import dialect_of
from vivavoce.server.v1.direct import relayed
from vivavoce.server.v1.offer import read_offer
from vivavoce.server.v1.rebuilding import answering, rebuilt, welcome
from vivavoce.server.v1.resuming import find, give_token, missed
from vivavoce.server.v1.steering import steer, told
from vivavoce.server.v1.taken import Taken
from vivavoce.server.v1.wish import Wanted, wish
from vivavoce.sessions.berth import Berth
from vivavoce.sessions.live import Live

__all__ = ["begin", "hang_up", "place"]

log = logging.getLogger(__name__)

Place = AbstractAsyncContextManager[Live]
Take = Callable[[AsyncExitStack], Awaitable[Taken]]
"""Takes the call. What has to be freed again goes onto the stack."""


async def place(service: Service, request: Request) -> Response:
    with service.metrics.opening("webrtc"):
        principal = await enter(service, request)
        return await begin(service, request, principal, dialect_of(principal, request.headers))


async def begin(service: Service, request: Request, principal: Principal, dialect: Dialect) -> Response:
    """Answers the offer, or has another server answer it; a client of the beta is always answered here, as nobody
    translates between it and another server. Where this answers with an error, no call is left (H-46)."""
    offer = await read_offer(request)
    session = dict(offer.session or {})
    claim = claimed(request.headers, request.query_params, session.pop("resume", None))
    if claim is not None and (found := find(service, principal, claim, "webrtc")):
        return await _come_back(service, offer.sdp, dialect, claim, *found)
    await service.toolbox.ready()

    def wishing(kept: Mapping[str, str]) -> Wanted:
        return wish(service, principal, {**kept, **request.query_params}, session or None, media=True)

    wanted = wishing({}) if claim is None else await rebuilt(service, principal, claim, wishing)
    service.backend.describe(wanted.request)  # a wrong session is refused before anything is opened (H-22)
    call_id = service.new_id("rtc_")
    logs.session.set(call_id)
    backend = service.backend
    take: Take
    may_pass = not isinstance(dialect, Beta) and wanted.goes_on is None
    if isinstance(backend, Relays) and may_pass and backend.direct(wanted.request):
        take = partial(relayed, service, backend, call_id, address(request), offer.sdp, wanted)
    else:
        take = partial(_carried, service, offer.sdp, dialect, wanted.request)
    returning = wanted.goes_on is not None
    place = admitted(service, principal, call_id, "webrtc", address(request), returning=returning)
    return _answered(await _answer(service, place, take, wanted), call_id)


def _answered(answer: str, call_id: str) -> Response:
    location = f"/v1/realtime/calls/{call_id}"  # relative, the id last, nothing after it (H-16, H-17)
    return Response(answer, 201, {"Location": location, "Cache-Control": "no-store"}, "application/sdp")


async def _come_back(
    service: Service, offer: str, dialect: Dialect, claim: Claim, live: Live, berth: Berth
) -> Response:
    """A caller who was cut off places the same call again."""
    logs.session.set(live.id)
    line, answer = await service.answer_call(offer, dialect)
    service.registry.spawn(_stay(service, live, berth, line, claim))
    return _answered(answer, live.id)


async def _stay(service: Service, live: Live, berth: Berth, line: Line, claim: Claim) -> None:
    try:
        give_token(service, live, claim)
        await berth.come_back(line, await missed(service, live, claim))
        log.info("session taken up again transport=webrtc")
        await berth.stay(line)
    except Closed as closed:
        log.info("a caller did not come back after all: code=%d", closed.code)
    finally:
        await line.close()


async def hang_up(service: Service, request: Request) -> Response:
    """Comes back when nothing of the call is left. The body is not read: clients send an empty one as JSON."""
    principal = await service.gate.enter_with_standard_key(bearer(request))
    live = service.registry.find(request.path_params["call_id"])
    if live is None or live.kind != "webrtc" or not principal.may_control(live.owner):
        raise CallNotFound
    live.end(Closed(1000, "The call was hung up."))
    await live.gone.wait()
    return Response()


async def _carried(
    service: Service, offer: str, dialect: Dialect, wanted: SessionRequest, stack: AsyncExitStack
) -> Taken:
    answerer = await service.backend.open(wanted)
    stack.push_async_callback(answerer.close)
    line, answer = await service.answer_call(offer, dialect)
    stack.push_async_callback(line.close)
    return Taken(line, answerer, answer, "webrtc")


async def _answer(service: Service, place: Place, take: Take, wanted: Wanted) -> str:
    """The call outlives its request, so the registry owns it; the request waits for the SDP answer alone."""
    answered: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    service.registry.spawn(_hold(service, place, take, wanted, answered))
    return await answered


async def _hold(service: Service, place: Place, take: Take, wanted: Wanted, answered: "asyncio.Future[str]") -> None:
    try:
        async with AsyncExitStack() as stack:
            live = await stack.enter_async_context(place)
            filters, observers, asides, meter = steer(service, live, wanted)
            taken = await take(stack)
            answered.set_result(taken.answer)
            log.info("session began transport=%s %s", taken.transport, told(wanted))
            client, answerer = taken.client, taken.answerer
            if taken.transport == "webrtc":
                answerer = answering(service, live, answerer, wanted)
                client = berth = service.parking.berth(live, taken.client)
                service.registry.spawn(berth.stay(taken.client))
                welcome(service, live, wanted)
            end = await live.run(
                client,
                answerer,
                new_id=service.new_event,
                filters=filters,
                observers=observers,
                asides=asides,
            )
            log.info("session ended code=%d reason=%r %s", end.code, end.reason, meter)
    except Exception as error:
        if answered.done():
            raise
        log.warning("call refused: %r", error)
        answered.set_exception(error)
    finally:
        answered.cancel()  # when the server is leaving; else it has been answered
