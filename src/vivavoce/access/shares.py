"""Share links: somebody without a key talks at the owner's expense, within a budget."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from vivavoce.access.principal import Principal, Scope
from vivavoce.access.tokens import new_key

__all__ = ["PREFIX", "Share", "ShareRows", "make_share"]

PREFIX = "vvs_"
_SCOPES: frozenset[Scope] = frozenset({"mint"})


@dataclass(frozen=True, slots=True)
class Share:
    """Times are unix seconds. What has been used counts from the link's beginning, over all who have it."""

    id: str
    """``share_…``, by which people speak of it."""
    agent: str | None
    """Who answers, whatever the visitor asks for; None leaves it to the visitor."""
    dollars: float | None
    """The budget; None is without limit."""
    seconds: float | None
    """The budget of talking time; None is without limit."""
    created_at: float
    expires_at: float | None = None
    revoked_at: float | None = None
    used_dollars: float = 0.0
    used_seconds: float = 0.0
    sealed_key: bytes | None = None
    """The owner's key for the upstream, sealed for this link's id."""

    def refusal(self, now: float) -> str | None:
        """Why it is good no more, for the visitor; None while it is good."""
        if self.revoked_at is not None:
            return "Whoever made this link has taken it back."
        if self.expires_at is not None and now >= self.expires_at:
            return "This link has expired."
        if self.seconds is not None and self.used_seconds >= self.seconds:
            return "The talking time that this link had is used up."
        if self.dollars is not None and self.used_dollars >= self.dollars:
            return "The money that this link had is spent."
        return None

    def principal(self, upstream_key: str | None) -> Principal:
        return Principal(
            f"share:{self.id}", _SCOPES, agent=self.agent, upstream_key=upstream_key, expires_at=self.expires_at
        )


class ShareRows(Protocol):
    """Where links are kept."""

    async def find(self, hash: bytes) -> Share | None: ...

    async def get(self, id: str) -> Share | None: ...

    async def any(self) -> bool:
        """Whether there is one that is not revoked."""

    async def charge(self, id: str, *, seconds: float, dollars: float) -> Share | None:
        """Adds to what is used; the link as it is then."""


def make_share(
    *,
    agent: str | None,
    dollars: float | None,
    seconds: float | None,
    now: float,
    expires_at: float | None,
    random: Callable[[int], bytes],
) -> tuple[str, Share]:
    """The link's token, which nobody can tell again, and what is known of it."""
    return new_key(PREFIX, random), Share(f"share_{random(8).hex()}", agent, dollars, seconds, now, expires_at)
