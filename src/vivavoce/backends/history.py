"""A conversation that goes on in a new session: what was said in the one before, and by what name clients know it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["History"]


@dataclass(frozen=True, slots=True)
class History:
    """For :attr:`SessionRequest.history`. The new session knows all of it, and tells of none of it."""

    conversation_id: str | None
    """``conv_…``; None where no client knows a name for it."""
    items: Sequence[Mapping[str, Any]]
    """The oldest first, as ``conversation.item.done`` shows them, with their ids. There is no sound in them; of
    assistant audio the words are those that were heard."""
