"""Items of a conversation that no client sees: what tells of them is dropped, and what comes behind them is told to
come behind what the clients know."""

from collections.abc import Mapping
from typing import Any

from vivavoce.protocol.frame import Frame

__all__ = ["Hidden"]


class Hidden:
    """Those of one session, by id."""

    def __init__(self) -> None:
        self._behind: dict[str, Any] = {}
        """The id of the item that each stands behind, once that is known."""

    def __contains__(self, item_id: object) -> bool:
        return item_id in self._behind

    def hide(self, item_id: str, behind: str | None = None) -> None:
        self._behind.setdefault(item_id, behind)

    def shown(self, frame: Frame) -> Frame | None:
        """The frame as clients may see it; None where it tells of a hidden item."""
        data, item = frame.data, frame.data.get("item")
        item_id = item.get("id") if isinstance(item, Mapping) else data.get("item_id")
        if item_id in self._behind:
            if self._behind[item_id] is None:
                self._behind[item_id] = data.get("previous_item_id")
            return None
        previous = data.get("previous_item_id")
        if previous not in self._behind:
            return frame
        return Frame(frame.type, {**data, "previous_item_id": self._known(previous)}, frame.audio, frame.origin)

    def _known(self, item_id: Any) -> Any:
        for _ in self._behind:  # whatever an upstream makes of the links, this ends
            item_id = self._behind.get(item_id, item_id)
        return item_id
