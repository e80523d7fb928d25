"""What each answer and each transcription of a session has used, and what that costs."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Double,
    ForeignKeyConstraint,
    Row,
    Table,
    Text,
    bindparam,
    exists,
    insert,
    select,
)

from vivavoce.store.database import Transactions
from vivavoce.store.prepared import Prepared
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
    def __init__(self, database: Transactions) -> None:
        self._run = database.run

    async def all(self, session_id: str) -> list[Response]:
        """Those of one session, the oldest first."""
        query = select(_responses).where(_responses.c.session_id == session_id)
        query = query.order_by(_responses.c.ended_at, _responses.c.id)
        return [_response(row) for row in await self._run(lambda connection: connection.execute(query).all())]


def note(connection: Connection, told: Sequence[tuple[str, Response]]) -> list[tuple[str, Response]]:
    """Writes responses down, each with its session's id. Those that are new: what is told twice, after a line was cut,
    counts once."""
    return [(id, response) for id, response in told if _NEW.run(connection, _row(id, response)).rowcount]


_row_of = [bindparam(column.name, type_=column.type) for column in _responses.columns]
_known = exists().where(_responses.c.session_id == bindparam("session_id"), _responses.c.id == bindparam("id"))
_NEW = Prepared(insert(_responses).from_select([each.key for each in _row_of], select(*_row_of).where(~_known)))


def _row(session_id: str, response: Response) -> dict[str, Any]:
    return {
        "session_id": session_id, "id": response.id, "kind": response.kind, "status": response.status,
        "agent": response.agent, "model": response.model, "usd": response.usd, "ended_at": response.ended_at,
        "usage": None if response.usage is None else json.dumps(response.usage, separators=(",", ":")),
    }  # fmt: skip


def _response(row: Row[Any]) -> Response:
    values = dict(row._mapping)
    del values["session_id"]
    values["usage"] = None if row.usage is None else json.loads(row.usage)
    return Response(**values)
