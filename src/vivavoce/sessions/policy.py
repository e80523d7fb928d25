"""What an agent's owner has fixed holds against every client of the session, over every transport.

Where something is fixed, the filter knows each client event of the protocol and passes no other: an upstream may know
more than we do. The owner alone, on a sideband, may do anything; what they change is the new measure.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from vivavoce.access import context as contexts
from vivavoce.protocol.frame import PLAYED, SOUND, Frame
from vivavoce.protocol.wire.errors import ProtocolError
from vivavoce.protocol.wire.events import CLIENT_EVENTS
from vivavoce.sessions.filters import OWNER, Filter
from vivavoce.sessions.persona import Persona, discreet

__all__ = ["Discretion", "Policy"]

_FREE = {"conversation", "metadata", "input"}
"""What a ``response.create`` may always say; ``input`` is a list of items, and held to what items may be."""
_SHOW_SESSION = {"session.created", "session.updated"}


class Discretion(Filter):
    """For a session without an agent: no echo shows a credential that was sent in."""

    def sees(self, type: str) -> bool:
        return type in _SHOW_SESSION

    def outward(self, frame: Frame) -> Sequence[Frame]:
        return (_with(frame, "session", discreet),) if frame.type in _SHOW_SESSION else (frame,)


class Policy(Filter):
    def __init__(self, persona: Persona) -> None:
        self._persona = persona
        self._calls: set[str] = set()
        """Function calls that wait for a client's output."""
        self._judges: dict[str, Callable[[Frame], Frame]] = {
            "session.update": self._update,
            "response.create": self._respond,
            "conversation.item.create": self._create,
        }

    def sees(self, type: str) -> bool:
        return type not in SOUND

    def inward(self, frame: Frame) -> Sequence[Frame]:
        if frame.origin.startswith(OWNER) or frame.type == PLAYED:
            return (frame,)
        if frame.type not in CLIENT_EVENTS and self._persona.agent.locked:
            words = f"'{frame.type[:64]}' is no event that this session takes."
            raise ProtocolError("invalid_value", words, param="type")
        judge = self._judges.get(frame.type)
        return (judge(frame) if judge else frame,)

    def outward(self, frame: Frame) -> Sequence[Frame]:
        if frame.type == "response.output_item.done":
            item = frame.data.get("item") or {}
            if item.get("type") == "function_call":
                self._calls.add(str(item.get("call_id")))
        if frame.type not in _SHOW_SESSION:
            return (frame,)
        self._persona.session = frame.data.get("session") or {}
        return (_with(frame, "session", self._persona.shown),)

    # What a client may not ------------------------------------------------------------------------------

    def _update(self, frame: Frame) -> Frame:
        patch = frame.data.get("session")
        if not isinstance(patch, Mapping):
            return frame  # whoever answers says what is wrong with it
        if patch.get("type") not in (None, "realtime"):
            raise ProtocolError("field_locked", "An agent's session is a conversation.", param="session.type")
        return _put(frame, "session", self._persona.update(patch, self._persona.session, "session"))

    def _respond(self, frame: Frame) -> Frame:
        asked = frame.data.get("response")
        if not isinstance(asked, Mapping):
            return frame
        free = {key: value for key, value in asked.items() if key in _FREE}
        if isinstance(free.get("input"), list):
            free["input"] = [self._item(item, f"response.input[{at}]") for at, item in enumerate(free["input"])]
        fixed = {key: value for key, value in asked.items() if key not in _FREE}
        return _put(frame, "response", self._persona.update(fixed, self._persona.session, "response") | free)

    def _create(self, frame: Frame) -> Frame:
        item = frame.data.get("item")
        judged = self._item(item, "item")
        if isinstance(item, Mapping) and item.get("type") == "function_call_output":
            self._calls.discard(str(item.get("call_id")))
        return _put(frame, "item", judged)

    def _item(self, item: Any, at: str) -> Any:
        """An item that a client may put in: what its user says, the output of a call that waits for one, its word on
        an approval, a reference; and page context, which is marked as such here."""
        if "history" in self._persona.agent.client_may or not isinstance(item, Mapping):
            return item
        kind, role = item.get("type"), item.get("role")
        if kind == "message" and role == "system" and str(item.get("id", "")).startswith(contexts.ITEM_PREFIX):
            return contexts.item(contexts.read(_text(item), at)["page"], str(item["id"]))
        if kind == "function_call_output" and item.get("call_id") not in self._calls:
            words = "No function call of this session waits for this output."
            raise ProtocolError("field_locked", words, param=f"{at}.call_id")
        if (kind == "message" and role == "user") or kind in _MAY_COME:
            return item
        where = f"{at}.role" if kind == "message" else f"{at}.type"
        words = "With this agent, a client adds what its user says and what its own functions give, and nothing else."
        raise ProtocolError("field_locked", words, param=where)


_MAY_COME = {"function_call_output", "mcp_approval_response", "item_reference"}


def _text(item: Mapping[str, Any]) -> str:
    parts = item.get("content")
    texts = [part.get("text") for part in parts if isinstance(part, Mapping)] if isinstance(parts, list) else []
    return "\n".join(text for text in texts if isinstance(text, str))


def _put(frame: Frame, key: str, value: Any) -> Frame:
    return Frame(frame.type, {**frame.data, key: value}, frame.audio, frame.origin)


def _with(frame: Frame, key: str, change: Callable[[Mapping[str, Any]], Any]) -> Frame:
    value = frame.data.get(key)
    return _put(frame, key, change(value)) if isinstance(value, Mapping) else frame
