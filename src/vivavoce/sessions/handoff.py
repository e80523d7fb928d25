"""Handing a conversation over from one agent to another, on the stream of events and so with every backend.

The mind calls a tool ``transfer_to_NAME``. No client sees the call: official SDKs answer a call that they do not know
themselves. When its answer is complete the session becomes the other agent's, and the other agent goes on::

    response.done ──▶ session.update, conversation.item.create (the call's output), response.create
"""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from vivavoce.access.agents import TRANSFER
from vivavoce.protocol.frame import SOUND, Frame
from vivavoce.sessions.filters import Asides, Filter
from vivavoce.sessions.hidden import Hidden
from vivavoce.sessions.opening import client_event, spoken_first
from vivavoce.sessions.persona import Persona

__all__ = ["Handoff"]

log = logging.getLogger(__name__)


class Handoff(Filter):
    """It stands behind the policy, which hears of the other agent through the persona."""

    def __init__(self, persona: Persona, asides: Asides, new_id: Callable[[], str]) -> None:
        self._persona, self._asides, self._new_id = persona, asides, new_id
        self._hidden = Hidden()
        self._said: set[str] = set()
        """Ids of our own events."""

    def sees(self, type: str) -> bool:
        return type not in SOUND

    def outward(self, frame: Frame) -> Sequence[Frame]:
        if frame.type == "error":
            return () if self._is_ours(frame.data.get("error")) else (frame,)
        item = frame.data.get("item")
        if isinstance(item, Mapping) and self._is_transfer(item):
            self._hidden.hide(str(item.get("id")))
        shown = self._hidden.shown(frame)
        if shown is None:
            return ()
        if frame.type == "response.done":
            return (self._done(shown),)
        return (shown,)

    # The call is hidden --------------------------------------------------------------------------------

    def _is_transfer(self, item: Mapping[str, Any]) -> bool:
        return item.get("type") == "function_call" and self._target(item) is not None

    def _target(self, item: Mapping[str, Any]) -> str | None:
        name = str(item.get("name", ""))
        target = name.removeprefix(TRANSFER)
        return target if name != target and target in self._persona.agent.handoffs else None

    def _is_ours(self, error: Any) -> bool:
        ours = isinstance(error, Mapping) and error.get("event_id") in self._said
        if ours:
            log.warning("a handoff was refused: %s", error.get("message"))
        return ours

    # And answered --------------------------------------------------------------------------------------

    def _done(self, frame: Frame) -> Frame:
        response = frame.data.get("response") or {}
        output = response.get("output") or []
        calls = [item for item in output if self._is_transfer(item)]
        if not calls:
            return frame
        if response.get("status") == "completed":
            self._hand_over(calls)
        kept = [item for item in output if item not in calls]
        return Frame(frame.type, {**frame.data, "response": {**response, "output": kept}})

    def _hand_over(self, calls: Sequence[Mapping[str, Any]]) -> None:
        """To the agent of the first call; a second one in the same answer is told that it was not followed."""
        name = self._target(calls[0]) or ""
        log.info("handing over from=%s to=%s", self._persona.agent.name, name)
        self._persona.agent = self._persona.agents[name]
        self._say("session.update", session=self._becoming())
        for call in calls:
            self._output(call, {"transferred_to": name} if call is calls[0] else {"error": "already transferred"})
        greeting = self._persona.agent.greeting
        event = spoken_first(greeting, self._new_id()) if greeting else client_event("response.create", self._new_id())
        self._said.add(event.data["event_id"])
        self._asides.say(event)

    def _becoming(self) -> dict[str, Any]:
        """A session keeps its model and, once it has spoken, its voice (S-15, S-16)."""
        patch = self._persona.configuration() | {"tools": self._persona.tools}
        patch.pop("model", None)
        if isinstance(audio := patch.get("audio"), Mapping) and isinstance(output := audio.get("output"), Mapping):
            patch["audio"] = {**audio, "output": {key: value for key, value in output.items() if key != "voice"}}
        return patch

    def _output(self, call: Mapping[str, Any], result: Mapping[str, Any]) -> None:
        item_id = f"handoff_{self._new_id().removeprefix('event_')}"[:32]
        self._hidden.hide(item_id)
        output = {"id": item_id, "type": "function_call_output", "call_id": call.get("call_id")}
        self._say("conversation.item.create", item={**output, "output": json.dumps(result)})

    def _say(self, type: str, **fields: Any) -> None:
        event = client_event(type, self._new_id(), **fields)
        self._said.add(event.data["event_id"])
        self._asides.say(event)
