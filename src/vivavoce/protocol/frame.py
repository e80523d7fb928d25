"""The one thing that flows between a client, the session and whoever answers it: a :class:`Frame`,
carried by a :class:`Line`.

A line is one end of a live session: a client's connection (``transports/``) or whoever answers
(``backends/``). ``sessions/`` joins two of them. Everything on a line is GA protocol; another
dialect is translated where the connection is, in ``protocol/dialects/``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

__all__ = [
    "APPEND",
    "AUDIO_DELTA",
    "FLUSH",
    "GAP",
    "HOLD",
    "OURS",
    "PLAYED",
    "REST",
    "SOUND",
    "TURN",
    "Closed",
    "Frame",
    "Line",
]

APPEND = "input_audio_buffer.append"
AUDIO_DELTA = "response.output_audio.delta"
SOUND = frozenset({APPEND, AUDIO_DELTA})
"""The frames that have audio, fifty a second."""

# Six frames are ours, never on the wire. Four of them concern a media track, and HOLD whoever plays.
FLUSH = "media.flush"
"""To the track: drop the unplayed audio of ``data["item_id"]`` at once."""
HOLD = "media.hold"
"""To the track: stand still (``data["on"]``), or go on from where it stood."""
PLAYED = "media.played"
"""From the track: ``data`` is ``{"item_id": str, "audio_ms": int, "drained": bool}``, how much of the
item's audio has left for the listener, and whether nothing is left to play."""
REST = "media.rest"
"""To the track of a call that takes the place of another: what that one had not played of ``data["item_id"]``, in
``audio``. ``data`` has ``audio_ms`` too, how much it had, and ``finished``, whether no more of the item will come."""
GAP = "session.gap"
"""From whoever answers, for observers alone: what happened in the ``data["seconds"]`` before is not known here,
since the call went on without us; None where it is not known how long that was."""
TURN = "session.turn"
"""From whoever answers, for observers alone: where the time went between a speaker's last sound and the first of the
answer. See :mod:`vivavoce.engine.budget` for its data."""
OURS = frozenset({FLUSH, HOLD, PLAYED, REST, GAP, TURN})
"""No text frame may be one of these, whoever sends it."""


@dataclass(slots=True)
class Frame:
    """One event of the protocol, on its way.

    ``type`` is the event's name. ``data`` holds the whole event as JSON-like values (``type``
    included), **without** its base64 audio, which is in ``audio`` as bytes: ``audio`` of
    ``input_audio_buffer.append`` and ``delta`` of ``response.output_audio.delta``, in the session's
    input or output format on a WebSocket and 24 kHz 16-bit mono PCM on a media track.
    """

    type: str
    data: Mapping[str, Any] = field(default_factory=dict)
    audio: bytes | None = None
    origin: str = ""
    """Which of a session's clients sent it, where it has several: an error goes back to that one alone. Empty is
    the client that the session belongs to."""


class Closed(Exception):
    """A line has ended. ``code`` and ``reason`` are a WebSocket's (RFC 6455): 1000 is a normal end,
    1001 going away, 1006 a cut; what a media call ends with is put in the same terms."""

    def __init__(self, code: int = 1000, reason: str = "") -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason


class Line(Protocol):
    """One end of a session. Not safe for two concurrent receivers; ``send`` keeps the order of calls."""

    async def receive(self) -> Frame:
        """The next frame from the other side. Raises :class:`Closed` once it has gone."""

    async def send(self, frame: Frame) -> None:
        """Hand a frame over; waits while the other side is slow. Raises :class:`Closed` once it has gone."""

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """End the line and free what it holds. Idempotent; later calls of the other two raise."""
