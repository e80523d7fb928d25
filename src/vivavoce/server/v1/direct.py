"""Calls whose media goes straight between the client and another server: here they are listened to, counted, noted
where a crash does not reach, and hung up."""

import logging
from contextlib import AsyncExitStack

from vivavoce.backends.interface import DirectLine, Relays, SessionRequest
from vivavoce.protocol.session.session import LONGEST_SECONDS
from vivavoce.server import logs
from vivavoce.server.service import Service
from vivavoce.server.v1.taken import Taken
from vivavoce.sessions.direct import Absent
from vivavoce.sessions.registry import Draining, Full
from vivavoce.store.calls import DirectCall

__all__ = ["relayed", "take_up"]

log = logging.getLogger(__name__)


async def relayed(
    service: Service,
    backend: Relays,
    call_id: str,
    owner: str,
    offer: str,
    wanted: SessionRequest,
    stack: AsyncExitStack,
) -> Taken:
    """Has the other server answer. The call is noted before the client can speak on it."""
    placed = await backend.relay(offer, wanted)
    stack.push_async_callback(_end, service, call_id, placed.line)
    await service.store.calls.begin(DirectCall(call_id, placed.call, owner, service.now()))
    log.info("call relayed model=%r theirs=%r", wanted.model, placed.call)
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
    logs.session.set(call.id)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(_end, service, call.id, line)
        try:
            live = stack.enter_context(service.registry.admit(call.id, "webrtc", owner=call.owner))
        except (Full, Draining):
            log.warning("a call went on without this server, which has no room for it now; it is hung up")
            return
        log.info("session goes on transport=direct theirs=%r", call.upstream_id)
        end = await live.run(Absent(), line, new_id=lambda: service.new_id("event_"))
        log.info("session ended code=%d reason=%r", end.code, end.reason)


async def _end(service: Service, call_id: str, line: DirectLine) -> None:
    """One that could not be hung up stays noted: the next start of the server tries again."""
    await line.close()
    if line.over:
        await service.store.calls.end(call_id, service.now())
