"""One response: from ``response.created`` to ``response.done``, with everything it opens closed once.

The life of a response, and with it of its items, is this table; :meth:`Response._end` is its one writer:

    in_progress ── finish ──▶ completed
                ── cut ─────▶ incomplete    (max_output_tokens, content_filter)
                ── cancel ──▶ cancelled     (turn_detected, client_cancelled)
                ── fail ────▶ failed
"""

from dataclasses import dataclass
from typing import Any

import msgspec

from vivavoce.protocol.frame import AUDIO_DELTA
from vivavoce.protocol.session.commands import Arguments, AudioPart, CallPart, Done, Failed, Part, TextPart
from vivavoce.protocol.session.conversation import Conversation
from vivavoce.protocol.session.items import Content, Item
from vivavoce.protocol.session.outbox import Outbox
from vivavoce.protocol.wire.config import Format, Voice

__all__ = ["ENDINGS", "Plan", "Response"]

ENDINGS: dict[str, tuple[str, str]] = {
    # how it ends: (status of the response, status of an item that was open)
    "finish": ("completed", "completed"),
    "cut": ("incomplete", "incomplete"),
    "cancel": ("cancelled", "incomplete"),
    "fail": ("failed", "incomplete"),
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What was asked of a response, after the overrides of ``response.create``."""

    modality: str
    max_output_tokens: int | str
    format: Format
    voice: Voice
    metadata: dict[str, str] | None
    in_conversation: bool
    """False for ``conversation: "none"``: no ``conversation.item.*`` events, no stored items (O-29)."""


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
        self._out.event("response.created", response=self.view())

    # What the model makes ---------------------------------------------------------------------------

    def take(self, part: Part) -> None:
        """Add one part of the answer. Only while :attr:`status` is ``in_progress``."""
        match part:
            case TextPart():
                self._words(part.text)
            case AudioPart():
                self._sound(part)
            case CallPart():
                self._call(part)
            case Arguments():
                self._arguments(part.text)
            case Done() | Failed():
                raise AssertionError("endings go through finish() and fail()")

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
            "conversation_id": self._conversation.id if self._conversation else None,
            "output_modalities": [plan.modality],
            "max_output_tokens": plan.max_output_tokens,
            "audio": {"output": {"format": msgspec.to_builtins(plan.format), "voice": msgspec.to_builtins(plan.voice)}},
            "usage": usage,
            "metadata": plan.metadata,
        }

    # Opening and closing ----------------------------------------------------------------------------

    def _words(self, text: str) -> None:
        content = self._message()
        content.add_words(text)
        kind = "output_text" if content.type == "output_text" else "output_audio_transcript"
        self._out.event(f"response.{kind}.delta", **self._where(), content_index=0, delta=text)

    def _sound(self, part: AudioPart) -> None:
        content = self._message()
        content.samples += part.samples
        self._out.event(AUDIO_DELTA, part.data, **self._where(), content_index=0)

    def _message(self) -> Content:
        """The content part that words and sound go to; opened where none is (O-06, O-10)."""
        if self._open is None or self._open.type != "message":
            self._close("completed")
            item = Item(self._out.ids("item"), "message", "in_progress", "assistant")
            self._add(item)
            item.content.append(Content(f"output_{self.plan.modality}"))
            self._out.event("response.content_part.added", **self._where(), content_index=0, part=self._part())
        assert self._open is not None
        return self._open.content[0]

    def _call(self, part: CallPart) -> None:
        self._close("completed")
        fields = {"name": part.name, "call_id": part.call_id or self._out.ids("call"), "arguments": ""}
        self._add(Item(self._out.ids("item"), "function_call", "in_progress", fields=fields))

    def _arguments(self, text: str) -> None:
        assert self._open is not None, "arguments follow a call"
        self._open.fields["arguments"] += text
        event = "response.function_call_arguments.delta"
        self._out.event(event, **self._where(), call_id=self._open.fields["call_id"], delta=text)

    def _add(self, item: Item) -> None:
        self.output.append(item)
        self._open = item
        index = len(self.output) - 1
        self._out.event("response.output_item.added", response_id=self.id, output_index=index, item=item.view())
        if self._conversation:
            self._conversation.add(item)

    def _close(self, status: str) -> None:
        item = self._open
        if item is None:
            return
        if item.type == "message":
            self._close_message(item)
        else:
            call = {name: item.fields[name] for name in ("call_id", "name", "arguments")}
            self._out.event("response.function_call_arguments.done", **self._where(), **call)
        item.status = status
        where = self._where()
        self._open = None
        del where["item_id"]
        self._out.event("response.output_item.done", **where, item=item.view())
        if self._conversation:
            self._conversation.done(item)

    def _close_message(self, item: Item) -> None:
        content, where = item.content[0], {**self._where(), "content_index": 0}
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

    def _where(self) -> dict[str, Any]:
        assert self._open is not None
        return {"response_id": self.id, "item_id": self._open.id, "output_index": len(self.output) - 1}

    def _end(self, ending: str, details: dict[str, Any] | None, usage: dict[str, Any]) -> None:
        assert self.status == "in_progress", "a response ends once"
        status, item_status = ENDINGS[ending]
        self._close(item_status)
        self.status = status
        self._out.event("response.done", response=self.view(usage, details))
