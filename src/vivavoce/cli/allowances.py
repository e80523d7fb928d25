"""Limits as a person writes them: ``8 sessions, 60 mints, 480 minutes, 20 dollars``."""

import re
from collections.abc import Mapping
from dataclasses import fields
from typing import Final

from vivavoce.access.limits import UNLIMITED, Allowance, Kind

__all__ = ["DEFAULTS", "SHAPE", "allowance"]

DEFAULTS: Final[Mapping[Kind, str]] = {
    "key": "100 sessions, 600 mints, 6000 minutes",
    "user": "4 sessions, 30 mints, 240 minutes",
    "address": "16 sessions, 120 mints, 960 minutes",
}
"""In served mode. An address may be a household or an office. No money: a limit of that lets nobody in where the price
of a model is not known, so it is the owner's to set."""
SHAPE: Final = "sessions at one time, mints (ephemeral keys) a minute, minutes and dollars a day; none for no limit"

_WORDS = [field.name for field in fields(Allowance)]


def allowance(raw: object) -> Allowance:
    """What is not named is without limit. Raises ``ValueError`` with the end of the sentence."""
    if not isinstance(raw, str):
        raise ValueError("is not a text")
    if raw.strip().lower() == "none":
        return UNLIMITED
    numbers: dict[str, float] = {}
    for part in raw.split(","):
        if not (found := re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s+([a-z]+)\s*", part)):
            raise ValueError(f"is not written like '{DEFAULTS['user']}, 20 dollars'")
        number, word = float(found[1]), found[2]
        if word not in _WORDS or word in numbers:
            raise ValueError(f"has {word!r} where one of {', '.join(_WORDS)} belongs, once")
        if number == 0 or (word != "dollars" and not number.is_integer()):
            raise ValueError(f"has {found[1]} {word}, which lets nobody in" if number == 0 else f"has half {word}")
        numbers[word] = number
    whole = {word: int(number) for word, number in numbers.items() if word != "dollars"}
    return Allowance(**whole, dollars=numbers.get("dollars"))
