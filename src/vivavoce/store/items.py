"""What was said, and all else that a conversation is made of: its items, in the conversation's own order."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from sqlalchemy import (
    Column,
    Connection,
    Double,
    ForeignKeyConstraint,
    Integer,
    Row,
    Table,
    Text,
    delete,
    exists,
    func,
    insert,
    select,
    update,
)

from vivavoce.store.database import Database
from vivavoce.store.schema import Words, like, metadata

__all__ = ["END", "GAP", "Item", "Items", "Place", "put", "said"]

Place = Literal["conversation", "outside", "deleted"]
"""``outside``: heard, but never part of the conversation (``conversation: none``, a gap). ``deleted``: taken out of the
conversation by a client, so nothing that answers knows of it any more; it was said all the same."""

END: Final = ""
"""In the place of an item's id: after all others."""
GAP: Final = "session.gap"
"""The type of an item that stands where something is missing: ``{"type": "session.gap", "seconds": 12.5 | null}``."""

_items = Table(
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
    def __init__(self, database: Database) -> None:
        self._run = database.run

    async def put(self, session_id: str, *items: Item) -> None:
        """Writes them down. One that is there already keeps its place in the order, and the time it was said unless it
        is told now how long it sounded. Of one that is deleted nothing else changes."""

        def work(connection: Connection) -> None:
            for item in items:
                put(connection, session_id, item)

        await self._run(work)

    async def all(self, session_id: str) -> list[Item]:
        """In the order of the conversation, with those that are no part of it where they were said; each knows the one
        before it in the conversation. Empty where there is no such session."""
        query = select(_items).where(_items.c.session_id == session_id).order_by(_items.c.position, _items.c.said_at)
        return await self._run(lambda connection: _linked(connection.execute(query).all()))

    async def find(self, session_id: str, id: str) -> Item | None:
        return next((item for item in await self.all(session_id) if item.id == id), None)


def put(connection: Connection, session_id: str, item: Item) -> None:
    """As :meth:`Items.put`, inside a transaction in which nobody else writes to this session."""
    which = (_items.c.session_id == session_id) & (_items.c.id == item.id)
    known = connection.execute(select(_items.c.place).where(which)).scalar()
    if item.place == "deleted" and (known or not item.item.get("type")):
        connection.execute(update(_items).where(which).values(place="deleted"))
    elif known is None or (known == "deleted" and item.place == "conversation"):
        connection.execute(delete(_items).where(which))
        position = _position(connection, session_id, item.previous)
        row = {"session_id": session_id, "id": item.id, "position": position, **_values(item)}
        connection.execute(insert(_items).values(row))
    else:
        values = _values(item)
        if item.ms is None:
            del values["said_at"], values["ms"]
        connection.execute(update(_items).where(which).values(values))


def _values(item: Item) -> dict[str, Any]:
    return {
        "place": item.place, "type": item.type, "role": item.role, "status": item.status, "said_at": item.said_at,
        "ms": item.ms, "words": item.words, "item": json.dumps(item.item, separators=(",", ":")),
    }  # fmt: skip


def said(session_id: Any, words: str) -> Any:
    """Whether ``words`` were said in the session of this column."""
    return exists().where(_items.c.session_id == session_id, like(_items.c.words, words))


def _position(connection: Connection, session_id: str, previous: str | None) -> int:
    """Where it goes; what stands behind it has moved on."""
    mine = _items.c.session_id == session_id
    if previous:
        here = select(_items.c.position).where(mine, _items.c.id == previous)
        before = connection.execute(here).scalar()
    else:
        before = -1 if previous is None else None
    ends = select(func.coalesce(func.max(_items.c.position), -1)).where(mine)
    last: int = connection.execute(ends).scalar_one()
    if before is None or before == last:
        return last + 1
    moved = update(_items).where(mine, _items.c.position > before).values(position=_items.c.position + 1)
    connection.execute(moved)
    return int(before) + 1


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
