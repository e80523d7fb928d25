"""A client that was cut off comes back to its session, which lives: which one that is, and what it is told first."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from vivavoce.access.principal import Principal
from vivavoce.access.tokens import hash_of
from vivavoce.protocol.frame import Frame
from vivavoce.protocol.wire.errors import ProtocolError
from vivavoce.server.service import Service
from vivavoce.server.v1.claim import Claim
from vivavoce.sessions.berth import Berth, Missed
from vivavoce.sessions.endings import frames_of
from vivavoce.sessions.live import Live
from vivavoce.sessions.ring import Ring
from vivavoce.store.resume_tokens import ResumeTokens

__all__ = [
    "TOKEN_SECONDS", "find", "give_token", "is_one_person", "keep_tokens", "missed", "not_found", "used_up",
]  # fmt: skip

log = logging.getLogger(__name__)

TOKEN_SECONDS = 24 * 3600.0
"""How long a token opens its conversation. The session itself waits much shorter for its client."""


def find(service: Service, principal: Principal, claim: Claim, kind: str) -> tuple[Live, Berth] | None:
    """The session that is meant, where that lives. Raises :class:`ProtocolError`."""
    if claim.token:
        live = service.parking.find(claim.token, principal.name)
    else:
        live = service.registry.named(claim.conversation or "")
        if live is not None and (live.owner != principal.name or not is_one_person(principal)):
            raise not_found()
    if live is None:
        return None
    if live.berth is None:
        raise ProtocolError("not_resumable", _PASSES_BY)
    if live.kind != kind:
        words = f"This session is held over {_WAYS[live.kind]}, and is taken up again the same way."
        raise ProtocolError("not_resumable", words)
    return live, live.berth


_PASSES_BY = "The sound of this call goes past this server, which cannot take the call up again. Place a new one."
_WAYS = {"websocket": "a WebSocket", "webrtc": "WebRTC"}


def used_up() -> ProtocolError:
    words = "This resume token is no good (any more): it was used, it is too old, or it is another's. Begin anew."
    return ProtocolError("resume_token_invalid", words)


def not_found() -> ProtocolError:
    words = "There is no conversation of yours with this id that could go on. Begin a new one."
    return ProtocolError("conversation_not_found", words, param="conversation_id")


def is_one_person(principal: Principal) -> bool:
    """Behind an app's key or a share link there may be many, who all bring ephemeral keys of it; a conversation's id
    is no secret between them. They have tokens."""
    return principal.kind in ("local", "user") or (principal.kind == "key" and principal.grant is None)


def give_token(service: Service, live: Live, claim: Claim | None = None) -> None:
    """Tells the session's client a new token. The one that it came with holds until it has been heard of again."""
    if not service.parking.seconds:
        return
    held = hash_of(claim.token) if claim and claim.token else None
    told: dict[str, Any] = {
        "token": service.parking.issue(live, held),
        "expires_in": round(TOKEN_SECONDS * 1000),
        "waits": round(service.parking.seconds * 1000),
    }
    if claim and live.berth:
        told["received"] = live.berth.taken
    live.notices.tell("resume", **told)


async def keep_tokens(kept: ResumeTokens, live: Live, now: Callable[[], float]) -> None:
    """For when the session is no more."""
    if live.record:
        at = now()
        await kept.keep(live.record, live.owner, live.tokens, now=at, expires_at=at + TOKEN_SECONDS)


async def missed(service: Service, live: Live, claim: Claim) -> Missed:
    """What this client has not seen: all that followed the event that it names. One that names none is told how things
    stand: what was said, and from its beginning the answer that is being given."""
    said = [] if claim.after or live.record is None else await service.store.items.all(live.record)
    items = [item.item for item in said if item.place == "conversation"]

    def told(ring: Ring) -> list[Frame]:
        if claim.after is None:
            return _as_things_stand(service, live, ring, items, claim.conversation)
        rest = ring.after(claim.after)
        if rest is None:
            live.notices.tell("restored", items=0, missing=["events"])
            return list(ring)
        return rest

    return told


def _as_things_stand(
    service: Service, live: Live, ring: Ring, items: Sequence[Mapping[str, Any]], conversation: str | None
) -> list[Frame]:
    frames = list(ring)
    if live.hub is None or live.hub.session is None:
        return frames
    begun = next((at for at, frame in enumerate(frames) if _begins(frame, live)), len(frames))
    sound = [frame for frame in frames[:begun] if live.kind == "webrtc" and frame.audio is not None]
    told = {_item(frame) for frame in frames[begun:]}
    before = frames_of([item for item in items if item.get("id") not in told])
    created = [_event(service, type="session.created", session=live.hub.session)]
    if conversation:
        named = {"id": conversation, "object": "realtime.conversation"}
        created.append(_event(service, type="conversation.created", conversation=named))
    return [*created, *(_event(service, **data) for data in before), *sound, *frames[begun:]]


def _item(frame: Frame) -> Any:
    item = frame.data.get("item")
    return item.get("id") if isinstance(item, Mapping) else frame.data.get("item_id")


def _begins(frame: Frame, live: Live) -> bool:
    return frame.type == "response.created" and live.is_busy_with((frame.data.get("response") or {}).get("id"))


def _event(service: Service, type: str, **fields: Any) -> Frame:
    return Frame(type, {"type": type, "event_id": service.new_event(), **fields})
