"""What is said of our own accord to whoever answers, and what follows where that is refused."""

import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from vivavoce.protocol.frame import Frame
from vivavoce.sessions.filters import Asides
from vivavoce.sessions.opening import client_event

__all__ = ["Refused", "Saying"]

log = logging.getLogger(__name__)

REMEMBERED = 64
"""Events of our own that an error may still come back for."""

Refused = Callable[[], Sequence[Frame]]


class Saying:
    def __init__(self, asides: Asides, new_id: Callable[[], str]) -> None:
        self._asides, self._new_id = asides, new_id
        self._said: OrderedDict[str, Refused] = OrderedDict()

    def __call__(self, type: str, refused: Refused = tuple, **fields: Any) -> None:
        """``refused`` makes what clients are told where this is not taken."""
        event_id = self._new_id()
        self._said[event_id] = refused
        if len(self._said) > REMEMBERED:
            self._said.popitem(last=False)
        self._asides.say(client_event(type, event_id, **fields))

    def refusal(self, error: Mapping[str, Any]) -> Sequence[Frame] | None:
        """What follows an error that answers an event of ours; None for any other error."""
        refused = self._said.pop(str(error.get("event_id")), None)
        if refused is None:
            return None
        log.warning("what was said for a tool was refused: %s", error.get("message"))
        return refused()
