"""Times as people write and read them: ``12h``, ``30d``, ``2027-01-31``."""

import re
import time
from datetime import UTC, datetime

import click

__all__ = ["moment", "until"]

_SECONDS = {"m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


def until(text: str) -> float:
    """Unix seconds of a moment ahead. For click, which asks for :class:`click.BadParameter`."""
    if found := re.fullmatch(r"(\d{1,6})([mhdw])", text.strip()):
        if int(found[1]) > 0:
            return time.time() + int(found[1]) * _SECONDS[found[2]]
        raise click.BadParameter("That is now, and not ahead.")
    try:
        then = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is neither like 30m, 12h, 7d, 2w nor like 2027-01-31.") from None
    seconds = then.astimezone(UTC).timestamp()
    if seconds <= time.time():
        raise click.BadParameter(f"{text!r} lies in the past.")
    return seconds


def moment(seconds: float | None) -> str:
    """For people, in their own time; ``never`` for None."""
    return "never" if seconds is None else datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M")
