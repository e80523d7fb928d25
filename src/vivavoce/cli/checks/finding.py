"""What a check has found."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["Finding", "Level", "bad", "fine", "warn"]

Level = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Finding:
    level: Level
    """``warn``: it works, though not for everybody or not for long."""
    about: str
    """One word."""
    says: str
    mend: str = ""
    """What to do."""


def fine(about: str, says: str) -> Finding:
    return Finding("ok", about, says)


def warn(about: str, says: str, mend: str) -> Finding:
    return Finding("warn", about, says, mend)


def bad(about: str, says: str, mend: str) -> Finding:
    return Finding("fail", about, says, mend)
