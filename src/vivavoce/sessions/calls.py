"""Calls of the server's tools as clients see them: an ``mcp_call`` where whoever answers has a ``function_call``.

Item and id are the same, so what is linked to it, asked of it or deleted with it needs no translation (O-55)::

    output_item.added ─▶ arguments.delta … done ─▶ output_item.done ──runs──▶ conversation.item.done
     as mcp_call          as mcp_call_arguments     mcp_call.in_progress       held, until the result is there
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from vivavoce.protocol.frame import Frame
from vivavoce.protocol.session.mcp import McpFailure
from vivavoce.sessions.answer import Answer, Call, State, changed
from vivavoce.sessions.hidden import Hidden
from vivavoce.sessions.persona import Persona
from vivavoce.sessions.saying import Saying

__all__ = ["Calls"]

Frames = Sequence[Frame]


class Calls:
    """Those of one session, by the id of their item."""

    def __init__(self, persona: Persona, hidden: Hidden, say: Saying, new_id: Callable[[], str]) -> None:
        self._persona, self._hidden, self._say, self._new_id = persona, hidden, say, new_id
        self._calls: dict[str, Call] = {}

    def find(self, item_id: object) -> Call | None:
        return self._calls.get(str(item_id))

    def of(self, frame: Frame) -> Call | None:
        """The call that a frame tells of."""
        item = frame.data.get("item")
        return self.find(item.get("id") if isinstance(item, Mapping) else frame.data.get("item_id"))

    def answers(self, call_id: object) -> bool:
        """Whether the server itself answers what whoever answers knows by this id."""
        return any(call.call_id == call_id for call in self._calls.values())

    def note(self, item: Mapping[str, Any], answer: Answer) -> None:
        """A new item of this answer: it may be a call of ours."""
        item_id, name = str(item.get("id")), str(item.get("name"))
        if item.get("type") == "function_call" and item_id not in self._calls and name in self._persona.served:
            call = Call(self._persona.served[name], item_id, str(item.get("call_id")), str(item.get("arguments") or ""))
            self._calls[item_id] = answer.calls[item_id] = call

    def give(self, calls: Sequence[Call]) -> None:
        """Tell the model their results, each behind its call."""
        for call in calls:
            call.output_id = f"result_{self._new_id().removeprefix('event_')}"[:32]
            self._hidden.hide(call.output_id, behind=call.item_id)
            item = {"id": call.output_id, "type": "function_call_output", "call_id": call.call_id}
            item["output"] = call.output()
            self._say("conversation.item.create", previous_item_id=call.item_id, item=item)

    def hide_output(self, frame: Frame) -> None:
        """What told the model of a result is no client's to see, whatever id whoever answers has given it."""
        item = frame.data.get("item")
        if not isinstance(item, Mapping) or item.get("type") != "function_call_output":
            return
        if self.answers(item.get("call_id")):
            self._hidden.hide(str(item.get("id")))

    # As clients see them ----------------------------------------------------------------------------

    def shown(self, frame: Frame) -> Frames:
        """An event with an item in it."""
        call = self.of(frame)
        return (changed(frame, item=call.view()) if call else frame,)

    def done(self, frame: Frame) -> Frames:
        """``conversation.item.done``, which waits for the result."""
        call = self.of(frame)
        if call is not None and call.state is not State.ENDED:
            call.held = frame
            return ()
        return self.shown(frame)

    def arguments(self, frame: Frame) -> Frames:
        call = self.of(frame)
        if call is None:
            return (frame,)
        type = frame.type.replace("function_call", "mcp_call")
        kept = {name: value for name, value in frame.data.items() if name not in ("call_id", "name")}
        if type.endswith("delta"):
            kept["obfuscation"] = ""  # a client drops the event without (C-36)
        else:
            call.arguments = str(kept.get("arguments") or "")
        return (Frame(type, {**kept, "type": type}),)

    def runs(self, answer: Answer, call: Call) -> Frames:
        call.state = State.RUNNING
        return (self._told("response.mcp_call.in_progress", answer, call),)

    def ended(self, answer: Answer, call: Call, result: str | McpFailure | None) -> Frames:
        """With this result; None is a call that was cut."""
        call.end(result)
        where = {"response_id": answer.id, "output_index": answer.index(call.item_id)}
        frames = [self._event("response.output_item.done", **where, item=call.view())]
        if result is not None:
            how = "completed" if isinstance(result, str) else "failed"
            frames.insert(0, self._told(f"response.mcp_call.{how}", answer, call))
        if call.held is not None:
            frames.append(changed(call.held, item=call.view()))
            call.held = None
        return frames

    def _told(self, type: str, answer: Answer, call: Call) -> Frame:
        return self._event(type, output_index=answer.index(call.item_id), item_id=call.item_id)

    def _event(self, type: str, **fields: Any) -> Frame:
        return Frame(type, {"type": type, "event_id": self._new_id(), **fields})
