"""The default conversation: items in their order, and the events that tell of each change to it."""

from vivavoce.protocol.session.items import Item
from vivavoce.protocol.session.outbox import Outbox
from vivavoce.protocol.wire.errors import ProtocolError

__all__ = ["Conversation"]


class Conversation:
    """One writer of the order. Lookups are by id; a conversation has hundreds of items, not millions, so
    that the order itself is a plain list."""

    def __init__(self, conversation_id: str, outbox: Outbox) -> None:
        self.id = conversation_id
        self._out = outbox
        self._items: dict[str, Item] = {}
        self._order: list[str] = []

    def __contains__(self, item_id: object) -> bool:
        return item_id in self._items

    def __len__(self) -> int:
        return len(self._order)

    def items(self) -> list[Item]:
        return [self._items[item_id] for item_id in self._order]

    @property
    def tail(self) -> str | None:
        """The id of the last item: what the next one follows (O-45)."""
        return self._order[-1] if self._order else None

    def get(self, item_id: str, operation: str) -> Item:
        """Raises the API's error for an unknown id: ``item_<operation>_invalid_item_id`` (O-44)."""
        try:
            return self._items[item_id]
        except KeyError:
            message = f"Error with the item: there is no item '{item_id}' in the conversation."
            raise ProtocolError(f"item_{operation}_invalid_item_id", message) from None

    def has_call(self, call_id: str) -> bool:
        return any(item.type == "function_call" and item.fields["call_id"] == call_id for item in self._items.values())

    def place(self, previous_item_id: str | None) -> int:
        """Where an item after ``previous_item_id`` goes: None is the end, ``root`` the front (E-06)."""
        if previous_item_id is None:
            return len(self._order)
        if previous_item_id == "root":
            return 0
        if previous_item_id not in self._items:
            message = f"There is no item '{previous_item_id}' to put this one after."
            raise ProtocolError("invalid_value", message, param="previous_item_id")
        return self._order.index(previous_item_id) + 1

    def restore(self, item: Item) -> None:
        """Put an item in at the end that the client knows of already."""
        self._items[item.id] = item
        self._order.append(item.id)

    def add(self, item: Item, place: int | None = None) -> None:
        """Put an item in and tell of it: ``conversation.item.added``. It is done when :meth:`done` says so."""
        place = len(self._order) if place is None else place
        self._items[item.id] = item
        self._order.insert(place, item.id)
        self._tell("conversation.item.added", item)

    def done(self, item: Item) -> None:
        """Tell that an item is finished, unless it was deleted meanwhile."""
        if self._items.get(item.id) is item:
            self._tell("conversation.item.done", item)

    def delete(self, item_id: str) -> None:
        self.get(item_id, "delete")
        del self._items[item_id]
        self._order.remove(item_id)
        self._out.event("conversation.item.deleted", item_id=item_id)

    def _tell(self, event: str, item: Item) -> None:
        place = self._order.index(item.id)
        previous = self._order[place - 1] if place else None
        self._out.event(event, previous_item_id=previous, item=item.view())
