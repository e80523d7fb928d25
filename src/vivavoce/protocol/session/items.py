"""Conversation items: what a message, a call or its output holds, and how it is shown on the wire.

Keys that do not apply are left out, never null (C-29), except ``transcript`` of a user's audio, which
is null until it is known (C-28, E-43). Audio bytes are never here (E-42).
"""

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from vivavoce.protocol.wire.errors import ProtocolError
from vivavoce.protocol.wire.events import Content as NewContent
from vivavoce.protocol.wire.events import (
    FunctionCall,
    FunctionCallOutput,
    InputAudio,
    InputImage,
    InputText,
    ItemReference,
    Message,
    NewItem,
    OutputAudio,
    OutputText,
)  # fmt: skip
from vivavoce.protocol.wire.shape import get

__all__ = ["Content", "Item", "from_wire"]

_WORD = re.compile(r"\s*\S+")


@dataclass(slots=True)
class Content:
    """One part of a message. ``words`` are its text or its transcript: None while nobody knows them."""

    type: str
    """``input_text``, ``input_audio``, ``input_image``, ``output_text`` or ``output_audio``."""
    words: str | None = ""
    samples: int = 0
    """Length of its audio at 24 kHz."""
    shown: bool = True
    """Whether the client sees the words here: a user's audio is recognised in any case, shown on request."""
    asked: str | None = None
    """The transcription model that the client wanted for this audio when it came; None: no events tell its words."""
    told: str = ""
    """The first of them, where events have told them before it was all recognised."""
    image_url: str = ""
    detail: str = "auto"
    marks: list[tuple[int, str]] = field(default_factory=list)
    """For assistant audio: the sample from which these words sound."""

    def add_words(self, text: str) -> None:
        """Words whose sound follows. Words with no sound between them sound together."""
        self.words = (self.words or "") + text
        if self.marks and self.marks[-1][0] == self.samples:
            self.marks[-1] = (self.samples, self.marks[-1][1] + text)
        else:
            self.marks.append((self.samples, text))

    def heard(self, samples: int) -> str:
        """The words of the first ``samples``: whole clauses, and of the one that was cut as many words as
        its share of sound. A word counts once more than half of it was heard."""
        if samples >= self.samples:
            return self.words or ""
        last = bisect_right(self.marks, samples, key=lambda mark: mark[0]) - 1
        if last < 0:
            return ""
        start, text = self.marks[last]
        end = self.marks[last + 1][0] if last + 1 < len(self.marks) else self.samples
        words = _WORD.findall(text)
        kept = ceil(len(words) * (samples - start) / (end - start) - 0.5) if end > start else 0
        return ("".join(part for _, part in self.marks[:last]) + "".join(words[:kept])).rstrip()

    def cut(self, samples: int) -> None:
        """Keep what was heard of the first ``samples``."""
        if samples >= self.samples:
            return
        self.words, self.samples = self.heard(samples), samples
        self.marks = [mark for mark in self.marks if mark[0] < samples]
        if self.marks:  # of the words of the last mark only some are left
            before = sum(len(text) for _, text in self.marks[:-1])
            self.marks[-1] = (self.marks[-1][0], self.words[before:])

    def view(self) -> dict[str, Any]:
        match self.type:
            case "input_image":
                return {"type": self.type, "image_url": self.image_url, "detail": self.detail}
            case "input_audio":
                return {"type": self.type, "transcript": self.words if self.shown else None}
            case "output_audio":
                return {"type": self.type, "transcript": self.words}
            case _:
                return {"type": self.type, "text": self.words}


@dataclass(slots=True)
class Item:
    id: str
    type: str
    status: str = "completed"
    role: str = ""
    content: list[Content] = field(default_factory=list)
    fields: dict[str, Any] = field(default_factory=dict)
    """What the other types have: ``name``, ``call_id``, ``arguments``, ``output``, …"""

    def view(self) -> dict[str, Any]:
        """The item as the wire shows it."""
        shown: dict[str, Any] = {"id": self.id, "object": "realtime.item", "type": self.type, "status": self.status}
        if self.type != "message":
            return {**shown, **self.fields}
        return {**shown, "role": self.role, "content": [part.view() for part in self.content]}

    @property
    def spoken(self) -> Content | None:
        """The assistant audio of this item, if it has any."""
        return next((part for part in self.content if part.type == "output_audio"), None)


_ALLOWED = {
    "system": (InputText,),
    "user": (InputText, InputAudio, InputImage),
    "assistant": (OutputText, OutputAudio),
}
"""Which content a role may hold (E-34)."""


def from_wire(new: NewItem, item_id: str, call_id: str, at: str = "item") -> Item:
    """The item that a client gives, under ``item_id``. ``call_id`` is used where it gives a function call
    without one. Raises :class:`ProtocolError` for content its role cannot hold."""
    kind: str = new.__struct_config__.tag  # type: ignore[assignment]
    if isinstance(new, Message):
        parts = [_content(part, new.role, f"{at}.content[{index}]") for index, part in enumerate(new.content)]
        return Item(item_id, kind, role=new.role, content=parts)
    if isinstance(new, FunctionCall):
        fields: dict[str, Any] = {"name": new.name, "call_id": get(new.call_id, call_id), "arguments": new.arguments}
    elif isinstance(new, FunctionCallOutput):
        fields = {"call_id": new.call_id, "output": new.output}
    elif isinstance(new, ItemReference):
        raise ProtocolError(
            "invalid_value", "An 'item_reference' stands only in the 'input' of 'response.create'.", param=f"{at}.type"
        )
    else:
        names = [name for name in new.__struct_fields__ if name not in ("id", "object", "status")]
        given = {name: get(getattr(new, name), None) for name in names}
        fields = {name: value for name, value in given.items() if value is not None}
    return Item(item_id, kind, fields=fields)


def _content(part: NewContent, role: str, at: str) -> Content:
    if not isinstance(part, _ALLOWED[role]):
        allowed = ", ".join(f"'{shape.__struct_config__.tag}'" for shape in _ALLOWED[role])
        raise ProtocolError("invalid_value", f"A {role} message holds {allowed} content only.", param=f"{at}.type")
    match part:
        case InputImage():
            if not part.image_url.startswith(("data:image/png;base64,", "data:image/jpeg;base64,")):
                message = "An image is a data URI of type image/png or image/jpeg in base64."
                raise ProtocolError("invalid_value", message, param=f"{at}.image_url")
            return Content("input_image", image_url=part.image_url, detail=get(part.detail, "auto"))
        case InputAudio():
            return Content("input_audio", words=get(part.transcript, None))
        case OutputAudio():
            return Content("output_text", words=get(part.transcript, ""))
        case _:
            return Content(str(part.__struct_config__.tag), words=part.text)
