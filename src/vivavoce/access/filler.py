"""What an agent says so that a tool that takes long leaves no dead air."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, UnsetType

__all__ = ["AFTER_SECONDS", "Filler", "Phrases", "default_filler", "filler"]

AFTER_SECONDS = 3.0
"""How long it has to be quiet before anything is said: most tools have answered by then, and a phrase before each
answer is worse than a pause."""
_DEFAULT = ("One moment.", "I am still looking.")

_Phrase = Annotated[str, Meta(min_length=1, max_length=200)]
Phrases = Literal[False] | _Phrase | Annotated[list[_Phrase], Meta(min_length=1, max_length=8)]
"""As its owner writes it: one phrase, several that follow each other, or none at all."""


@dataclass(frozen=True, slots=True)
class Filler:
    phrases: tuple[str, ...]
    """One after the other, each said once while an answer waits."""
    after: float = AFTER_SECONDS
    """Seconds of quiet before the first; twice as long before each next one."""

    def wait(self, said: int) -> float:
        """Seconds of quiet before the next phrase, where so many were said."""
        return self.after * float(2**said)


def filler(written: Any, after: float) -> Filler | UnsetType | None:
    """None where its owner wants none, UNSET where they say nothing of it."""
    if written is UNSET or written is False:
        return UNSET if written is UNSET else None
    return Filler((written,) if isinstance(written, str) else tuple(written), after)


def default_filler(session: Mapping[str, Any], after: float = AFTER_SECONDS) -> Filler | None:
    """For an agent whose owner says nothing of it. In another language than English we have no words of ours."""
    hearing = session.get("audio", {}).get("input", {}).get("transcription") or {}
    return Filler(_DEFAULT, after) if hearing.get("language") in (None, "en") else None
