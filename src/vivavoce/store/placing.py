"""How items get into their conversations: each has its place in the order, and is written anew when more is known.

Those of many sessions are written together: one statement looks where they go, and others write all that are new, and
all that change alike.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Text, and_, bindparam, column, delete, func, insert, select, table, update

from vivavoce.store.items import END, Item, items_table
from vivavoce.store.prepared import Prepared

__all__ = ["Page", "look", "put"]


class Page:
    """What is known of one session's items before some are put there. It is empty for a session that begins."""

    def __init__(self, end: int | None = None, last: str | None = None) -> None:
        self.end = -1 if end is None else end
        """The last position."""
        self.last = last
        """The last item of the conversation; :data:`END` where that has to be looked up."""
        self.places: dict[str, str] = {}
        """Of those items that are there already, among those that were looked for."""


def look(connection: Connection, wanted: Mapping[str, Sequence[Item]]) -> dict[str, Page]:
    """The pages, by the ids of their sessions, of those that are there; ``wanted`` are the items that are to be put."""
    ids = {"ids": list(wanted), "items": [item.id for items in wanted.values() for item in items]}
    pages: dict[str, Page] = {}
    for session_id, end, last, item_id, place in connection.execute(_LOOK, ids):
        page = pages.setdefault(session_id, Page(end, last))
        if item_id is not None:
            page.places[item_id] = place
    return pages


def put(connection: Connection, pages: Mapping[str, Page], written: Mapping[str, Sequence[Item]]) -> None:
    """Writes items down, by the ids of their sessions, to which nobody else writes in this transaction. One that is
    there already keeps its place in the order, and the time it was said unless it is told now how long it sounded. Of
    one that is deleted nothing else changes."""
    rows = _Rows(connection)
    for session_id, items in written.items():
        writing = _Writing(rows, session_id, pages[session_id])
        for item in items:
            writing.put(item)
    rows.flush()


class _Rows:
    """What is to be written, of all sessions."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._waiting: dict[Prepared, list[Mapping[str, Any]]] = {_NEW: []}
        self._items: set[tuple[str, str]] = set()

    def add(self, statement: Prepared, row: Mapping[str, Any]) -> None:
        item = (row["session_id"], row["id"])
        if item in self._items:
            self.flush()  # one that changes twice changes in order
        self._items.add(item)
        self._waiting.setdefault(statement, []).append(row)

    def flush(self) -> None:
        """New rows first."""
        for statement, rows in self._waiting.items():
            if rows:
                statement.run(self.connection, *rows)
        self._waiting = {_NEW: []}
        self._items.clear()


class _Writing:
    """In one session. New items go to its end; one that goes elsewhere moves the others."""

    def __init__(self, rows: _Rows, session_id: str, page: Page) -> None:
        self._rows, self._id, self._page, self._mine = rows, session_id, page, {"mine": session_id}

    def put(self, item: Item) -> None:
        place = self._page.places.get(item.id)
        exists = bool(item.item.get("type"))
        if item.place == "deleted" and (place or not exists):
            self._change(_TAKE_OUT, item)
        elif place is None or (place == "deleted" and item.place == "conversation"):
            self._add(item, again=place is not None)
        else:
            self._change(_REWRITE if item.ms is None else _REWRITE_WITH_TIME, item)
        if place or exists:
            self._page.places[item.id] = item.place

    def _add(self, item: Item, *, again: bool) -> None:
        page = self._page
        if again:
            self._rows.flush()
            self._rows.connection.execute(_FORGET, {**self._mine, "item_id": item.id})
        position = self._position(item)
        self._rows.add(_NEW, {**_row(self._id, item), "position": position})
        page.end += 1
        if item.place == "conversation" and position == page.end:
            page.last = item.id

    def _change(self, statement: Prepared, item: Item) -> None:
        self._rows.add(statement, _row(self._id, item))
        was_in, is_in = self._page.places.get(item.id) == "conversation", item.place == "conversation"
        if (is_in and not was_in) or (item.id == self._page.last and not is_in):
            self._page.last = END

    def _position(self, item: Item) -> int:
        """Right before the one that follows it in the conversation; that one and all behind it have moved on."""
        page = self._page
        if item.place != "conversation" or item.previous in (END, page.last):
            return page.end + 1
        self._rows.flush()
        run = self._rows.connection.execute
        before = -1 if item.previous is None else run(_AT, {**self._mine, "item_id": item.previous}).scalar()
        next = None if before is None else run(_NEXT, {**self._mine, "before": before}).scalar()
        if next is None:  # it is not there, or the last one
            return page.end + 1
        run(_MOVE, {**self._mine, "next": next})
        return int(next)


def _row(session_id: str, item: Item) -> dict[str, Any]:
    return {
        "session_id": session_id, "id": item.id, "place": item.place, "type": item.type, "role": item.role,
        "status": item.status, "said_at": item.said_at, "ms": item.ms, "words": item.words, "item": _json(item.item),
    }  # fmt: skip


_json = json.JSONEncoder(separators=(",", ":")).encode
_items, _said = items_table, items_table.alias()
_sessions = table("sessions", column("id", Text))
_its = _said.c.session_id == _sessions.c.id
_last = select(_said.c.id).where(_its, _said.c.place == "conversation").order_by(_said.c.position.desc()).limit(1)
_these = and_(_items.c.session_id == _sessions.c.id, _items.c.id.in_(bindparam("items", expanding=True)))
_LOOK: Final = (
    select(
        _sessions.c.id,
        select(func.max(_said.c.position)).where(_its).scalar_subquery(),
        _last.scalar_subquery(),
        _items.c.id,
        _items.c.place,
    )
    .select_from(_sessions.outerjoin(_items, _these))
    .where(_sessions.c.id.in_(bindparam("ids", expanding=True)))
)
_mine = _items.c.session_id == bindparam("mine")
_one = and_(_mine, _items.c.id == bindparam("item_id"))
_AT: Final = select(_items.c.position).where(_one)
_NEXT: Final = select(func.min(_items.c.position)).where(
    _mine, _items.c.place == "conversation", _items.c.position > bindparam("before")
)
_MOVE: Final = (
    update(_items).where(_mine, _items.c.position >= bindparam("next")).values(position=_items.c.position + 1)
)
_FORGET: Final = delete(_items).where(_one)


def _change(*names: str) -> Prepared:
    these = update(_items).where(_items.c.session_id == bindparam("session_id"), _items.c.id == bindparam("id"))
    return Prepared(these.values({name: bindparam(name, type_=_items.c[name].type) for name in names}))


_NEW: Final = Prepared(insert(_items))
_TAKE_OUT: Final = _change("place")
_REWRITE: Final = _change("place", "type", "role", "status", "words", "item")
_REWRITE_WITH_TIME: Final = _change("place", "type", "role", "status", "words", "item", "said_at", "ms")
