"""The committed questions (``tests/speech``), as mono int16 PCM."""

from functools import cache
from pathlib import Path

from vivavoce.audio.resample import convert
from vivavoce.audio.wav import read_wav

__all__ = ["FOLDER", "speech"]

FOLDER = Path(__file__).parent.parent / "speech"


@cache
def speech(name: str, rate: int = 16_000) -> bytes:
    """``speech("time_in_london")`` is the words and nothing before or after them."""
    pcm, recorded = read_wav(FOLDER / f"{name}.wav")
    return convert(pcm, recorded, rate)
