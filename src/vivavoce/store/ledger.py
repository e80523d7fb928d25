"""Writes down what happens in a session, a batch at a time: all of a batch is written, or nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection

from vivavoce.store import items, responses, sessions, usage
from vivavoce.store.database import Database
from vivavoce.store.items import Item
from vivavoce.store.responses import Response
from vivavoce.store.sessions import Session

__all__ = ["Batch", "Ledger"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    session_id: str
    owner: str
    now: float
    """Unix seconds."""
    begun: Session | None = None
    """The record to begin with, where there is none yet."""
    change: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the session that are known now: ``conversation_id``, ``voice``, ``preview``, ``ended_at``, …"""
    title: str | None = None
    """Used where it has none."""
    items: Sequence[Item] = ()
    responses: Sequence[Response] = ()


class Ledger:
    def __init__(self, database: Database) -> None:
        self._run = database.run

    async def write(self, batch: Batch) -> bool:
        """False where the session was deleted meanwhile: no word of it is written again, what it used is counted."""
        return await self._run(lambda connection: _write(connection, batch))


def _write(connection: Connection, batch: Batch) -> bool:
    if batch.begun is not None:
        sessions.begin(connection, batch.begun)
    if not sessions.touch(connection, batch.session_id, batch.now, batch.change):
        for response in batch.responses:
            usage.add(connection, batch.owner, response)
        return False
    if batch.title:
        sessions.entitle(connection, batch.session_id, batch.title)
    if batch.items:
        items.put(connection, batch.session_id, batch.items)
    new = [each for each in batch.responses if responses.note(connection, batch.session_id, each)]
    for response in new:
        usage.add(connection, batch.owner, response)
    if new:
        unpriced = sum(response.usd is None for response in new)
        usd = sum((response.usd or Decimal(0) for response in new), Decimal(0))
        answers = sum(response.kind == "response" for response in new)
        sessions.charge(connection, batch.session_id, responses=answers, unpriced=unpriced, usd=usd)
    return True
