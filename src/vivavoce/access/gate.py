"""Who is asking: from the key that came with a request to a :class:`Principal`."""

import hmac
from dataclasses import dataclass

from vivavoce.access.grants import PREFIX, Grant, Grants

__all__ = ["Gate", "Principal", "Refused"]


class Refused(Exception):
    """The key is not good for this; ``status`` is 401 (who are you?) or 403 (not with this key). The message
    is for the developer of the client and holds no key."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Principal:
    name: str
    grant: Grant | None = None
    """What an ephemeral key stands for; None for a standard key."""


class Gate:
    """``required_key``: the one standard key that is let in. None is local mode: any key or none will do."""

    def __init__(self, grants: Grants, required_key: str | None = None) -> None:
        self._grants = grants
        self._required_key = required_key

    def enter(self, key: str | None) -> Principal:
        """Who may open sessions: any principal. Raises :class:`Refused` (H-04)."""
        if key is not None and key.startswith(PREFIX):
            if (grant := self._grants.find(key)) is None:
                raise Refused(
                    401, "invalid_api_key",
                    "This ephemeral key is unknown or has expired. Mint a fresh one with POST "
                    "/v1/realtime/client_secrets right before you connect.",
                )  # fmt: skip
            return Principal(grant.parent, grant)
        if self._required_key is None:
            return Principal("local")
        if key is None:
            raise Refused(401, "missing_api_key", "This server wants a key: send 'Authorization: Bearer KEY'.")
        if not hmac.compare_digest(key.encode(errors="replace"), self._required_key.encode()):
            raise Refused(401, "invalid_api_key", "This server does not know the key that you sent.")
        return Principal("key")

    def enter_with_standard_key(self, key: str | None) -> Principal:
        """Who may mint keys and control calls: not an ephemeral key (H-36). Raises :class:`Refused`."""
        principal = self.enter(key)
        if principal.grant is not None:
            raise Refused(403, "insufficient_scope", "An ephemeral key opens sessions and calls, and nothing else.")
        return principal
