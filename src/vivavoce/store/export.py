"""A session as somebody takes it away: JSON with all of it, plain text to read, WebVTT to show beside its recording."""

import html
import math
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal
from itertools import zip_longest
from typing import Any, Final

from vivavoce.store.items import GAP, Item
from vivavoce.store.sessions import Session

__all__ = ["as_json", "as_text", "as_webvtt", "dollars"]

CHARACTERS_A_SECOND: Final = 15
SHORTEST: Final = 1.0
"""Seconds that a cue is shown at least, where nobody knows how long it sounded."""
_SPEAKERS: Final = {"user": "User", "assistant": "Assistant"}
_UNHEARD: Final = "(not understood)"


def as_json(session: Session, items: Sequence[Item]) -> dict[str, Any]:
    """All that is kept. Times are unix seconds, lengths milliseconds, ``usd`` is a decimal text; ``item`` is the item
    in the shape of the Realtime API, ``words`` what was said in it."""
    return {
        **asdict(session),
        "usd": dollars(session.usd),
        "items": [
            {
                "id": item.id,
                "said_at": item.said_at,
                "ms": item.ms,
                "place": item.place,
                "words": item.words,
                "item": dict(item.item),
            }
            for item in items
        ],
    }


def dollars(usd: Decimal) -> str:
    """Exact, without an exponent or zeros that say nothing."""
    return f"{usd:f}".rstrip("0").rstrip(".") if usd else "0"


def as_text(session: Session, items: Sequence[Item]) -> str:
    """What was said, a paragraph each, with the hours, minutes and seconds since the session began."""
    began = datetime.fromtimestamp(session.started_at, UTC)
    about = [f"{began:%Y-%m-%d %H:%M} UTC", *([f"agent {session.agent}"] if session.agent else []), session.model]
    lines = [f"{session.title or session.id}\n{' · '.join(about)}"]
    for item in items:
        if (said := _said(item)) is not None:
            speaker, words = said
            at = _clock(item.said_at - session.started_at)[:-4]
            lines.append(f"[{at}] {speaker}: {words}" if speaker else f"[{at}] {words}")
    return "\n\n".join(lines) + "\n"


def as_webvtt(session: Session, items: Sequence[Item], *, origin: float | None = None) -> str:
    """Cues timed by when each was said, counted from ``origin``: unix seconds, the beginning of a recording, say; that
    of the session where nothing is given. What was said before is left out."""
    began = session.started_at if origin is None else origin
    told = [(item, said[0], said[1]) for item in items if (said := _said(item)) is not None]
    cued = sorted((each for each in told if each[0].said_at >= began), key=lambda each: each[0].said_at)
    cues = [f"WEBVTT\n\nNOTE {_line(session.title or session.id)}"]
    for (item, speaker, words), following in zip_longest(cued, cued[1:]):
        end = item.said_at + item.ms / 1000 if item.ms else _about(item.said_at, words, following)
        voice = f"<v {speaker}>" if speaker else ""
        cues.append(f"{_clock(item.said_at - began)} --> {_clock(end - began)}\n{voice}{_line(words)}")
    return "\n\n".join(cues) + "\n"


def _about(start: float, words: str, following: tuple[Item, str, str] | None) -> float:
    """When something may have ended of which nobody knows how long it sounded: before the next began, if need be."""
    end = start + max(SHORTEST, len(words) / CHARACTERS_A_SECOND)
    return end if following is None or following[0].said_at <= start else min(end, following[0].said_at)


def _said(item: Item) -> tuple[str, str] | None:
    """Who said what; None for what nobody said, such as a tool's output."""
    if item.type == GAP:
        seconds = item.item.get("seconds")
        long = f"{math.ceil(seconds)} s" if isinstance(seconds, int | float) else "a while"
        return "", f"(For {long} the connection was lost: something may be missing here.)"
    speaker = _SPEAKERS.get(item.role or "")
    if speaker is None or item.type != "message":
        return None
    return speaker, item.words or _UNHEARD


def _line(text: str) -> str:
    """One line of a cue, where nothing is a tag or an arrow."""
    return html.escape(" ".join(text.split()), quote=False)


def _clock(seconds: float) -> str:
    """``01:02:03.400``"""
    whole = max(0, round(seconds * 1000))
    return f"{whole // 3_600_000:02}:{whole // 60_000 % 60:02}:{whole // 1000 % 60:02}.{whole % 1000:03}"
