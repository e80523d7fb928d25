"""How a connection answers a message that is no event at all (E-14, E-32). What *is* an event but a
wrong one is for the session to refuse."""

from vivavoce.protocol.frame import Frame
from vivavoce.protocol.wire.errors import ProtocolError

__all__ = ["binary", "refusal"]


def binary() -> ProtocolError:
    return ProtocolError("invalid_event", "Binary messages are not understood: send each event as a text message.")


def refusal(error: ProtocolError, event_id: str) -> Frame:
    """The ``error`` event for ``error``; ``event_id`` is the new event's own."""
    told = {**error.body(), "event_id": error.event_id}
    return Frame("error", {"type": "error", "event_id": event_id, "error": told})
