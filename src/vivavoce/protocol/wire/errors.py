"""Errors as the Realtime API tells them: a type, a code, a message, and the path of the field at fault."""

from typing import Any

__all__ = ["ProtocolError"]


class ProtocolError(Exception):
    """What a client did wrong, in the API's own terms.

    It becomes an ``error`` event on a session (E-32) or ``{"error": {...}}`` over HTTP (H-45). The
    message is for the developer of the client: what was wrong and what is right.
    """

    def __init__(
        self,
        code: str | None,
        message: str,
        *,
        param: str | None = None,
        type: str = "invalid_request_error",
        event_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.type = type
        self.code = code
        self.message = message
        self.param = param
        self.event_id = event_id
        """The client's id of the event at fault, where whoever refuses it knows it."""

    def body(self) -> dict[str, Any]:
        """The object that goes under ``error``; an event adds the ``event_id`` it answers."""
        return {"type": self.type, "code": self.code, "message": self.message, "param": self.param}
