"""Ephemeral keys, ``ek_…``: short-lived references to what a session may begin with (H-31 to H-37).

The key itself says nothing. What it stands for is kept sealed, under the key's hash, so neither a page nor whoever
reads the database gets from the one what the other one knows.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec

from vivavoce.access.sealing import Sealer
from vivavoce.access.tokens import hash_of, new_key

__all__ = ["MAX_SECONDS", "MIN_SECONDS", "PREFIX", "Grant", "GrantRows", "Grants", "TooManyGrants"]

PREFIX = "ek_"
MIN_SECONDS, MAX_SECONDS = 10, 7200
"""How long a key may live (H-33)."""
MAX_GRANTS = 10_000
"""Keys alive at one time."""


class TooManyGrants(Exception):
    """As many keys are alive as are allowed."""


@dataclass(frozen=True, slots=True)
class Grant:
    config: Mapping[str, Any]
    """The session patch that a session of this key begins with, ``type`` always among its keys."""
    expires_at: int
    """Unix seconds. Ends the key, not the sessions that it opened (H-34)."""
    parent: str
    """The name of the principal that minted it."""
    beta: Mapping[str, Any] | None = None
    """The session as the beta API writes it, of a key that was minted there: who holds it speaks beta (H-43)."""
    agent: str | None = None
    upstream_key: str | None = field(default=None, repr=False)
    """The user's own key for the upstream. It exists nowhere else, and is gone with the grant."""
    id: str = ""
    """Tells one key from another, and gives nothing of it away; empty of a key that an older version minted."""


class GrantRows(Protocol):
    """Where grants are kept. Times are unix seconds."""

    async def add(self, hash: bytes, *, sealed: bytes, expires_at: float, now: float, limit: int) -> bool:
        """Whether there was room: at most ``limit`` are alive. Those that have expired are forgotten."""

    async def find(self, hash: bytes) -> bytes | None:
        """What was sealed."""


class Grants:
    """``now`` gives unix seconds, ``random(n)`` gives n unguessable bytes."""

    def __init__(
        self,
        rows: GrantRows,
        sealer: Sealer,
        *,
        now: Callable[[], float],
        random: Callable[[int], bytes],
        limit: int = MAX_GRANTS,
    ) -> None:
        self._rows, self._sealer = rows, sealer
        self._now, self._random, self._limit = now, random, limit

    async def mint(
        self,
        config: Mapping[str, Any],
        *,
        seconds: int,
        parent: str,
        parent_expires_at: float | None = None,
        beta: Mapping[str, Any] | None = None,
        agent: str | None = None,
        upstream_key: str | None = None,
    ) -> tuple[str, Grant]:
        """A new key and what it stands for. ``seconds`` lies between MIN_SECONDS and MAX_SECONDS; the key ends with
        its parent, if that is sooner. Raises :class:`TooManyGrants`."""
        if not MIN_SECONDS <= seconds <= MAX_SECONDS:
            raise ValueError(f"a key lives {MIN_SECONDS} to {MAX_SECONDS} seconds, not {seconds}")
        now = self._now()
        expires_at = int(now) + seconds
        if parent_expires_at is not None:
            expires_at = min(expires_at, int(parent_expires_at))
        key = new_key(PREFIX, self._random)
        hash = hash_of(key)
        grant = Grant(dict(config), expires_at, parent, beta, agent, upstream_key, hash[:8].hex())
        sealed = self._sealer.seal(msgspec.json.encode(grant), hash)
        if not await self._rows.add(hash, sealed=sealed, expires_at=expires_at, now=now, limit=self._limit):
            raise TooManyGrants
        return key, grant

    async def find(self, key: str) -> Grant | None:
        """What ``key`` stands for; None when it is unknown or has expired. A key opens many sessions (H-34)."""
        hash = hash_of(key)
        sealed = await self._rows.find(hash)
        plain = sealed and self._sealer.open(sealed, hash)
        grant = msgspec.json.decode(plain, type=Grant) if plain else None
        return grant if grant is not None and self._now() < grant.expires_at else None
