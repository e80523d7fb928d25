"""Where in a recording somebody speaks: long ones are recognised a piece at a time, cut where it is quiet."""

from typing import Final, NamedTuple

from vivavoce.audio import HOUSE_RATE
from vivavoce.models.interfaces import Vad

__all__ = ["LONGEST", "Piece", "pieces"]

LONGEST: Final = 25.0
"""Seconds of a piece: as long as recognisers take at once."""
SPEECH: Final = 0.5
"""Probability from which a window is speech."""
QUIET: Final = 0.6
"""Seconds without speech that end a piece."""
AROUND: Final = 0.2
"""Seconds that a piece has before its first and after its last speech."""


class Piece(NamedTuple):
    """In seconds, from the beginning of the recording."""

    start: float
    end: float


def pieces(pcm: bytes, vad: Vad) -> list[Piece]:
    """``pcm`` has the house's rate. A second takes some two milliseconds: call it in a thread."""
    length, window = len(pcm) / 2 / HOUSE_RATE, vad.window / HOUSE_RATE
    found: list[Piece] = []
    for start, end in _spoken(pcm, vad):
        begin, finish = max(0.0, start - AROUND), min(length, end + AROUND)
        if found and start - found[-1].end < QUIET - AROUND and finish - found[-1].start <= LONGEST:
            found[-1] = Piece(found[-1].start, finish)
        else:
            found.append(Piece(max(begin, found[-1].end if found else 0.0), finish))
    return [each for piece in found for each in _halved(piece, window)]


def _spoken(pcm: bytes, vad: Vad) -> list[Piece]:
    """Windows that are speech, joined where they touch."""
    probability, found = vad.stream(), list[Piece]()
    size, seconds = vad.window * 2, vad.window / HOUSE_RATE
    for index in range(len(pcm) // size):
        if probability(pcm[index * size : (index + 1) * size]) < SPEECH:
            continue
        start = index * seconds
        if found and start - found[-1].end < seconds / 2:
            found[-1] = Piece(found[-1].start, start + seconds)
        else:
            found.append(Piece(start, start + seconds))
    return found


def _halved(piece: Piece, least: float) -> list[Piece]:
    """Somebody who never pauses is cut all the same."""
    parts = max(1, -(-int((piece.end - piece.start) / least) // int(LONGEST / least)))
    step = (piece.end - piece.start) / parts
    return [Piece(piece.start + step * index, piece.start + step * (index + 1)) for index in range(parts)]
