"""API keys."""

from typing import Any

from sqlalchemy import Column, Double, LargeBinary, Row, Table, Text, exists, insert, select, update

from vivavoce.access.keys import ApiKey
from vivavoce.access.principal import scopes_of
from vivavoce.store.database import Database
from vivavoce.store.schema import metadata

__all__ = ["Keys"]

_keys = Table(
    "api_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("hash", LargeBinary, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("scopes", Text, nullable=False),  # words with spaces between
    Column("created_at", Double, nullable=False),
    Column("expires_at", Double),
    Column("revoked_at", Double),
    Column("used_at", Double),
)


class Keys:
    """:class:`vivavoce.access.keys.KeyRows`, and what the command does with keys."""

    def __init__(self, database: Database) -> None:
        self._run = database.run

    async def add(self, key: ApiKey, hash: bytes) -> None:
        row = {
            "id": key.id, "hash": hash, "name": key.name, "scopes": " ".join(sorted(key.scopes)),
            "created_at": key.created_at, "expires_at": key.expires_at,
        }  # fmt: skip
        await self._run(lambda connection: connection.execute(insert(_keys).values(row)))

    async def all(self) -> list[ApiKey]:
        """The oldest first."""
        query = select(_keys).order_by(_keys.c.created_at, _keys.c.id)
        return [_key(row) for row in await self._run(lambda connection: connection.execute(query).all())]

    async def revoke(self, id: str, now: float) -> bool:
        """Whether there was such a key, and it was still good for something."""
        change = update(_keys).where(_keys.c.id == id, _keys.c.revoked_at.is_(None)).values(revoked_at=now)
        return await self._run(lambda connection: connection.execute(change).rowcount) > 0

    async def find(self, hash: bytes) -> ApiKey | None:
        return await self._one(_keys.c.hash == hash)

    async def get(self, id: str) -> ApiKey | None:
        return await self._one(_keys.c.id == id)

    async def any(self) -> bool:
        query = select(exists().where(_keys.c.revoked_at.is_(None)))
        return bool(await self._run(lambda connection: connection.execute(query).scalar()))

    async def used(self, id: str, now: float) -> None:
        change = update(_keys).where(_keys.c.id == id).values(used_at=now)
        await self._run(lambda connection: connection.execute(change))

    async def _one(self, which: Any) -> ApiKey | None:
        row = await self._run(lambda connection: connection.execute(select(_keys).where(which)).one_or_none())
        return _key(row) if row else None


def _key(row: Row[Any]) -> ApiKey:
    return ApiKey(
        row.id, row.name, scopes_of(row.scopes.split()), row.created_at, row.expires_at, row.revoked_at, row.used_at
    )
