"""The newest items of a session, as far as anything may still come of them, and which of them are to be written."""

from collections.abc import Iterator
from typing import Final

from vivavoce.sessions.observers.noted import Noted
from vivavoce.store.items import Item

__all__ = ["REMEMBERED", "Remembered"]

REMEMBERED: Final = 256
"""Items of which something may still be told: what was said in them, how much of them was heard."""


class Remembered:
    def __init__(self) -> None:
        self._items: dict[str, Noted] = {}
        self._changed: dict[str, None] = {}

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Noted]:
        return iter(self._items.values())

    def get(self, id: object) -> Noted | None:
        return self._items.get(str(id))

    def begin(self, id: str, said_at: float) -> Noted:
        """A new one; the oldest is forgotten where there are too many."""
        noted = self._items[id] = Noted(id, said_at)
        while len(self._items) > REMEMBERED:
            del self._items[next(iter(self._items))]
        return noted

    def changed(self, noted: Noted) -> None:
        """It is to be written."""
        self._changed[noted.id] = None

    def take(self) -> list[Item]:
        """Those to be written, as they are now. What nothing can come of any more is forgotten: the store knows it."""
        if not self._changed:
            return []
        changed = [self._items[id] for id in self._changed if id in self._items]
        self._changed.clear()
        items = [noted.view() for noted in changed]
        for noted in changed:
            if noted.finished and not noted.may_change:
                del self._items[noted.id]
        return items
