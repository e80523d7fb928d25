"""The time and the date, here and anywhere: "what time is it in london"."""

from datetime import datetime

from vivavoce.models.llm.builtin.places import Place, find_place
from vivavoce.models.llm.builtin.words import Words

__all__ = ["date", "time"]

_ASKS = ("what time", "the time", "time is it", "time it is", "time in", "time now", "current time", "local time",
         "what o'clock")  # fmt: skip
_OTHER_TIMES = ("first time", "last time", "next time", "what time do", "what time does", "all the time", "by the time",
                "at the time", "the time of", "the time when")  # fmt: skip
_NO_PLACE = {"the", "a", "this", "my", "your", "it", "here", "now", "right", "moment", "please", "today", "time", "day",
             "date", "morning", "afternoon", "evening", "at", "english"}  # fmt: skip


def time(words: Words, now: datetime) -> str | None:
    """For a question for the time, else None. ``now`` has the local zone."""
    if not words.has_phrase(*_ASKS) or words.has_phrase(*_OTHER_TIMES):
        return None
    place = _place(words)
    if isinstance(place, str):
        return f"I do not know where {place} is. Try a bigger city near it, or the country."
    there = now.astimezone(place.zone) if place else now
    return f"It is {_of_day(there)}{f' in {place.name}' if place else ''}."


def date(words: Words, now: datetime) -> str | None:
    """For a question for the day, the date, the month or the year, else None."""
    asked = words.has("day", "date", "today's", "month", "year", "weekday")
    if not asked or not words.has("what", "what's", "whats", "which", "tell") or words.has("weather", "time"):
        return None
    if not (words.has("is", "it's", "what's", "whats", "today", "today's", "date", "tell") and len(words.lower) <= 12):
        return None
    place = _place(words)
    there = now.astimezone(place.zone) if isinstance(place, Place) else now
    where = f"In {place.name} it" if isinstance(place, Place) else "It"
    return f"{where} is {there:%A}, {there:%B} {there.day}, {there.year}."


def _place(words: Words) -> Place | str | None:
    """A known place, the name of one that is not known, or None where none is named."""
    known = find_place([word.removesuffix("'s") for word in words.lower])
    if known:
        return known
    for preposition in ("in", "for"):
        if preposition in words.lower:
            at = len(words.lower) - words.lower[::-1].index(preposition)
            name = [word for word in words.original[at:] if word.lower() not in _NO_PLACE]
            if name:
                return " ".join(name).title()
    return None


def _of_day(moment: datetime) -> str:
    hour, minute = moment.hour, moment.minute
    if minute == 0 and hour in (0, 12):
        return "noon" if hour else "midnight"
    part = "morning" if hour < 12 else "afternoon" if hour < 18 else "evening"
    clock = f"{hour % 12 or 12}:{minute:02}" if minute else f"{hour % 12 or 12} o'clock"
    return f"{clock} at night" if hour >= 22 else f"{clock} in the {part}"
