"""What voices share: what they can be asked for, texts cut into clauses, clauses into chunks of sound."""

import re
from collections.abc import Iterator

from vivavoce.models.interfaces import ModelError

__all__ = ["chunks", "clauses", "pause_ms", "sayable"]

SHORTEST = 40
"""Characters of a clause, the last aside: shorter ones, spoken alone, have no melody."""
LONGEST = 240
"""Characters of a clause: nobody hears one before all of it is made, so what has no marks is cut between words."""
CHUNK_MS = 100

_BREAK = re.compile(r"(?<=[.!?…,;:])\s+|(?<=[。！？、，；：])")
_CLOSING = "\"')”’» \n"


def sayable(text: str, speed: float) -> bool:
    """Whether there is anything to say. Raises :class:`ModelError` for a speed that no voice has."""
    if not 0.25 <= speed <= 1.5:
        raise ModelError(f"The voice cannot speak at speed {speed}: choose one from 0.25 to 1.5.")
    return any(map(str.isalnum, text))


def clauses(text: str) -> Iterator[str]:
    """The text in pieces that end at a mark where they can; those without a letter or digit are left out."""
    piece = ""
    for part in _parts(text.replace("\0", " ")):
        piece = f"{piece} {part}".strip()
        if len(piece) >= SHORTEST and any(map(str.isalnum, piece)):
            yield piece
            piece = ""
    if any(map(str.isalnum, piece)):
        yield piece


def _parts(text: str) -> Iterator[str]:
    for part in _BREAK.split(text):
        while len(part) > LONGEST - SHORTEST:
            at = part.rfind(" ", 0, LONGEST - SHORTEST)
            at = at if at > 0 else LONGEST - SHORTEST
            yield part[:at]
            part = part[at:].lstrip()
        yield part


def pause_ms(clause: str) -> int:
    """The silence after it: none in the middle of a sentence that was cut into pieces."""
    last = clause.rstrip(_CLOSING)[-1:]
    return 250 if last in set(".!?…。！？") else 100 if last in set(",;:、，；：") else 0


def chunks(pcm: bytes, rate: int) -> Iterator[bytes]:
    """Of :data:`CHUNK_MS`, the last of up to twice that."""
    step = 2 * (rate * CHUNK_MS // 1000)
    count = max(1, len(pcm) // step)
    for at in range(count):
        if piece := pcm[at * step : (at + 1) * step if at < count - 1 else len(pcm)]:
            yield piece
