"""One response: from ``response.created`` to ``response.done``, with everything it opens closed once.

The life of a response, and with it of its items, is this table; :meth:`Response._end` is its one writer:

    in_progress ── finish ──▶ completed
                ── cut ─────▶ incomplete    (max_output_tokens, content_filter)
                ── cancel ──▶ cancelled     (turn_detected, client_cancelled)
                ── fail ────▶ failed
"""

from typing import Any

import msgspec

from vivavoce.protocol.session.conversation import Conversation
from vivavoce.protocol.session.items import Content, Item
from vivavoce.protocol.session.outbox import Outbox
from vivavoce.protocol.session.parts import AudioPart, CallPart, Done, Failed
from vivavoce.protocol.session.planning import Plan

__all__ = ["ENDINGS", "Response"]

ENDINGS: dict[str, tuple[str, str]] = {
    # how it ends: (status of the response, status of an item that was open)
    "finish": ("completed", "completed"),
    "cut": ("incomplete", "incomplete"),
    "cancel": ("cancelled", "incomplete"),
    "fail": ("failed", "incomplete"),
}


class Response:
    def __init__(self, response_id: str, plan: Plan, conversation: Conversation, outbox: Outbox) -> None:
        self.id = response_id
        self.plan = plan
        self.status = "in_progress"
        self.output: list[Item] = []
        self._conversation = conversation if plan.in_conversation else None
        self._out = outbox
        self._open: Item | None = None
        """The item that parts go to; a message has exactly one content part."""
        self._where: dict[str, Any] = {}
        """What every event about that item begins with."""
        self._in_message: dict[str, Any] = {}
        """The same of the one content part of a message."""
        self.waiting: list[Item] = []
        """MCP calls whose result is not there yet."""
        self._out.event("response.created", response=self.view())

    # What the model makes ---------------------------------------------------------------------------

    def words(self, text: str) -> None:
        """The next words of a message, opened where none is."""
        content = self._message()
        content.add_words(text)
        kind = "output_text" if content.type == "output_text" else "output_audio_transcript"
        self._out.event(f"response.{kind}.delta", **self._in_message, delta=text)

    def sound(self, part: AudioPart) -> None:
        """The next sound of a message: the hot path."""
        self._message().samples += part.samples
        self._out.sound(self._in_message, part.data)

    def arguments(self, text: str) -> None:
        """More of the arguments of the latest call."""
        assert self._open is not None, "arguments follow a call"
        self._open.fields["arguments"] += text
        if self._open.type == "mcp_call":  # a client drops the event unless 'obfuscation' is a string (C-36)
            self._out.event("response.mcp_call_arguments.delta", **self._where, delta=text, obfuscation="")
        else:
            call_id = self._open.fields["call_id"]
            self._out.event("response.function_call_arguments.delta", **self._where, call_id=call_id, delta=text)

    def call(self, part: CallPart, server_label: str | None) -> None:
        """A call begins: of a client's function, or of a tool of the MCP server with that label."""
        self.close_open()
        fields: dict[str, Any] = {"name": part.name, "arguments": ""}
        if server_label is not None:
            fields |= {"server_label": server_label, "output": None}  # JavaScript agents fail on an item without
            item = Item(self._out.ids("mcp"), "mcp_call", "in_progress", fields=fields)
        else:
            fields["call_id"] = part.call_id or self._out.ids("call")
            item = Item(self._out.ids("item"), "function_call", "in_progress", fields=fields)
        self._add(item)

    # MCP calls (O-55): an item whose arguments are complete waits for the result of the call ---------

    def ask_approval(self, call: Item) -> str:
        """Ask the client whether this call may run; returns the id that its answer names."""
        fields = {name: call.fields[name] for name in ("server_label", "name", "arguments")}
        request = Item(self._out.ids("mcpr"), "mcp_approval_request", "completed", fields=fields)
        call.fields["approval_request_id"] = request.id
        self._add(request)
        self.close_open()
        return request.id

    def call_runs(self, call: Item) -> None:
        self._out.event("response.mcp_call.in_progress", output_index=self.output.index(call), item_id=call.id)

    def call_ended(self, call: Item, result: dict[str, Any], *, failed: bool) -> None:
        """``result`` is the ``output`` or the ``error`` of the item."""
        call.fields |= result
        self.waiting.remove(call)
        event = f"response.mcp_call.{'failed' if failed else 'completed'}"
        self._out.event(event, output_index=self.output.index(call), item_id=call.id)
        self._done(call, "incomplete" if failed else "completed")

    def finish(self, done: Done, usage: dict[str, Any]) -> None:
        if done.reason == "stop":
            self._end("finish", None, usage)
        else:
            self._end("cut", {"type": "incomplete", "reason": done.reason}, usage)

    def cancel(self, reason: str, usage: dict[str, Any]) -> None:
        """``reason``: ``turn_detected`` or ``client_cancelled`` (O-38)."""
        self._end("cancel", {"type": "cancelled", "reason": reason}, usage)

    def fail(self, failed: Failed, usage: dict[str, Any]) -> None:
        error = {"type": failed.type, "code": failed.code, "message": failed.message}
        self._end("fail", {"type": "failed", "error": error}, usage)

    # How it is shown --------------------------------------------------------------------------------

    def view(self, usage: dict[str, Any] | None = None, details: dict[str, Any] | None = None) -> dict[str, Any]:
        """The response object, whole at any time (U-09)."""
        plan = self.plan
        return {
            "object": "realtime.response",
            "id": self.id,
            "status": self.status,
            "status_details": details,
            "output": [item.view() for item in self.output],
            "conversation_id": self._conversation.id if self._conversation is not None else None,
            "output_modalities": [plan.modality],
            "max_output_tokens": plan.max_output_tokens,
            "audio": {"output": {"format": msgspec.to_builtins(plan.format), "voice": msgspec.to_builtins(plan.voice)}},
            "usage": usage,
            "metadata": plan.metadata,
        }

    # Opening and closing ----------------------------------------------------------------------------

    def _message(self) -> Content:
        """The content part that words and sound go to; opened where none is (O-06, O-10)."""
        if self._open is None or self._open.type != "message":
            self.close_open()
            item = Item(self._out.ids("item"), "message", "in_progress", "assistant")
            self._add(item)
            item.content.append(Content(f"output_{self.plan.modality}"))
            self._in_message = {**self._where, "content_index": 0}
            self._out.event("response.content_part.added", **self._in_message, part=self._part())
        assert self._open is not None
        return self._open.content[0]

    def _add(self, item: Item) -> None:
        index = len(self.output)
        self.output.append(item)
        self._open, self._where = item, {"response_id": self.id, "item_id": item.id, "output_index": index}
        self._out.event("response.output_item.added", response_id=self.id, output_index=index, item=item.view())
        if self._conversation is not None:
            self._conversation.add(item)

    def close_open(self, status: str = "completed") -> None:
        """Finish the item that parts go to. An MCP call then waits for its result, unless it was cut."""
        item, where = self._open, self._where
        if item is None:
            return
        match item.type:
            case "message":
                self._close_message(item)
            case "function_call":
                call = {name: item.fields[name] for name in ("call_id", "name", "arguments")}
                self._out.event("response.function_call_arguments.done", **where, **call)
            case "mcp_call":
                self._out.event("response.mcp_call_arguments.done", **where, arguments=item.fields["arguments"])
        self._open = None
        if item.type == "mcp_call":
            self.waiting.append(item)
        else:
            self._done(item, status)

    def _done(self, item: Item, status: str) -> None:
        item.status = status
        index = self.output.index(item)
        self._out.event("response.output_item.done", response_id=self.id, output_index=index, item=item.view())
        if self._conversation is not None:
            self._conversation.done(item)

    def _close_message(self, item: Item) -> None:
        content, where = item.content[0], self._in_message
        if content.type == "output_text":
            self._out.event("response.output_text.done", **where, text=content.words)
        else:
            self._out.event("response.output_audio.done", **where)
            self._out.event("response.output_audio_transcript.done", **where, transcript=content.words)
        self._out.event("response.content_part.done", **where, part=self._part())

    def _part(self) -> dict[str, Any]:
        """A content part as ``response.content_part.*`` shows it: ``audio`` and ``text``, not ``output_…`` (E-40)."""
        assert self._open is not None
        content = self._open.content[0]
        words = "text" if content.type == "output_text" else "transcript"
        return {"type": self.plan.modality, words: content.words}

    def _end(self, ending: str, details: dict[str, Any] | None, usage: dict[str, Any]) -> None:
        assert self.status == "in_progress", "a response ends once"
        status, item_status = ENDINGS[ending]
        self.close_open(item_status)
        for call in list(self.waiting):
            self.waiting.remove(call)
            self._done(call, item_status)
        self.status = status
        self._out.event("response.done", response=self.view(usage, details))
