"""What was said, and all else that a conversation is made of: its items, in the conversation's own order."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from sqlalchemy import (
    Column,
    Connection,
    Double,
    ForeignKeyConstraint,
    Index,
    Integer,
    Row,
    Table,
    Text,
    bindparam,
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
    def __init__(self, database: Database) -> None:
        self._run = database.run

    async def put(self, session_id: str, *items: Item) -> None:
        """Writes them down. One that is there already keeps its place in the order, and the time it was said unless it
        is told now how long it sounded. Of one that is deleted nothing else changes."""

        await self._run(lambda connection: put(connection, session_id, items))

    async def all(self, session_id: str) -> list[Item]:
        """In the order of the conversation, with those that are no part of it where they were said; each knows the one
        before it in the conversation. Empty where there is no such session."""
        query = select(_items).where(_items.c.session_id == session_id).order_by(_items.c.position, _items.c.said_at)
        return await self._run(lambda connection: _linked(connection.execute(query).all()))

    async def find(self, session_id: str, id: str) -> Item | None:
        return next((item for item in await self.all(session_id) if item.id == id), None)


def put(connection: Connection, session_id: str, items: Sequence[Item]) -> None:
    """As :meth:`Items.put`, inside a transaction in which nobody else writes to this session."""
    ids = {"mine": session_id, "ids": [item.id for item in items]}
    known: dict[str, str] = {row.id: row.place for row in connection.execute(_KNOWN, ids)}
    writing = _Writing(connection, session_id)
    for item in items:
        place = known.get(item.id)
        if item.place == "deleted" and (place or not item.item.get("type")):
            writing.change(item, {"place": "deleted"})
        elif place is None or (place == "deleted" and item.place == "conversation"):
            writing.add(item, again=place is not None)
        else:
            values = _values(item)
            if item.ms is None:
                del values["said_at"], values["ms"]
            writing.change(item, values)
        if place or item.item.get("type"):
            known[item.id] = item.place
    writing.flush()


class _Writing:
    """New items go to the end of their conversation, many at a time; one that goes elsewhere moves the others."""

    def __init__(self, connection: Connection, session_id: str) -> None:
        self._connection, self._id, self._mine = connection, session_id, {"mine": session_id}
        self._end: int = connection.execute(_END, self._mine).scalar_one()
        self._last = connection.execute(_LAST, self._mine).scalar()
        self._new: list[dict[str, Any]] = []

    def add(self, item: Item, *, again: bool) -> None:
        if again:
            self.flush()
            self._connection.execute(_FORGET, {**self._mine, "item_id": item.id})
        position = self._position(item)
        self._new.append({"session_id": self._id, "id": item.id, "position": position, **_values(item)})
        self._end += 1
        if item.place == "conversation" and position == self._end:
            self._last = item.id

    def change(self, item: Item, values: Mapping[str, Any]) -> None:
        self.flush()
        which = (_items.c.session_id == self._id) & (_items.c.id == item.id)
        self._connection.execute(update(_items).where(which).values(values))
        if item.id == self._last and item.place != "conversation":
            self._last = self._connection.execute(_LAST, self._mine).scalar()

    def flush(self) -> None:
        if self._new:
            self._connection.execute(insert(_items), self._new)
            self._new = []

    def _position(self, item: Item) -> int:
        """Right before the one that follows it in the conversation; that one and all behind it have moved on."""
        if item.place != "conversation" or item.previous in (END, self._last):
            return self._end + 1
        self.flush()
        behind = {**self._mine, "item_id": item.previous}
        before = -1 if item.previous is None else self._connection.execute(_AT, behind).scalar()
        if before is None:  # it is not there
            return self._end + 1
        next = self._connection.execute(_NEXT, {**self._mine, "before": before}).scalar()
        if next is None:
            return self._end + 1
        self._connection.execute(_MOVE, {**self._mine, "next": next})
        return int(next)


_mine = _items.c.session_id == bindparam("mine")
_KNOWN = select(_items.c.id, _items.c.place).where(_mine, _items.c.id.in_(bindparam("ids", expanding=True)))
_END = select(func.coalesce(func.max(_items.c.position), -1)).where(_mine)
_LAST = select(_items.c.id).where(_mine, _items.c.place == "conversation").order_by(_items.c.position.desc()).limit(1)
_AT = select(_items.c.position).where(_mine, _items.c.id == bindparam("item_id"))
_NEXT = select(func.min(_items.c.position)).where(
    _mine, _items.c.place == "conversation", _items.c.position > bindparam("before")
)
_MOVE = update(_items).where(_mine, _items.c.position >= bindparam("next")).values(position=_items.c.position + 1)
_FORGET = delete(_items).where(_mine, _items.c.id == bindparam("item_id"))
"""Made once: to put a statement together takes longer than SQLite takes to run it."""


def _values(item: Item) -> dict[str, Any]:
    return {
        "place": item.place, "type": item.type, "role": item.role, "status": item.status, "said_at": item.said_at,
        "ms": item.ms, "words": item.words, "item": json.dumps(item.item, separators=(",", ":")),
    }  # fmt: skip


def said(session_id: Any, words: str) -> Any:
    """Whether ``words`` were said in the session of this column."""
    return exists().where(_items.c.session_id == session_id, like(_items.c.words, words))


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
