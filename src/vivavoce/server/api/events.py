"""``GET /api/sessions/{id}/events``: what is ours and no event of the protocol, told beside a session."""

from starlette.requests import Request
from starlette.responses import Response

from vivavoce.access.gate import Refused
from vivavoce.access.principal import Principal
from vivavoce.server.api.event_stream import EventStream
from vivavoce.server.errors import SessionNotFound
from vivavoce.server.service import Service, bearer
from vivavoce.sessions.live import Live

__all__ = ["events", "may_hear"]


async def events(service: Service, request: Request) -> Response:
    """For whoever opened the session, with that same ephemeral key or a standard one, and for who may manage all.
    Raises :class:`SessionNotFound`, for a session of somebody else too."""
    principal = await service.gate.enter(bearer(request))
    live = service.registry.named(request.path_params["id"])
    if live is None or not may_hear(principal, live):
        raise SessionNotFound

    async def still() -> bool:
        try:
            await service.gate.still(principal)
        except Refused:
            return False
        return True

    return EventStream(live.notices, still)


def may_hear(principal: Principal, live: Live) -> bool:
    """Whether what is ours about this session is for them. Many pages have ephemeral keys of one owner: each hears of
    its own session alone."""
    if principal.grant is not None:
        return principal.grant.id != "" and principal.grant.id == live.opened_by
    return principal.may_control(live.owner)
