"""A dialect is how one connection spells the protocol: text frames on the wire, :class:`Frame` inside.

Inside there is GA only. Each dialect is one module with one class; a connection picks its dialect when
it opens and keeps it.
"""

from typing import Protocol

from vivavoce.protocol.frame import Frame

__all__ = ["Dialect"]


class Dialect(Protocol):
    """Translates both ways. An instance belongs to one connection, since some dialects remember."""

    def decode(self, text: str | bytes) -> list[Frame]:
        """Frames of one text message from a client. Raises :class:`ProtocolError` for what is no event
        at all (bad JSON, no object, no type, bad base64); whether an event is *right* is the session's to say."""

    def encode(self, frame: Frame) -> list[str]:
        """Text messages for one frame to a client: none, where the dialect has no such event."""
