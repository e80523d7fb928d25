"""``GET /v1/realtime?call_id=rtc_…``: one more client of a live call, beside the one who placed it (H-02, W-15)."""

import logging

from starlette.websockets import WebSocket

from vivavoce.access.gate import Refused
from vivavoce.server import logs
from vivavoce.server.errors import CallNotFound, refuse_in_band
from vivavoce.server.service import Service, bearer
from vivavoce.server.v1.dialect import dialect_of
from vivavoce.server.v1.notices import telling
from vivavoce.transports.subprotocols import Offer
from vivavoce.transports.websocket import WebSocketLine

__all__ = ["sideband"]

log = logging.getLogger(__name__)

_OWNERS = {"local", "key"}
"""Principals of these kinds stand above an agent's locks; a user with a token of an app does not."""


async def sideband(service: Service, socket: WebSocket, offered: Offer) -> None:
    """Raises, before the upgrade: :class:`CallNotFound` for a call that is not live, and for an ephemeral key, which
    may not know of any (H-08); :class:`Refused` for another key that is no good. A ``model`` means nothing here."""
    try:
        principal = await service.gate.enter_with_standard_key(bearer(socket) or offered.key)
    except Refused as refused:
        if refused.status == 403:
            raise CallNotFound from None
        raise
    call_id = socket.query_params["call_id"]
    live = service.registry.find(call_id)
    if live is None or live.hub is None or live.kind != "webrtc" or not principal.may_control(live.owner):
        raise CallNotFound
    logs.session.set(call_id)
    await socket.accept(offered.answer)
    dialect = dialect_of(principal, socket.headers, beta=offered.beta)
    line = WebSocketLine(socket, dialect, new_id=service.new_event)
    log.info("a sideband opened")
    try:
        async with telling(live.notices, line, wanted=offered.notices) as client:
            end = await live.hub.attach(client, owner=principal.kind in _OWNERS)
    except Exception as error:
        await refuse_in_band(line, error, service.new_id("event_"))
    else:
        log.info("a sideband ended code=%d", end.code)
