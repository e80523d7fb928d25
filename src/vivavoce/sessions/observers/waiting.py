"""What of a session waits to be written: items, each as it is now, what was paid for, what is known of the session.

It is bounded by items and by characters. What an item has become takes the place of what it was, so a slow store makes
it no larger than the conversation is.
"""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Final, NamedTuple

from vivavoce.store.items import Item
from vivavoce.store.responses import Response

__all__ = ["BATCH", "CHARACTERS", "ITEMS", "Taken", "Waiting"]

ITEMS: Final = 4096
"""An hour of talk, for a disk that stands still."""
CHARACTERS: Final = 16_000_000
"""Of all of them together: images weigh more than words."""
BATCH: Final = 256
"""Items that are taken at once, so that other sessions have their turn."""


class Taken(NamedTuple):
    items: list[Item]
    responses: list[Response]
    change: dict[str, Any]


class Waiting:
    def __init__(self) -> None:
        self._items: dict[str, Item] = {}
        self._characters = 0
        self._responses: list[Response] = []
        self.change: dict[str, Any] = {}
        """Fields of the session that are known now."""

    def __bool__(self) -> bool:
        return bool(self._items or self._responses or self.change)

    @property
    def items(self) -> int:
        return len(self._items)

    def add(self, item: Item) -> bool:
        """False where there is no room for it."""
        before = self._items.get(item.id)
        characters = self._characters + _weight(item) - (_weight(before) if before else 0)
        if characters > CHARACTERS or (before is None and len(self._items) >= ITEMS):
            return False
        self._items[item.id], self._characters = item, characters
        return True

    def pay(self, response: Response) -> None:
        self._responses.append(response)

    def take(self) -> Taken:
        """The oldest of it; what was paid for and what is known in any case."""
        items = [self._items.pop(id) for id in list(islice(self._items, BATCH))]
        self._characters -= sum(map(_weight, items))
        taken = Taken(items, self._responses, self.change)
        self._responses, self.change = [], {}
        return taken

    def put_back(self, taken: Taken) -> None:
        """As it was, as far as nothing newer has come."""
        again = [item for item in taken.items if item.id not in self._items]
        self._items = {item.id: item for item in again} | self._items
        self._characters += sum(map(_weight, again))
        self._responses = [*taken.responses, *self._responses]
        self.change = {**taken.change, **self.change}


def _weight(item: Item) -> int:
    return len(item.words) + sum(map(len, _texts(item.item)))


def _texts(item: Mapping[str, Any]) -> Iterator[str]:
    parts = item.get("content")
    for values in (
        (item, *(part for part in parts if isinstance(part, Mapping))) if isinstance(parts, list) else (item,)
    ):
        yield from (value for value in values.values() if isinstance(value, str))
