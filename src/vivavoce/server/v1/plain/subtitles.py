"""Recognised words with their times, in the formats that subtitles have."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

__all__ = ["Segment", "srt", "vtt"]


class Segment(NamedTuple):
    start: float
    end: float
    """Seconds."""
    text: str


def srt(segments: Sequence[Segment]) -> str:
    return "".join(_cues(segments, ",", numbered=True))


def vtt(segments: Sequence[Segment]) -> str:
    return "WEBVTT\n\n" + "".join(_cues(segments, ".", numbered=False))


def _cues(segments: Sequence[Segment], point: str, *, numbered: bool) -> Iterator[str]:
    for number, each in enumerate(segments, 1):
        head = f"{number}\n" if numbered else ""
        yield f"{head}{_time(each.start, point)} --> {_time(each.end, point)}\n{_flat(each.text)}\n\n"


def _time(seconds: float, point: str) -> str:
    minutes, ms = divmod(round(seconds * 1000), 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{ms // 1000:02}{point}{ms % 1000:03}"


def _flat(text: str) -> str:
    """An empty line or an arrow would end the cue."""
    return " ".join(text.split()).replace("-->", "→")
