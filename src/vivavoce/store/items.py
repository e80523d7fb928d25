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
    Update,
    and_,
    bindparam,
    column,
    delete,
    exists,
    func,
    insert,
    select,
    table,
    tuple_,
    update,
)

from vivavoce.store.database import Transactions
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
    def __init__(self, database: Transactions) -> None:
        self._run = database.run

    async def put(self, session_id: str, *items: Item) -> None:
        """Writes them down. One that is there already keeps its place in the order, and the time it was said unless it
        is told now how long it sounded. Of one that is deleted nothing else changes."""

        await self._run(lambda connection: put(connection, [(session_id, item) for item in items]))

    async def all(self, session_id: str) -> list[Item]:
        """In the order of the conversation, with those that are no part of it where they were said; each knows the one
        before it in the conversation. Empty where there is no such session."""
        query = select(_items).where(_items.c.session_id == session_id).order_by(_items.c.position, _items.c.said_at)
        return await self._run(lambda connection: _linked(connection.execute(query).all()))

    async def find(self, session_id: str, id: str) -> Item | None:
        return next((item for item in await self.all(session_id) if item.id == id), None)


def put(connection: Connection, written: Sequence[tuple[str, Item]]) -> None:
    """As :meth:`Items.put` for items of any sessions, each with its session's id, inside a transaction in which nobody
    else writes to these sessions."""
    known: dict[str, dict[str, str]] = {session_id: {} for session_id, _ in written}
    if not known:
        return
    for row in connection.execute(_KNOWN, {"ids": [(session_id, item.id) for session_id, item in written]}):
        known[row.session_id][row.id] = row.place
    rows = _Rows(connection)
    pages = {row.id: _Page(rows, *row) for row in connection.execute(_ENDS, {"ids": list(known)})}
    for session_id, item in written:
        page, place = pages[session_id], known[session_id].get(item.id)
        if item.place == "deleted" and (place or not item.item.get("type")):
            page.change(item, _TAKE_OUT, {})
        elif place is None or (place == "deleted" and item.place == "conversation"):
            page.add(item, again=place is not None)
        else:
            page.change(item, _REWRITE if item.ms is None else _REWRITE_WITH_TIME, _values(item))
        if place or item.item.get("type"):
            known[session_id][item.id] = item.place
    rows.flush()


class _Rows:
    """What is to be written, of all sessions: new rows by one statement, and those that change alike by another."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._new: list[dict[str, Any]] = []
        self._changes: dict[Update, list[dict[str, Any]]] = {}
        self._waiting: set[tuple[str, str]] = set()

    def add(self, session_id: str, item: Item, position: int) -> None:
        self._wait(session_id, item.id)
        self._new.append({"session_id": session_id, "id": item.id, "position": position, **_values(item)})

    def change(self, session_id: str, item: Item, statement: Update, values: Mapping[str, Any]) -> None:
        self._wait(session_id, item.id)
        these = {f"its_{name}": value for name, value in values.items()}
        self._changes.setdefault(statement, []).append({"mine": session_id, "item_id": item.id, **these})

    def _wait(self, session_id: str, item_id: str) -> None:
        """One that changes twice changes in order."""
        if (session_id, item_id) in self._waiting:
            self.flush()
        self._waiting.add((session_id, item_id))

    def flush(self) -> None:
        if self._new:
            self.connection.execute(insert(_items), self._new)
        for statement, rows in self._changes.items():
            self.connection.execute(statement, rows)
        self._new, self._changes = [], {}
        self._waiting.clear()


class _Page:
    """Of one session. New items go to its end, the last position; one that goes elsewhere moves the others."""

    def __init__(self, rows: _Rows, session_id: str, end: int | None, last: str | None) -> None:
        self._rows, self._id, self._mine = rows, session_id, {"mine": session_id}
        self._end = -1 if end is None else end
        self._last = last
        """The last item of the conversation, where that is known."""

    def add(self, item: Item, *, again: bool) -> None:
        if again:
            self._rows.flush()
            self._rows.connection.execute(_FORGET, {**self._mine, "item_id": item.id})
        position = self._position(item)
        self._rows.add(self._id, item, position)
        self._end += 1
        if item.place == "conversation" and position == self._end:
            self._last = item.id

    def change(self, item: Item, statement: Update, values: Mapping[str, Any]) -> None:
        self._rows.change(self._id, item, statement, values)
        if item.id == self._last and item.place != "conversation":
            self._last = END

    def _position(self, item: Item) -> int:
        """Right before the one that follows it in the conversation; that one and all behind it have moved on."""
        if item.place != "conversation" or item.previous in (END, self._last):
            return self._end + 1
        self._rows.flush()
        run = self._rows.connection.execute
        before = -1 if item.previous is None else run(_AT, {**self._mine, "item_id": item.previous}).scalar()
        next = None if before is None else run(_NEXT, {**self._mine, "before": before}).scalar()
        if next is None:  # it is not there, or the last one
            return self._end + 1
        run(_MOVE, {**self._mine, "next": next})
        return int(next)


_these = tuple_(_items.c.session_id, _items.c.id).in_(bindparam("ids", expanding=True))
_KNOWN = select(_items.c.session_id, _items.c.id, _items.c.place).where(_these)
_sessions = table("sessions", column("id", Text))
_ours = _items.c.session_id == _sessions.c.id
_said = select(_items.c.id).where(_ours, _items.c.place == "conversation").order_by(_items.c.position.desc())
_ENDS = select(
    _sessions.c.id,
    select(func.max(_items.c.position)).where(_ours).scalar_subquery(),
    _said.limit(1).scalar_subquery(),
).where(_sessions.c.id.in_(bindparam("ids", expanding=True)))
_mine = _items.c.session_id == bindparam("mine")
_one = and_(_mine, _items.c.id == bindparam("item_id"))
_AT = select(_items.c.position).where(_one)
_NEXT = select(func.min(_items.c.position)).where(
    _mine, _items.c.place == "conversation", _items.c.position > bindparam("before")
)
_MOVE = update(_items).where(_mine, _items.c.position >= bindparam("next")).values(position=_items.c.position + 1)
_FORGET = delete(_items).where(_one)
_TAKE_OUT = update(_items).where(_one).values(place="deleted")


def _rewrite(*names: str) -> Update:
    told = {name: bindparam(f"its_{name}", type_=_items.c[name].type) for name in names}
    return update(_items).where(_one).values(told)


_REWRITE = _rewrite("place", "type", "role", "status", "words", "item")
_REWRITE_WITH_TIME = _rewrite("place", "type", "role", "status", "words", "item", "said_at", "ms")
"""Made once: to put a statement together takes longer than SQLite takes to run it."""
_json = json.JSONEncoder(separators=(",", ":")).encode


def _values(item: Item) -> dict[str, Any]:
    return {
        "place": item.place, "type": item.type, "role": item.role, "status": item.status, "said_at": item.said_at,
        "ms": item.ms, "words": item.words, "item": _json(item.item),
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
