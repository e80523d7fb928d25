"""What a mind and a voice made for one answer, and when they began to: for the time a turn took, and for what an
answer cost that nobody wanted."""

from dataclasses import dataclass, fields

__all__ = ["Discarded", "Made"]


@dataclass(slots=True)
class Made:
    """Times are the event loop's; None while there is nothing of it."""

    words_at: float | None = None
    sound_at: float | None = None
    characters: int = 0
    """Of words and of arguments."""
    seconds: float = 0.0
    """Of sound."""
    input_tokens: int = 0
    output_tokens: int = 0
    """As the mind counted them, if it had come to its end and counts."""


@dataclass(slots=True)
class Discarded:
    """What was made for nothing, because a speaker went on: answers, and recognitions of a part of a turn."""

    drafts: int = 0
    """Answers that were begun."""
    characters: int = 0
    seconds: float = 0.0
    """Of sound that a voice made."""
    input_tokens: int = 0
    output_tokens: int = 0
    recognised_seconds: float = 0.0
    """Of sound that was put into words."""

    def draft(self, made: Made) -> None:
        """One more answer."""
        self.drafts += 1
        self.characters += made.characters
        self.seconds += made.seconds
        self.input_tokens += made.input_tokens
        self.output_tokens += made.output_tokens

    def add(self, other: "Discarded") -> None:
        for field in fields(self):
            setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))
