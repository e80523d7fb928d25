"""What each answer and each transcription of a session has used, and what that costs."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Column, Connection, Double, ForeignKeyConstraint, Row, Table, Text, bindparam, insert, select

from vivavoce.store.database import Database
from vivavoce.store.schema import Dollars, Words, metadata

__all__ = ["Response", "Responses", "note"]

_responses = Table(
    "responses",
    metadata,
    Column("session_id", Text, primary_key=True),
    Column("id", Words, primary_key=True),
    Column("kind", Words, nullable=False),
    Column("status", Words, nullable=False),
    Column("agent", Words),
    Column("model", Words, nullable=False),
    Column("usage", Text),
    Column("usd", Dollars),
    Column("ended_at", Double, nullable=False),
    ForeignKeyConstraint(["session_id"], ["sessions.id"], ondelete="CASCADE"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    id: str
    """``resp_…``; for a transcription, the id of the item that was transcribed."""
    model: str
    ended_at: float
    """Unix seconds."""
    kind: str = "response"
    """``response`` or ``transcription``, or what a turn-based endpoint calls what it does."""
    status: str = "completed"
    """``completed``, ``cancelled``, ``incomplete`` or ``failed``."""
    agent: str | None = None
    """Who gave it."""
    usage: Mapping[str, Any] | None = None
    """As the protocol tells it, by tokens or by seconds; None where nothing was told."""
    usd: Decimal | None = Decimal(0)
    """None where nobody here knows what this model costs."""


class Responses:
    def __init__(self, database: Database) -> None:
        self._run = database.run

    async def all(self, session_id: str) -> list[Response]:
        """Those of one session, the oldest first."""
        query = select(_responses).where(_responses.c.session_id == session_id)
        query = query.order_by(_responses.c.ended_at, _responses.c.id)
        return [_response(row) for row in await self._run(lambda connection: connection.execute(query).all())]


def note(connection: Connection, session_id: str, response: Response) -> bool:
    """Whether it is a new one: what is told twice, after a line was cut, counts once."""
    if connection.execute(_KNOWN, {"mine": session_id, "response_id": response.id}).scalar() is not None:
        return False
    row = {
        "session_id": session_id, "id": response.id, "kind": response.kind, "status": response.status,
        "agent": response.agent, "model": response.model, "usd": response.usd, "ended_at": response.ended_at,
        "usage": None if response.usage is None else json.dumps(response.usage, separators=(",", ":")),
    }  # fmt: skip
    connection.execute(_NEW, row)
    return True


_KNOWN = select(_responses.c.id).where(
    _responses.c.session_id == bindparam("mine"), _responses.c.id == bindparam("response_id")
)
_NEW = insert(_responses)


def _response(row: Row[Any]) -> Response:
    values = dict(row._mapping)
    del values["session_id"]
    values["usage"] = None if row.usage is None else json.loads(row.usage)
    return Response(**values)
