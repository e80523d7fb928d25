"""Servers that help a browser to be reached, and short-lived credentials for those that relay (TURN).

The credentials follow what coturn calls the REST scheme (draft-uberti-behave-turn-rest): the name is the second at
which they end and the password is an HMAC of it, so the TURN server and this one share a secret and nothing else.
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

__all__ = ["CREDENTIAL_SECONDS", "IceServers"]

CREDENTIAL_SECONDS: Final = 3600
"""A relay asks for them when a call begins and now and then after; a session lasts no longer (S-46)."""


@dataclass(frozen=True, slots=True)
class IceServers:
    stun: Sequence[str] = ()
    turn: Sequence[str] = ()
    """``turn:`` and ``turns:`` addresses of servers that know the secret."""
    secret: str = field(default="", repr=False)

    def for_client(self, now: float, *, relays: bool) -> list[dict[str, Any]]:
        """As ``RTCPeerConnection`` takes them. ``relays``: the client may have credentials, which cost us traffic."""
        servers: list[dict[str, Any]] = [{"urls": list(self.stun)}] if self.stun else []
        if relays and self.turn and self.secret:
            name = f"{int(now) + CREDENTIAL_SECONDS}:vivavoce"
            digest = hmac.digest(self.secret.encode(), name.encode(), hashlib.sha1)
            password = base64.b64encode(digest).decode()
            servers.append({"urls": list(self.turn), "username": name, "credential": password})
        return servers
