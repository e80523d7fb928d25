"""A stored session as ``/api`` shows it. Times are unix seconds; money is US dollars, as an exact decimal text."""

from dataclasses import asdict
from typing import Literal

import msgspec

from vivavoce.server.service import Service
from vivavoce.store.export import dollars
from vivavoce.store.recordings import Recording
from vivavoce.store.sessions import Session

__all__ = ["SessionDetails", "SessionSummary", "StoredRecording", "details", "summary"]


class SessionSummary(msgspec.Struct, kw_only=True):
    id: str
    title: str | None
    """What the user said first, until it is renamed."""
    preview: str | None
    """How its last item begins."""
    live: bool
    """Whether it goes on right now, on this server."""
    owner: str
    kind: str
    kept: Literal["off", "text", "audio"]
    backend: str
    model: str
    agent: str | None
    voice: str | None
    call_id: str | None
    conversation_id: str | None
    started_at: float
    active_at: float
    ended_at: float | None
    end_reason: str | None
    responses: int
    unpriced: int
    """Answers and transcriptions whose price is not known here."""
    usd: str


class StoredRecording(msgspec.Struct, kw_only=True):
    name: str
    started_at: float
    codec: str
    channels: int
    state: Literal["recording", "complete", "broken"]
    ms: int
    bytes: int


class SessionDetails(SessionSummary, kw_only=True):
    recordings: list[StoredRecording]


def summary(service: Service, session: Session) -> SessionSummary:
    return SessionSummary(**asdict(session) | {"usd": dollars(session.usd), "live": _is_live(service, session)})


def details(service: Service, session: Session, recordings: list[Recording]) -> SessionDetails:
    shown = [StoredRecording(**asdict(each)) for each in recordings]
    return SessionDetails(**msgspec.structs.asdict(summary(service, session)), recordings=shown)


def _is_live(service: Service, session: Session) -> bool:
    return session.id in service.registry.records()
