"""API keys, ``vv_…``: shown once when they are made, kept as hashes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hmac import compare_digest
from typing import Protocol

from vivavoce.access.principal import Principal, Scope
from vivavoce.access.tokens import hash_of, new_key

__all__ = ["PREFIX", "ApiKey", "GivenKeys", "KeyRows", "make_key"]

PREFIX = "vv_"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What is known of a key. Times are unix seconds."""

    id: str
    """``key_…``, by which people speak of it."""
    name: str
    scopes: frozenset[Scope]
    created_at: float
    expires_at: float | None = None
    revoked_at: float | None = None
    used_at: float | None = None
    """To the minute."""

    def is_good(self, now: float) -> bool:
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    def principal(self) -> Principal:
        return Principal(f"key:{self.id}", self.scopes, expires_at=self.expires_at)


class KeyRows(Protocol):
    """Where keys are kept."""

    async def find(self, hash: bytes) -> ApiKey | None: ...

    async def get(self, id: str) -> ApiKey | None: ...

    async def any(self) -> bool:
        """Whether there is one that is not revoked."""

    async def used(self, id: str, now: float) -> None:
        """Notes when it was used last."""


class GivenKeys:
    """Keys of the owner's own making, from VIVAVOCE_API_KEYS: they may do everything and never expire."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._hashes = [hash_of(key) for key in keys]

    def __bool__(self) -> bool:
        return bool(self._hashes)

    def find(self, key: str) -> Principal | None:
        """Each is compared, in a time that tells nothing."""
        asked = hash_of(key)
        found = [hash for hash in self._hashes if compare_digest(hash, asked)]
        return Principal(_name(found[0])) if found else None

    def has(self, name: str) -> bool:
        """Whether the principal of this name is still on the list."""
        return any(_name(hash) == name for hash in self._hashes)


def make_key(
    name: str, scopes: frozenset[Scope], *, now: float, expires_at: float | None, random: Callable[[int], bytes]
) -> tuple[str, ApiKey]:
    """The key, which nobody can tell again, and what is known of it."""
    return new_key(PREFIX, random), ApiKey(f"key_{random(8).hex()}", name, scopes, now, expires_at)


def _name(hash: bytes) -> str:
    """Tells keys apart and gives nothing of them away: a few of the hash's bits."""
    return f"key:given_{hash[:6].hex()}"
