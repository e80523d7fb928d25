"""Which record of the store a session is written down in, and what of it."""

from vivavoce.access.agents import Kept
from vivavoce.backends.interface import Relays
from vivavoce.server.service import Service
from vivavoce.server.v1.wish import Wanted
from vivavoce.sessions.observers.record import Record
from vivavoce.sessions.registry import Live
from vivavoce.store.sessions import Session

__all__ = ["record_of"]


def record_of(service: Service, live: Live, wanted: Wanted) -> Record:
    """A session that goes on, goes on in the record it had; a new one has a new one of its own id."""
    live.record = live.record or wanted.request.session_id

    def kept() -> Kept:
        return (wanted.persona.agent.store if wanted.persona else None) or service.options.store

    begun = Session(
        id=live.record,
        owner=wanted.principal.name,
        kind=wanted.request.kind,
        kept=kept(),
        backend="upstream" if isinstance(service.backend, Relays) else "builtin",
        model=wanted.request.model,
        agent=wanted.agent,
        call_id=live.id if live.kind == "webrtc" else None,
        started_at=service.now(),
    )
    return Record(
        service.store.ledger.write,
        begun,
        kept=kept,
        now=service.now,
        notices=live.notices,
        media=wanted.request.media,
    )
