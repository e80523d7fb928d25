"""One answer as clients see it: one response, whatever number of responses of the answerer's it is made of.

A model that calls a tool of ours has, for whoever answers, ended its response. The client's response stays open: the
call stands in it as an ``mcp_call`` (O-55), and what the model makes of the result goes on in it (O-57)::

    theirs:  resp_1 [message, function_call] done      resp_2 [message] done
    ours:    resp_1 [message, mcp_call ......running..........  message] done
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from vivavoce.protocol.frame import Frame
from vivavoce.protocol.session.mcp import McpFailure
from vivavoce.tools.interface import ServerTool

__all__ = ["GIVEN_UP", "Answer", "Call", "State", "changed"]

GIVEN_UP = json.dumps({"error": "The call was given up before it was done: the user went on."})
"""What the model is told of a call that was cancelled."""
CHARACTERS_A_SECOND = 15
"""Of speech."""


class State(Enum):
    """Of a call: MADE ── its arguments are complete ──▶ RUNNING ── result, or cancelled ──▶ ENDED."""

    MADE = "made"
    RUNNING = "running"
    ENDED = "ended"


@dataclass(slots=True)
class Call:
    """A ``function_call`` of the answerer's, which clients see as an ``mcp_call`` of the same id."""

    tool: ServerTool
    item_id: str
    call_id: str
    arguments: str = ""
    state: State = State.MADE
    status: str = "in_progress"
    result: str | McpFailure | None = None
    output_id: str | None = None
    """The item that told the model of the result, once one did."""
    held: Frame | None = None
    """``conversation.item.done``, which waits for the result."""

    def end(self, result: str | McpFailure | None) -> None:
        """None is a call that was cut."""
        self.state, self.result = State.ENDED, result
        self.status = "completed" if isinstance(result, str) else "incomplete"

    def view(self) -> dict[str, Any]:
        """The item. ``output`` is there from the beginning: a client fails on one without."""
        item = {"id": self.item_id, "object": "realtime.item", "type": "mcp_call", "status": self.status}
        item |= {"server_label": self.tool.label, "name": self.tool.name, "arguments": self.arguments}
        if isinstance(self.result, McpFailure):
            return {**item, "output": None, "error": self.result.view()}
        return {**item, "output": self.result}

    def output(self) -> str:
        """What the model is told."""
        if isinstance(self.result, McpFailure):
            return json.dumps({"error": self.result.message}, ensure_ascii=False)
        return GIVEN_UP if self.result is None else self.result


@dataclass(slots=True)
class Answer:
    response: Mapping[str, Any]
    """The client's response, as it was created."""
    asked: Mapping[str, Any]
    """What the client asked for with ``response.create``; empty where it did not ask."""
    making: str | None
    """The answerer's response that is under way; None while there is none."""
    items: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """What was put out, in its order, as clients see it."""
    calls: dict[str, Call] = field(default_factory=dict)
    usage: dict[str, Any] = field(default_factory=dict)
    rounds: int = 0
    """How often the model was asked to go on."""
    asked_on: bool = False
    """Whether it was asked to go on and has not begun."""
    others: bool = False
    """Whether somebody else has to answer a call before the model can go on."""
    sounds_until: float = 0.0
    """Loop time, by estimate."""
    fillers: int = 0
    """Phrases said while it waited."""

    @property
    def id(self) -> str:
        return str(self.response.get("id"))

    @property
    def waits(self) -> bool:
        """Whether it is kept open, though the answerer has nothing under way."""
        return self.making is None

    @property
    def running(self) -> list[Call]:
        return [call for call in self.calls.values() if call.state is not State.ENDED]

    @property
    def due(self) -> list[Call]:
        """Calls whose result the model has not been told."""
        return [call for call in self.calls.values() if call.state is State.ENDED and call.output_id is None]

    def index(self, item_id: str) -> int:
        """The ``output_index`` of an item, which is new where it is not known."""
        self.items.setdefault(item_id, {})
        return list(self.items).index(item_id)

    def put(self, item: Mapping[str, Any]) -> None:
        self.items[str(item.get("id"))] = item

    def said(self, words: str, now: float) -> None:
        self.sounds_until = max(self.sounds_until, now) + len(words) / CHARACTERS_A_SECOND

    def made(self, response: Mapping[str, Any]) -> None:
        """The answerer's response is done."""
        self.making = None
        self.usage = _sum(self.usage, response.get("usage") or {})
        calls = [item for item in response.get("output") or () if item.get("type") == "function_call"]
        self.others = self.others or any(item.get("id") not in self.calls for item in calls)

    def done(self, status: str, details: Any) -> dict[str, Any]:
        """The client's response at its end."""
        shown = {**self.items, **{id: call.view() for id, call in self.calls.items()}}
        output = [item for item in shown.values() if item]
        whole = {"status": status, "status_details": details, "output": output, "usage": self.usage or None}
        return {**self.response, **whole}


def _sum(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Two usages (U-01) as one."""
    added = dict(one)
    for name, value in other.items():
        before = added.get(name)
        if isinstance(value, Mapping):
            added[name] = _sum(before if isinstance(before, Mapping) else {}, value)
        elif isinstance(value, int | float):
            added[name] = value + (before if isinstance(before, int | float) else 0)
        else:
            added.setdefault(name, value)
    return added


def changed(frame: Frame, **fields: Any) -> Frame:
    """The frame with other values in these fields."""
    return Frame(frame.type, {**frame.data, **fields}, frame.audio, frame.origin)
