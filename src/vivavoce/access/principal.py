"""Who is asking, and what they may do."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, get_args

from vivavoce.access.grants import Grant

__all__ = ["ALL_SCOPES", "LOCAL", "SCOPES", "Principal", "Scope", "scopes_of"]

Scope = Literal["connect", "mint", "manage"]
"""``connect``: open sessions, and control one's own calls. ``mint``: make ephemeral keys. ``manage``: control
everybody's calls."""
SCOPES: tuple[Scope, ...] = get_args(Scope)
ALL_SCOPES: frozenset[Scope] = frozenset(SCOPES)


@dataclass(frozen=True, slots=True)
class Principal:
    name: str
    """Whose sessions these are and on whose account they go: ``local``, ``key:…``, ``user:…`` or ``share:…``.
    Who comes with an ephemeral key has the name of who minted it."""
    scopes: frozenset[Scope] = ALL_SCOPES
    grant: Grant | None = None
    """What an ephemeral key stands for; None for a standard key."""
    agent: str | None = None
    """The agent that is fixed for this principal, by a share link."""
    upstream_key: str | None = field(default=None, repr=False)
    """The key that pays at the upstream, where it is not the server's own."""
    expires_at: float | None = None
    """Unix seconds: when what it came with ends, and with it the ephemeral keys minted by it."""

    @property
    def kind(self) -> str:
        """``local``, ``key``, ``user`` or ``share``."""
        return self.name.partition(":")[0]

    def may_control(self, owner: str) -> bool:
        """Whether a call that ``owner`` placed is this principal's to listen to and to hang up."""
        return self.grant is None and (self.name == owner or "manage" in self.scopes)

    def with_grant(self, grant: Grant) -> "Principal":
        """The same one, come with an ephemeral key: it opens sessions and nothing else (H-36)."""
        pays = grant.upstream_key or self.upstream_key
        return Principal(self.name, frozenset({"connect"}), grant, grant.agent or self.agent, pays)


LOCAL = Principal("local")


def scopes_of(words: Iterable[str]) -> frozenset[Scope]:
    """The scopes among ``words``; a word that a newer version may have written is no right here."""
    return frozenset(scope for scope in SCOPES if scope in set(words))
