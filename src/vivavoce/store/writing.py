"""What is written down of sessions: a batch of each, all of them by a few statements, whose number does not grow with
them. It is one transaction: all of it is written, or nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from vivavoce.store import items, responses, sessions, usage
from vivavoce.store.items import Item
from vivavoce.store.responses import Response
from vivavoce.store.sessions import Session

__all__ = ["Batch", "write"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    session_id: str
    owner: str
    now: float
    """Unix seconds."""
    begun: Session | None = None
    """The record to begin with, where there is none yet."""
    change: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the session that are known now: ``conversation_id``, ``voice``, ``preview``, ``ended_at``, …; a
    ``title`` for where it has none."""
    items: Sequence[Item] = ()
    responses: Sequence[Response] = ()


def write(connection: Connection, batches: Sequence[Batch]) -> list[bool]:
    """For each of them, whether its session is still there. Of one that was deleted no word is written again; what it
    used is counted all the same."""
    there = sessions.lock(connection, {batch.session_id for batch in batches})
    begun = {batch.session_id: batch.begun for batch in batches if batch.begun and batch.session_id not in there}
    sessions.add(connection, list(begun.values()))
    there |= begun.keys()
    alive = [batch for batch in batches if batch.session_id in there]
    _tell(connection, alive)
    items.put(connection, [(batch.session_id, item) for batch in alive for item in batch.items])
    paid = [(batch.session_id, response) for batch in alive for response in batch.responses]
    new = responses.note(connection, paid)
    sessions.charge(connection, new)
    owners = {batch.session_id: batch.owner for batch in batches}
    gone = [(batch.session_id, each) for batch in batches if batch.session_id not in there for each in batch.responses]
    usage.add(connection, [(owners[session_id], response) for session_id, response in (*new, *gone)])
    return [batch.session_id in there for batch in batches]


def _tell(connection: Connection, batches: Sequence[Batch]) -> None:
    changes: dict[str, dict[str, Any]] = {}
    for batch in batches:
        changes.setdefault(batch.session_id, {}).update(batch.change, active_at=batch.now)
    titles = {id: change.pop("title") for id, change in changes.items() if "title" in change}
    sessions.change(connection, changes)
    sessions.entitle(connection, titles)
