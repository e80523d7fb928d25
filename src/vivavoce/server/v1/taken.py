"""A call that has been taken: its two lines, and what the client is answered."""

from typing import NamedTuple

from vivavoce.protocol.frame import Line

__all__ = ["Taken"]


class Taken(NamedTuple):
    client: Line
    answerer: Line
    answer: str
    """SDP."""
    transport: str
    """For the log."""
