"""What a client says of the session that it wants back.

What is secret in it comes in a header, a subprotocol or a body, never in a URL: those are written down all along the
way.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from vivavoce.protocol.wire.errors import ProtocolError

__all__ = ["HEADER", "Claim", "claimed"]

HEADER = "X-Vivavoce-Resume"
MAX_ID = 256
"""Characters of an id that a client names."""


class Claim(NamedTuple):
    """One of the first two is there."""

    token: str | None
    conversation: str | None
    after: str | None
    """The id of the last event that it saw; None where it kept nothing."""


def claimed(headers: Mapping[str, str], query: Mapping[str, str], given: Any = None) -> Claim | None:
    """``given`` is a token that came in a subprotocol or a body. None from a client that wants a new session. Raises
    :class:`ProtocolError`."""
    token = given or headers.get(HEADER)
    conversation, after = query.get("conversation_id"), query.get("after")
    if not isinstance(token, str | None):
        raise ProtocolError("invalid_type", "A resume token is a text.", param="session.resume")
    if any(len(value) > MAX_ID for value in (conversation, after) if value):
        raise ProtocolError("invalid_value", "No id is that long.", param="conversation_id")
    return Claim(token, conversation, after) if token or conversation else None
