"""What usage costs: a price list with a date, and the sums over the protocol's ``usage`` objects (U-01 to U-08).

A model that is not on the list has no known price; nothing here makes one up.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

__all__ = ["PRICE_FIELDS", "Price", "Prices", "Used"]

_MILLION = Decimal(1_000_000)
_DATED = re.compile(r"(.+)-20\d\d-\d\d-\d\d")

_ROLE_SECONDS: Final = 30
"""In a minute of conversation each side is taken to speak half of it."""
_HEARD, _SPOKEN = 10, 20
"""Audio tokens a second of a user, and of an assistant (U-05)."""


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for a million tokens of each kind, or for a ``minute`` of audio. Cached input costs as much as fresh
    where nothing is said of it."""

    text_in: Decimal = Decimal(0)
    text_cached: Decimal | None = None
    text_out: Decimal = Decimal(0)
    audio_in: Decimal = Decimal(0)
    audio_cached: Decimal | None = None
    audio_out: Decimal = Decimal(0)
    image_in: Decimal = Decimal(0)
    image_cached: Decimal | None = None
    minute: Decimal = Decimal(0)

    def of(self, usage: Mapping[str, Any]) -> Decimal:
        """Of a ``response.done`` or of a transcription, by tokens or by seconds."""
        if usage.get("type") == "duration":
            return self.minute * Decimal(str(usage.get("seconds") or 0)) / 60
        went_in, came_out = _details(usage, "input"), _details(usage, "output")
        cached = went_in.get("cached_tokens_details") or {"text_tokens": went_in.get("cached_tokens") or 0}
        total = Decimal(0)
        for kind in ("text", "audio", "image"):
            fresh = getattr(self, f"{kind}_in")
            again = getattr(self, f"{kind}_cached")
            spared = min(_count(cached, kind), _count(went_in, kind))
            total += (_count(went_in, kind) - spared) * fresh + spared * (fresh if again is None else again)
        total += _count(came_out, "text") * self.text_out + _count(came_out, "audio") * self.audio_out
        return total / _MILLION

    def estimate(self, minutes: int) -> Decimal:
        """Of a conversation this long: each side speaks half of it, a turn takes 15 seconds, and with every turn what
        was said before is read again from the cache (U-06)."""
        again = self.audio_in if self.audio_cached is None else self.audio_cached
        turn = (_ROLE_SECONDS * _HEARD * self.audio_in + _ROLE_SECONDS * _SPOKEN * self.audio_out) / 4
        turns = minutes * 4
        reread = (_ROLE_SECONDS * _HEARD + _ROLE_SECONDS * _SPOKEN) // 4 * again
        return minutes * self.minute + (turns * turn + reread * turns * (turns - 1) / 2) / _MILLION


PRICE_FIELDS: Final = tuple(each.name for each in fields(Price))


class Prices:
    """``models`` by name, as they were on the day ``as_of``; ``free``: a model that is not on the list costs nothing,
    since it runs on this machine."""

    def __init__(self, models: Mapping[str, Price], as_of: date | None = None, *, free: bool = False) -> None:
        self._models = dict(models)
        self._free = free
        self.as_of = as_of

    @classmethod
    def published(cls, own: Mapping[str, Price]) -> "Prices":
        """The list that comes with Vivavoce, and over it one's ``own``."""
        listed = tomllib.loads((Path(__file__).parent / "prices.toml").read_text("utf-8"), parse_float=Decimal)
        models = {name: Price(**prices) for name, prices in listed["models"].items()}
        return cls({**models, **own}, listed["as_of"])

    def __iter__(self) -> Iterator[str]:
        """The names on the list."""
        return iter(self._models)

    def find(self, model: str) -> Price | None:
        """A dated model costs what its family does, unless it is listed itself. None: not known."""
        dated = _DATED.fullmatch(model)
        found = self._models.get(model) or (self._models.get(dated[1]) if dated else None)
        return found or (Price() if self._free else None)

    def known(self, models: Iterable[str]) -> bool:
        return all(self.find(model) is not None for model in models)


@dataclass(frozen=True, slots=True)
class Used:
    """How much a ``usage`` object tells of: tokens of each kind, or seconds of audio."""

    text_in: int = 0
    audio_in: int = 0
    cached_in: int = 0
    """Of both kinds; they are among the other two."""
    text_out: int = 0
    audio_out: int = 0
    seconds: float = 0.0

    @classmethod
    def of(cls, usage: Mapping[str, Any]) -> "Used":
        if usage.get("type") == "duration":
            return cls(seconds=float(usage.get("seconds") or 0))
        went_in, came_out = _details(usage, "input"), _details(usage, "output")
        return cls(
            text_in=_count(went_in, "text"),
            audio_in=_count(went_in, "audio"),
            cached_in=int(went_in.get("cached_tokens") or 0),
            text_out=_count(came_out, "text"),
            audio_out=_count(came_out, "audio"),
        )


def _details(usage: Mapping[str, Any], way: str) -> Mapping[str, Any]:
    """All of it is text where nothing else is said, as in the output of a transcription."""
    return usage.get(f"{way}_token_details") or {"text_tokens": usage.get(f"{way}_tokens") or 0}


def _count(details: Mapping[str, Any], kind: str) -> int:
    return int(details.get(f"{kind}_tokens") or 0)
