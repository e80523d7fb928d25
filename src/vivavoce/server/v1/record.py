"""Which record of the store a session is written down in, and what of it."""

from functools import partial

from vivavoce.access.agents import Kept
from vivavoce.backends.interface import Relays
from vivavoce.server.service import Service
from vivavoce.server.v1.wish import Wanted
from vivavoce.sessions.live import Live
from vivavoce.sessions.observers.record import Record
from vivavoce.store.sessions import Session

__all__ = ["begun", "kept", "record_of"]


def begun(service: Service, live: Live, wanted: Wanted) -> Session:
    """The record as it begins; a session that goes on, goes on in the one it had."""
    live.record = live.record or (wanted.goes_on.record if wanted.goes_on else wanted.request.session_id)
    return Session(
        id=live.record,
        owner=wanted.principal.name,
        kind=wanted.request.kind,
        kept=kept(service, wanted),
        backend="upstream" if isinstance(service.backend, Relays) else "builtin",
        model=wanted.request.model,
        agent=wanted.agent,
        call_id=live.id if live.kind == "webrtc" else None,
        started_at=service.now(),
    )


def kept(service: Service, wanted: Wanted) -> Kept:
    """What the agent that speaks now keeps."""
    return (wanted.persona.agent.store if wanted.persona else None) or service.options.store


def record_of(service: Service, live: Live, wanted: Wanted, begun: Session) -> Record:
    return Record(
        service.store.ledger,
        begun,
        kept=partial(kept, service, wanted),
        now=service.now,
        notices=live.notices,
        media=wanted.request.media,
    )
