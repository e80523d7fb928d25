"""Calls whose media goes straight between the client and another server: here they are listened to, counted, noted
where a crash does not reach, and hung up."""

import logging
from contextlib import AsyncExitStack
from dataclasses import replace

from vivavoce.access.agents import Agent
from vivavoce.access.gate import Refused
from vivavoce.access.limits import LimitsUnknown, OverLimit
from vivavoce.access.principal import Principal
from vivavoce.backends.interface import DirectLine, Relays, SessionRequest
from vivavoce.protocol.session.session import LONGEST_SECONDS
from vivavoce.protocol.wire.errors import ProtocolError
from vivavoce.server import logs
from vivavoce.server.admission import admitted
from vivavoce.server.service import Service
from vivavoce.server.v1.steering import steer
from vivavoce.server.v1.taken import Taken
from vivavoce.server.v1.wish import Wanted
from vivavoce.sessions.capacity import Full
from vivavoce.sessions.direct import Absent
from vivavoce.sessions.persona import Persona
from vivavoce.sessions.registry import Draining
from vivavoce.store.calls import DirectCall
from vivavoce.store.sessions import Session

__all__ = ["relayed", "take_up"]

log = logging.getLogger(__name__)


async def relayed(
    service: Service,
    backend: Relays,
    call_id: str,
    address: str,
    offer: str,
    wanted: Wanted,
    stack: AsyncExitStack,
) -> Taken:
    """Has the other server answer. The call is noted before the client can speak on it, with all that it takes to go on
    with it after a crash. ``address`` is the client's."""
    request = wanted.request
    placed = await backend.relay(offer, request)
    stack.push_async_callback(_end, service, call_id, placed.line)
    noted = DirectCall(
        call_id,
        placed.call,
        wanted.principal.name,
        service.now(),
        session_id=request.session_id,
        agent=wanted.agent,
        model=request.model,
        address=address,
    )
    await service.store.calls.begin(noted)
    log.info("call relayed model=%r theirs=%r", request.model, placed.call)
    return Taken(Absent(), placed.line, placed.answer, "direct")


async def take_up(service: Service) -> None:
    """After a crash: listen again to each call that went on without us."""
    backend = service.backend
    for call in await service.store.calls.live():
        left = call.started_at + LONGEST_SECONDS - service.now()
        if left <= 0:
            await service.store.calls.end(call.id, service.now())
        elif isinstance(backend, Relays):
            service.registry.spawn(_go_on(service, call, backend.attach(call.upstream_id, seconds=left)))
        else:
            log.warning("a call that was relayed goes on, and there is no upstream now to end it: %s", call.id)


async def _go_on(service: Service, call: DirectCall, line: DirectLine) -> None:
    """It is counted, charged and written down as before, within what is left to it and to its owner; where nothing is,
    it is hung up."""
    logs.session.set(call.id)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(_end, service, call.id, line)
        try:
            wanted = await _wanted(service, call)
            live = await stack.enter_async_context(
                admitted(service, wanted.principal, call.id, "webrtc", call.address or "", returning=True)
            )
            live.record = call.session_id
            filters, observers, asides, meter = steer(service, live, wanted)
        except (Full, Draining, OverLimit, LimitsUnknown, Refused, ProtocolError) as error:
            log.warning("a call went on without this server, and may not any longer; it is hung up: %s", error)
            return
        log.info("session goes on transport=direct theirs=%r", call.upstream_id)
        end = await live.run(
            Absent(), line, new_id=service.new_event, filters=filters, observers=observers, asides=asides
        )
        log.info("session ended code=%d reason=%r %s", end.code, end.reason, meter)


async def _wanted(service: Service, call: DirectCall) -> Wanted:
    """What the call was placed for, as far as it still holds. Raises :class:`Refused`."""
    principal = await service.gate.still(Principal(call.owner))
    session_id, model = call.session_id or service.new_id("sess_"), call.model or service.options.model
    agents, persona = service.options.agents, None
    if agent := next((agent for agent in agents if agent.name == call.agent), None):
        spent = await service.store.sessions.find(session_id)
        persona = Persona(_what_is_left(agent, spent, service.now() - call.started_at), agents)
    return Wanted(SessionRequest(session_id, model, "realtime", media=True), principal, persona, {})


def _what_is_left(agent: Agent, spent: Session | None, seconds: float) -> Agent:
    """It has greeted already, and used some of its money and time."""
    usd, minutes = agent.budget_usd, agent.max_minutes
    return replace(
        agent,
        greeting=None,
        budget_usd=None if usd is None else usd - (spent.usd if spent else 0),
        max_minutes=None if minutes is None else max(0, minutes - seconds / 60),
    )


async def _end(service: Service, call_id: str, line: DirectLine) -> None:
    """One that could not be hung up stays noted: the next start of the server tries again."""
    await line.close()
    if line.over:
        await service.store.calls.end(call_id, service.now())
