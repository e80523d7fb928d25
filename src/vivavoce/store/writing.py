"""What is written down of sessions: a batch of each, by a few statements for all of them, and one for each answer. It
is one transaction: all of it is written, or nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from vivavoce.store import placing, responses, sessions, usage
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
    """What is known now of the session, see :func:`sessions.tell`. It goes on, unless its ``ended_at`` is told."""
    items: Sequence[Item] = ()
    responses: Sequence[Response] = ()


def write(connection: Connection, batches: Sequence[Batch]) -> list[bool]:
    """For each of them, whether its session is still there. Of one that was deleted no word is written again; what it
    used is counted all the same."""
    sessions.begin(connection, [batch.begun for batch in batches if batch.begun])
    sessions.tell(connection, [(batch.session_id, batch.now, batch.change) for batch in batches])
    items: dict[str, list[Item]] = {}
    for batch in batches:
        items.setdefault(batch.session_id, []).extend(batch.items)
    there = placing.look(connection, items)
    placing.put(connection, there, {id: these for id, these in items.items() if id in there})
    used = [(batch, response) for batch in batches for response in batch.responses]
    new = responses.note(connection, [(batch.session_id, each) for batch, each in used if batch.session_id in there])
    sessions.charge(connection, new)
    owners = {batch.session_id: batch.owner for batch in batches}
    paid = [(owners[session_id], response) for session_id, response in new]
    usage.add(connection, [*paid, *((batch.owner, each) for batch, each in used if batch.session_id not in there)])
    return [batch.session_id in there for batch in batches]
