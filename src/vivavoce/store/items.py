"""What was said, and all else that a conversation is made of: its items, in the conversation's own order. How they get
into it is in ``placing.py``."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from sqlalchemy import Column, Double, ForeignKeyConstraint, Index, Integer, Row, Table, Text, exists, select

from vivavoce.store.database import Transactions
from vivavoce.store.schema import Words, like, metadata

__all__ = ["END", "GAP", "Item", "Items", "Place", "items_table", "said"]

Place = Literal["conversation", "outside", "deleted"]
"""``outside``: heard, but never part of the conversation (``conversation: none``, a gap). ``deleted``: taken out of the
conversation by a client, so nothing that answers knows of it any more; it was said all the same."""

END: Final = ""
"""In the place of an item's id: after all others."""
GAP: Final = "session.gap"
"""The type of an item that stands where something is missing: ``{"type": "session.gap", "seconds": 12.5 | null}``."""

items_table = Table(
    "items",
    metadata,
    Column("session_id", Text, primary_key=True),
    Column("id", Words, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("place", Text, nullable=False),
    Column("type", Words, nullable=False),
    Column("role", Words),
    Column("status", Words),
    Column("said_at", Double, nullable=False),
    Column("ms", Integer),
    Column("words", Words, nullable=False),
    Column("item", Text, nullable=False),
    ForeignKeyConstraint(["session_id"], ["sessions.id"], ondelete="CASCADE"),
    Index(None, "session_id", "position"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    id: str
    type: str
    """``message``, ``function_call``, ``function_call_output``, ``mcp_call``, … or :data:`GAP`."""
    item: Mapping[str, Any]
    """The whole item in GA's shape, as ``conversation.item.done`` shows it, with its id, status, role and content. The
    words of assistant audio are those that were heard; the bytes of no sound are in it."""
    said_at: float
    """Unix seconds: when one began to say it, else when it came."""
    ms: int | None = None
    """How long it sounded; None where it did not, or nobody knows."""
    role: str | None = None
    status: str | None = None
    """``completed``, ``incomplete``; ``in_progress`` for what a crash cut short."""
    words: str = ""
    """What was said or written in it, for people: no call's arguments, no data."""
    place: Place = "conversation"
    previous: str | None = END
    """The id of the item before it in the conversation; None for the first. When it is written :data:`END` is after
    all others, as is an id that is not there."""


class Items:
    def __init__(self, database: Transactions) -> None:
        self._run = database.run

    async def all(self, session_id: str) -> list[Item]:
        """In the order of the conversation, with those that are no part of it where they were said; each knows the one
        before it in the conversation. Empty where there is no such session."""
        query = select(items_table).where(items_table.c.session_id == session_id)
        query = query.order_by(items_table.c.position, items_table.c.said_at)
        return await self._run(lambda connection: _linked(connection.execute(query).all()))

    async def find(self, session_id: str, id: str) -> Item | None:
        return next((item for item in await self.all(session_id) if item.id == id), None)


def said(session_id: Any, words: str) -> Any:
    """Whether ``words`` were said in the session of this column."""
    return exists().where(items_table.c.session_id == session_id, like(items_table.c.words, words))


def _linked(rows: Any) -> list[Item]:
    items, previous = [], None
    for row in rows:
        items.append(_item(row, previous))
        if row.place == "conversation":
            previous = row.id
    return items


def _item(row: Row[Any], previous: str | None) -> Item:
    values = dict(row._mapping)
    del values["session_id"], values["position"]
    values["item"] = json.loads(row.item)
    return Item(**values, previous=previous)
