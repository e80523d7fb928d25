"""A client that was cut off comes back to its session: what it says to be let in, and what it is told first.

What is secret comes in a header, a subprotocol or a body, never in a URL: those are written down all along the way.
"""

import logging
from collections.abc import Mapping
from typing import Any, NamedTuple

from vivavoce.access.principal import Principal
from vivavoce.access.tokens import hash_of
from vivavoce.protocol.frame import Frame
from vivavoce.protocol.wire.errors import ProtocolError
from vivavoce.server.service import Service
from vivavoce.sessions.berth import Berth, Missed
from vivavoce.sessions.registry import Live
from vivavoce.sessions.ring import Ring

__all__ = ["HEADER", "Claim", "claimed", "find", "give_token", "missed"]

log = logging.getLogger(__name__)

HEADER = "X-Vivavoce-Resume"
MAX_ID = 256
"""Characters of an id that a client names."""


class Claim(NamedTuple):
    """What a client says of the session that it wants back. One of the first two is there."""

    token: str | None
    conversation: str | None
    after: str | None
    """The id of the last event that it saw; None where it kept nothing."""


def claimed(headers: Mapping[str, str], query: Mapping[str, str], given: Any = None) -> Claim | None:
    """``given`` is a token that came in a subprotocol or a body. None from a client that wants a new session. Raises
    :class:`ProtocolError`."""
    token = given or headers.get(HEADER)
    conversation, after = query.get("conversation_id"), query.get("after")
    if not isinstance(token, str | None):
        raise ProtocolError("invalid_type", "A resume token is a text.", param="session.resume")
    if any(len(value) > MAX_ID for value in (conversation, after) if value):
        raise ProtocolError("invalid_value", "No id is that long.", param="conversation_id")
    return Claim(token, conversation, after) if token or conversation else None


def find(service: Service, principal: Principal, claim: Claim, kind: str) -> tuple[Live, Berth]:
    """The session that is meant, which lives. Raises :class:`ProtocolError`."""
    if claim.token:
        live = service.parking.find(claim.token, principal.name)
        if live is None:
            raise ProtocolError("resume_token_invalid", _USED_UP)
    else:
        live = service.registry.named(claim.conversation or "")
        if live is None or live.owner != principal.name or not _is_one_person(principal):
            raise ProtocolError("conversation_not_found", _NOT_FOUND, param="conversation_id")
    if live.berth is None:
        raise ProtocolError("not_resumable", _PASSES_BY)
    if live.kind != kind:
        words = f"This session is held over {_WAYS[live.kind]}, and is taken up again the same way."
        raise ProtocolError("not_resumable", words)
    return live, live.berth


_USED_UP = (
    "This resume token is no good (any more): it was used, its session is over, or it is another's. "
    "Begin a new session."
)
_NOT_FOUND = "There is no session of yours with this conversation that could be taken up again. Begin a new one."
_PASSES_BY = "The sound of this call goes past this server, which cannot take the call up again. Place a new one."
_WAYS = {"websocket": "a WebSocket", "webrtc": "WebRTC"}


def _is_one_person(principal: Principal) -> bool:
    """Behind an app's key or a share link there may be many, who all bring ephemeral keys of it; a conversation's id
    is no secret between them. They have tokens."""
    return principal.kind in ("local", "user") or (principal.kind == "key" and principal.grant is None)


def give_token(service: Service, live: Live, claim: Claim | None = None) -> None:
    """Tells the session's client a new token. The one that it came with holds until it has been heard of again."""
    if not service.parking.seconds:
        return
    held = hash_of(claim.token) if claim and claim.token else None
    token = service.parking.issue(live, held)
    told = {"token": token, "expires_in": round(service.parking.seconds * 1000)}
    if claim and live.berth:
        told["received"] = live.berth.taken
    live.notices.tell("resume", **told)


def missed(service: Service, live: Live, claim: Claim) -> Missed:
    """What this client has not seen: all that followed the event that it names. One that names none is told how things
    stand, and of the answer that is being given from its beginning."""

    def told(ring: Ring) -> list[Frame]:
        if claim.after is None:
            return _as_things_stand(service, live, ring)
        rest = ring.after(claim.after)
        if rest is None:
            live.notices.tell("restored", items=0, missing=["events"])
            return list(ring)
        return rest

    return told


def _as_things_stand(service: Service, live: Live, ring: Ring) -> list[Frame]:
    if live.hub is None or live.hub.session is None:
        return list(ring)
    created = Frame("session.created", _event(service, "session.created", session=live.hub.session))
    frames = list(ring)
    begun = next((at for at, frame in enumerate(frames) if _begins(frame, live)), len(frames))
    sound = [frame for frame in frames[:begun] if live.kind == "webrtc" and frame.audio is not None]
    return [created, *sound, *frames[begun:]]


def _begins(frame: Frame, live: Live) -> bool:
    return frame.type == "response.created" and live.is_busy_with((frame.data.get("response") or {}).get("id"))


def _event(service: Service, type: str, **fields: Any) -> dict[str, Any]:
    return {"type": type, "event_id": service.new_event(), **fields}
