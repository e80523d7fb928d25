"""What clients ask of a session with tools of ours, so that it fits what they see: calls that are ours to answer, a
response that is open though whoever answers has ended it, phrases that stand in no conversation."""

import asyncio
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from vivavoce.access.agents import Agent
from vivavoce.access.tools import merged
from vivavoce.protocol.frame import Frame
from vivavoce.protocol.session.usage import ZERO
from vivavoce.protocol.wire.errors import ProtocolError
from vivavoce.sessions.answer import Answer, changed
from vivavoce.sessions.calls import Calls
from vivavoce.sessions.fillers import Fillers
from vivavoce.sessions.filters import OWNER
from vivavoce.sessions.persona import Persona
from vivavoce.sessions.saying import Saying

__all__ = ["AFTERWARDS", "Asking"]

AFTERWARDS = 5.0
"""Seconds after an answer with a call in it in which a client may ask for what it has been given already."""

Hear = Callable[[Callable[[], Sequence[Frame]]], None]


class Asking:
    """``hear`` has something told in the place of who answers."""

    def __init__(
        self,
        persona: Persona,
        calls: Calls,
        fillers: Fillers,
        *,
        hear: Hear,
        say: Saying,
        new_id: Callable[[], str],
    ) -> None:
        self._persona, self._calls, self._fillers = persona, calls, fillers
        self._hear, self._say, self._new_id = hear, say, new_id
        self._clock = asyncio.get_running_loop().time
        self.latest: Mapping[str, Any] = {}
        """The response that a client was given last."""
        self._asked: tuple[Any, Mapping[str, Any]] | None = None
        """The id and the wishes of a ``response.create`` that was not answered yet."""
        self._given_until = -math.inf
        """Until when a ``response.create`` without a wish asks for what was given. One official SDK sends it behind
        each ``mcp_call``, unasked, since OpenAI ends the response there and leaves the next one to the client; the
        other waits for the server to go on by itself."""
        self._judges: dict[str, Callable[[Frame, Answer | None], Frame | None]] = {
            "session.update": lambda frame, _: self._update(frame),
            "response.create": self._respond,
            "conversation.item.create": lambda frame, _: self._create(frame),
            "input_audio_buffer.commit": lambda frame, _: self._commit(frame),
            "conversation.item.delete": lambda frame, _: self._delete(frame),
            "conversation.item.retrieve": lambda frame, _: self._retrieve(frame),
            "conversation.item.truncate": lambda frame, _: self._truncate(frame),
        }

    def judge(self, frame: Frame, answer: Answer | None) -> Sequence[Frame]:
        """What goes on to whoever answers, while this answer is open. Raises :class:`ProtocolError`."""
        judge = self._judges.get(frame.type)
        judged = judge(frame, answer) if judge else frame
        return () if judged is None else (judged,)

    def taken(self) -> Mapping[str, Any]:
        """The wishes that the response that has just begun was asked for with."""
        asked, self._asked = self._asked, None
        return {} if asked is None else asked[1]

    def given(self, until: float) -> None:
        """A call of ours has ended, and its answer goes on, or is over then."""
        self._given_until = until

    def refused(self, error: Mapping[str, Any]) -> None:
        if self._asked is not None and self._asked[0] == error.get("event_id"):
            self._asked = None

    def again(self, answer: Answer, *, choose: bool) -> dict[str, Any]:
        """The wishes with which an answer goes on. A call that was demanded has been made; and where the context was
        given, what has come of it belongs to it."""
        again = {name: value for name, value in answer.asked.items() if name not in ("input", "conversation")}
        if isinstance(given := answer.asked.get("input"), list):
            outputs = (call.output_id for call in answer.calls.values())
            known = [*answer.items, *filter(None, outputs)]
            fresh = [item_id for item_id in known if item_id not in self._fillers.items]
            again["input"] = [*given, *({"type": "item_reference", "id": item_id} for item_id in fresh)]
        return {**again, "tool_choice": "auto" if choose else "none"}

    def _update(self, frame: Frame) -> Frame:
        """The session's owner may change all else; what this server runs is in force beside it."""
        frame = self._chosen(frame, "session")
        patch = frame.data.get("session")
        if not frame.origin.startswith(OWNER) or not isinstance(patch, Mapping) or patch.get("tools") is None:
            return frame
        ours = [tool.definition() for tool in self._persona.served.values()]
        tools = merged(Agent(name=""), ours, patch["tools"], "session.tools", self._persona.labels)
        return changed(frame, session={**patch, "tools": tools})

    def _respond(self, frame: Frame, answer: Answer | None) -> Frame | None:
        frame = self._chosen(frame, "response")
        asked = frame.data.get("response")
        wishes = asked if isinstance(asked, Mapping) else {}
        for index, item in enumerate(_list(wishes.get("input"))):
            self._check_output(item, f"response.input[{index}]")
        if wishes.get("conversation") == "none":
            return self._beside(frame, wishes)
        if not wishes and self._clock() < self._given_until:
            self._given_until = -math.inf
            if answer is None:
                self._nothing_more()
            return None
        self._given_until = -math.inf
        if answer is not None and answer.waits:
            raise ProtocolError(
                "conversation_already_has_active_response",
                f"Conversation already has an active response in progress: {answer.id}. Wait until the response is "
                "finished before creating a new one.",
            )
        self._asked = frame.data.get("event_id"), wishes
        return frame

    def _nothing_more(self) -> None:
        """A response with nothing in it: the client that asked waits for one to begin and to end."""
        response = {**self.latest, "id": f"resp_{self._new_id().removeprefix('event_')}"[:32], "output": []}
        self._tell("response.created", response={**response, "status": "in_progress", "usage": None})
        self._tell("response.done", response={**response, "status": "completed", "usage": ZERO})

    def _beside(self, frame: Frame, wishes: Mapping[str, Any]) -> Frame:
        """A response out of band is made without tools of ours: their results have no place to be kept."""
        served = self._persona.served
        if not served:
            return frame
        asked = _list(wishes["tools"]) if "tools" in wishes else self._persona.tools
        tools = [tool for tool in asked if not (isinstance(tool, Mapping) and tool.get("name") in served)]
        return changed(frame, response={**wishes, "tools": tools})

    def _chosen(self, frame: Frame, within: str) -> Frame:
        """A client knows our tools as those of an MCP server (S-32)."""
        patch = frame.data.get(within)
        choice = patch.get("tool_choice") if isinstance(patch, Mapping) else None
        if not isinstance(patch, Mapping) or not isinstance(choice, Mapping) or choice.get("type") != "mcp":
            return frame
        if choice.get("server_label") not in {tool.label for tool in self._persona.served.values()}:
            return frame
        name = choice.get("name")
        function = {"type": "function", "name": name} if name else "required"
        return changed(frame, **{within: {**patch, "tool_choice": function}})

    def _create(self, frame: Frame) -> Frame:
        self._given_until = -math.inf  # whoever brings something new asks for something new
        self._check_output(frame.data.get("item"), "item")
        call = self._calls.find(frame.data.get("previous_item_id"))
        return changed(frame, previous_item_id=call.output_id) if call and call.output_id else frame

    def _commit(self, frame: Frame) -> Frame:
        self._given_until = -math.inf
        return frame

    def _check_output(self, item: Any, at: str) -> None:
        if not isinstance(item, Mapping) or item.get("type") != "function_call_output":
            return
        if self._calls.answers(item.get("call_id")):
            words = "This call is answered by the server itself."
            raise ProtocolError("invalid_value", words, param=f"{at}.call_id")

    # Items that whoever answers does not have, or has two of ------------------------------------------

    def _delete(self, frame: Frame) -> Frame | None:
        item_id = str(frame.data.get("item_id"))
        if self._fillers.items.pop(item_id, None) is not None:
            self._tell("conversation.item.deleted", item_id=item_id)
            return None
        call = self._calls.find(item_id)
        if call is not None and call.output_id:
            self._say("conversation.item.delete", item_id=call.output_id)
        return frame

    def _retrieve(self, frame: Frame) -> Frame | None:
        item = self._fillers.items.get(str(frame.data.get("item_id")))
        if item is None:
            return frame
        self._tell("conversation.item.retrieved", item=item)
        return None

    def _truncate(self, frame: Frame) -> Frame | None:
        item_id = str(frame.data.get("item_id"))
        if item_id not in self._fillers.items:
            return frame
        cut = {name: frame.data.get(name) or 0 for name in ("content_index", "audio_end_ms")}
        self._tell("conversation.item.truncated", item_id=item_id, **cut)
        return None

    def _tell(self, type: str, **fields: Any) -> None:
        event = Frame(type, {"type": type, "event_id": self._new_id(), **fields})
        self._hear(lambda: (event,))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
