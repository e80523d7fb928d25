"""A conversation whose session is no more goes on in a new one, from what the store has of it."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from vivavoce.access.principal import Principal
from vivavoce.access.tokens import hash_of
from vivavoce.backends.history import History
from vivavoce.backends.interface import Relays, SessionRequest
from vivavoce.protocol.frame import Line
from vivavoce.protocol.wire.errors import ProtocolError
from vivavoce.protocol.wire.overlay import laid_over
from vivavoce.server.service import Service
from vivavoce.server.v1.claim import Claim
from vivavoce.server.v1.resuming import give_token, is_one_person, not_found, used_up
from vivavoce.server.v1.wish import GoesOn, Wanted
from vivavoce.sessions.live import Live
from vivavoce.sessions.understudy import House, Understudy
from vivavoce.store.sessions import Session

__all__ = ["CHARACTERS", "answering", "fitting", "rebuilt", "welcome"]

log = logging.getLogger(__name__)

Shown = Mapping[str, Any]

CHARACTERS = 60_000
"""Of what was said, the newest, that another server is told: some 15,000 tokens, half of what a model of 32k holds.
Our own engine is told all of it, and chooses itself."""


async def rebuilt(
    service: Service, principal: Principal, claim: Claim, wish: Callable[[Mapping[str, str]], Wanted]
) -> Wanted:
    """The session that goes on. ``wish`` makes it from what the record says of it, its ``agent`` or ``model``. Raises
    :class:`ProtocolError` where there is none of theirs, or nothing of it was kept."""
    record = await _record(service, principal, claim)
    if record.kept == "off":
        words = "Nothing of this conversation was kept, so it cannot go on. Begin a new one."
        raise ProtocolError("nothing_kept", words)
    if record.kind == "transcription":
        raise ProtocolError("not_resumable", "There is nothing to go on with in a transcription. Begin a new one.")
    said = [item.item for item in await service.store.items.all(record.id) if item.place == "conversation"]
    items = fitting(service, said)
    wanted = wish(_who(record))
    request = replace(
        wanted.request,
        config=_with_voice(wanted.request, record, items),
        history=History(record.conversation_id, items),
    )
    log.info("a conversation goes on in a new session record=%s items=%d", record.id, len(items))
    lasted = max(0.0, record.active_at - record.started_at)
    missing = ["audio", "settings", *(["older_items"] if len(items) < len(said) else [])]
    return wanted._replace(request=request, goes_on=GoesOn(record.id, claim, missing, lasted, record.usd))


def fitting(service: Service, items: Sequence[Shown]) -> Sequence[Shown]:
    """The newest that may be told to who answers; no result of a call is told without the call."""
    if not isinstance(service.backend, Relays):
        return items
    kept, left = len(items), CHARACTERS
    while kept and (left := left - len(str(items[kept - 1]))) >= 0:
        kept -= 1
    while kept and kept < len(items) and items[kept].get("type") == "function_call_output":
        kept += 1
    return items[kept:]


def answering(service: Service, live: Live, line: Line, wanted: Wanted) -> Understudy:
    """Who answers, as a line that somebody else may go on with. A client that asked for what is ours, or came back,
    goes on when the time of its session is up."""
    house = House(
        open=service.backend.open,
        fitting=lambda items: fitting(service, items),
        tell=live.notices.tell,
        new_event=service.new_event,
        now=service.now,
        rolls=lambda: wanted.goes_on is not None or live.notices.listened,
    )
    return Understudy(line, wanted.request, house)


def welcome(service: Service, live: Live, wanted: Wanted) -> None:
    """What is told first of a session beside its stream: by what its client comes back, and what it came back to."""
    again = wanted.goes_on
    give_token(service, live, again.claim if again else None)
    if again and wanted.request.history:
        live.notices.tell("restored", items=len(wanted.request.history.items), missing=list(again.missing))


def _who(record: Session) -> dict[str, str]:
    """Who spoke, in the terms of a request; the models of plain requests hold no conversation."""
    if record.agent:
        return {"agent": record.agent}
    return {"model": record.model} if record.kind == "realtime" else {}


async def _record(service: Service, principal: Principal, claim: Claim) -> Session:
    sessions = service.store.sessions
    if claim.token:
        found = await service.store.resume_tokens.find(hash_of(claim.token), service.now())
        record = await sessions.find(found.session_id) if found and found.owner == principal.name else None
        if record is None or record.owner != principal.name:
            raise used_up()
        return record
    record = await sessions.of_conversation(claim.conversation or "")
    if record is None or record.owner != principal.name or not is_one_person(principal):
        raise not_found()
    return record


def _with_voice(request: SessionRequest, record: Session, items: Sequence[Shown]) -> Mapping[str, Any] | None:
    """Whoever has been heard keeps the voice (S-15)."""
    heard = any(part.get("type") == "output_audio" for item in items for part in item.get("content") or ())
    if not heard or not record.voice or request.kind != "realtime":
        return request.config
    return laid_over(request.config or {}, {"type": "realtime", "audio": {"output": {"voice": record.voice}}})
