"""What was said, as words: a recogniser gives them in lower case and without punctuation, a keyboard
does not, and the skills should not care."""

import re
from dataclasses import dataclass

__all__ = ["Words"]

_WORD = re.compile(r"[^\W_]+(?:['’.:,][^\W_]+)*")


@dataclass(frozen=True, slots=True)
class Words:
    """``lower`` and ``original`` are of the same length: the same words as compared and as written."""

    text: str
    original: tuple[str, ...]
    lower: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> "Words":
        original = tuple(_WORD.findall(text))
        return cls(text, original, tuple(word.lower().replace("’", "'") for word in original))

    def has(self, *any_of: str) -> bool:
        return any(word in self.lower for word in any_of)

    def has_phrase(self, *any_of: str) -> bool:
        line = f" {' '.join(self.lower)} "
        return any(f" {phrase} " in line for phrase in any_of)

    def after(self, index: int) -> "Words":
        return Words.of(" ".join(self.original[index:]))
