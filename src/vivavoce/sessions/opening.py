"""How a session of an agent begins: with what the page tells of itself, and with the agent speaking first."""

from collections.abc import Callable, Sequence
from typing import Any

from vivavoce.access import context as contexts
from vivavoce.protocol.frame import Frame
from vivavoce.sessions.filters import Asides, Filter
from vivavoce.sessions.persona import Persona

__all__ = ["Opening", "client_event", "spoken_first"]


class Opening(Filter):
    """It lets everything pass."""

    def __init__(self, persona: Persona, asides: Asides, new_id: Callable[[], str]) -> None:
        self._persona, self._asides, self._new_id = persona, asides, new_id
        self._begun = False

    def sees(self, type: str) -> bool:
        return type == "session.created"

    def outward(self, frame: Frame) -> Sequence[Frame]:
        if frame.type == "session.created" and not self._begun:
            self._begun = True
            self._begin()
        return (frame,)

    def _begin(self) -> None:
        if untold := self._persona.untold:
            item = contexts.item(untold, f"{contexts.ITEM_PREFIX}page")
            self._asides.say(client_event("conversation.item.create", self._new_id(), item=item))
        if greeting := self._persona.agent.greeting:
            self._asides.say(spoken_first(greeting, self._new_id()))


def spoken_first(words: str, event_id: str) -> Frame:
    """Asks for an answer of exactly these words, in the way that models understand."""
    instructions = f'Say exactly "{words.replace(chr(34), chr(39))}" and nothing else.'
    return client_event("response.create", event_id, response={"instructions": instructions, "tool_choice": "none"})


def client_event(type: str, event_id: str, **fields: Any) -> Frame:
    return Frame(type, {"type": type, "event_id": event_id, **fields})
