"""One item of a conversation as it comes to be: what is known of it so far, and which of its words were heard."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from vivavoce.protocol.session.commands import RATE
from vivavoce.protocol.session.items import Content
from vivavoce.store.items import END, Item, Place

__all__ = ["LONGEST", "Noted"]

LONGEST: Final = 1_000_000
"""Characters of one text or image in an item; a longer text is cut there, a larger image is left out."""
CHARACTERS_A_SECOND: Final = 15
"""Of speech, where an answer was cut and nobody here heard how long it was."""
_SAMPLES_A_MS: Final = RATE // 1000
_SPOKEN = ("output_audio", "audio")


@dataclass(slots=True)
class Noted:
    id: str
    said_at: float
    item: Mapping[str, Any] = field(default_factory=dict)
    """As it was told last."""
    previous: str | None = END
    place: Place | None = None
    """None while nothing has told."""
    ms: int | None = None
    began: bool = False
    """Whether ``said_at`` is when its sound began, and not just when it came."""
    sounding: bool = False
    """Whether a track plays it now."""
    response: str | None = None
    """The answer that made it."""
    spoken: dict[int, Content] = field(default_factory=dict)
    """By the index of the part: an answer as it is being made, each word with the sound that goes with it."""
    cuts: dict[int, int] = field(default_factory=dict)
    """By the index of the part: how many milliseconds of it were heard."""
    understood: dict[int, str] = field(default_factory=dict)
    """By the index of the part: what a user said."""
    segments: list[str] = field(default_factory=list)
    """What each speaker said, where they are told apart."""

    @property
    def finished(self) -> bool:
        return bool(self.item) and self.item.get("status") != "in_progress"

    @property
    def may_change(self) -> bool:
        """Whether anything may still come of it once it is finished: what was said in it, how much was heard."""
        return self.item.get("type") == "message" and self.item.get("role") in ("user", "assistant")

    def sounds_at(self, now: float) -> bool:
        """Whether a track has still to play of it what has been made."""
        if self.sounding:
            return True
        made = sum(part.samples for part in self.spoken.values())
        return made > 0 and self.said_at + made / RATE > now

    def part(self, index: int, type: str) -> Content:
        if index not in self.spoken:
            self.spoken[index] = Content(type)
        return self.spoken[index]

    def view(self) -> Item:
        """For the store."""
        content = self._content()
        item = {key: _short(value) for key, value in self.item.items() if key != "content"}
        if content is not None:
            item["content"] = content
        type, role = str(item.get("type", "message")), item.get("role")
        return Item(
            id=self.id,
            type=type,
            item={**item, "id": self.id},
            said_at=self.said_at,
            ms=self._length(),
            role=role if isinstance(role, str) else None,
            status=str(item["status"]) if item.get("status") else None,
            words=self._words(content or []) if role in ("user", "assistant") else "",
            place=self.place or "outside",
            previous=self.previous,
        )

    # Its words ------------------------------------------------------------------------------------------

    def _content(self) -> list[dict[str, Any]] | None:
        parts = self.item.get("content")
        if self.item.get("type", "message") != "message":
            return parts if isinstance(parts, list) else None
        told = [dict(part) for part in parts if isinstance(part, Mapping)] if isinstance(parts, list) else []
        begun = [{"type": part.type} for index, part in sorted(self.spoken.items()) if index >= len(told)]
        return [self._part(index, part) for index, part in enumerate([*told, *begun])]

    def _part(self, index: int, part: dict[str, Any]) -> dict[str, Any]:
        """Without its sound, with the words that were heard."""
        part.pop("audio", None)
        match part.get("type"):
            case "input_audio":
                part["transcript"] = self.understood.get(index, part.get("transcript"))
            case kind if kind in _SPOKEN:
                part["transcript"] = self._heard(index, part.get("transcript"))
            case "output_text" | "text" if "text" not in part:
                part["text"] = self.spoken[index].words if index in self.spoken else ""
        return {key: _short(value) for key, value in part.items()}

    def _heard(self, index: int, transcript: Any) -> str:
        """What was told of it, unless it was cut: then no more than what had sounded by then."""
        said, told = self.spoken.get(index), transcript if isinstance(transcript, str) else None
        whole = (said.words if said else None) or told or ""
        if index not in self.cuts:
            return told if told is not None else whole
        if said is not None and said.samples:
            heard = said.heard(self.cuts[index] * _SAMPLES_A_MS)
        else:
            heard = _first(whole, self.cuts[index] * CHARACTERS_A_SECOND // 1000)
        return min(told or heard, heard, key=len)

    def _words(self, content: list[dict[str, Any]]) -> str:
        if self.segments:
            return "\n".join(self.segments)
        texts = (part.get("transcript", part.get("text")) for part in content)
        return "\n".join(text for text in texts if isinstance(text, str) and text)

    def _length(self) -> int | None:
        if self.cuts:
            return max(self.cuts.values())
        samples = sum(part.samples for part in self.spoken.values())
        return samples // _SAMPLES_A_MS if samples else self.ms


def _first(words: str, characters: int) -> str:
    """Whole words, of so many characters at most."""
    return words if len(words) <= characters else words[: characters + 1].rpartition(" ")[0].rstrip()


def _short(value: Any) -> Any:
    if not isinstance(value, str) or len(value) <= LONGEST:
        return value
    return "" if value.startswith("data:") else value[:LONGEST]
