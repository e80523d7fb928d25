"""What a browser's WebSocket says in its subprotocols, because a page cannot set headers (H-05, H-06)."""

from collections.abc import Sequence
from dataclasses import dataclass, field

__all__ = ["Offer", "read_subprotocols"]

REALTIME = "realtime"
OURS = "vivavoce.v1"
"""Who offers it is told what is ours too, between the protocol's events."""
_KEY = "openai-insecure-api-key."
_ORGANIZATION = "openai-organization."
_PROJECT = "openai-project."
_RESUME = "vivavoce-resume."
_BETA = "openai-beta.realtime-v1"


@dataclass(frozen=True, slots=True)
class Offer:
    """``answer`` is the one subprotocol to select (a browser fails the handshake without it), never the one that bears
    the key; None when neither ``vivavoce.v1`` nor ``realtime`` was offered. ``key`` stays out of ``repr``."""

    answer: str | None = None
    key: str | None = field(default=None, repr=False)
    organization: str | None = None
    project: str | None = None
    beta: bool = False
    notices: bool = False
    """``vivavoce.v1`` was offered, and is selected."""
    resume: str | None = field(default=None, repr=False)
    """The token of a session to be taken up again."""


def read_subprotocols(offered: Sequence[str]) -> Offer:
    """Reads ``offered`` (ASGI's ``scope["subprotocols"]``). Ones it does not know are left alone; of
    several keys the first counts."""
    return Offer(
        answer=next((name for name in (OURS, REALTIME) if name in offered), None),
        key=_after(_KEY, offered),
        organization=_after(_ORGANIZATION, offered),
        project=_after(_PROJECT, offered),
        beta=_BETA in offered,
        notices=OURS in offered,
        resume=_after(_RESUME, offered),
    )


def _after(prefix: str, offered: Sequence[str]) -> str | None:
    return next((name[len(prefix) :] for name in offered if name.startswith(prefix) and name != prefix), None)
