"""The state machine of one session. :class:`Session` is the way in; each machine beside it is one file."""

from vivavoce.protocol.session.session import Session

__all__ = ["Session"]
