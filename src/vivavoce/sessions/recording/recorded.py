"""What is told of a recording. What makes and mends one loads FFmpeg and NumPy, so it is imported where one is kept."""

from typing import NamedTuple

from vivavoce.store.recordings import State

__all__ = ["Recorded", "Unreadable"]


class Recorded(NamedTuple):
    """How far it has come."""

    ms: int
    bytes: int
    state: State


class Unreadable(Exception):
    """There is no sound in the file."""
