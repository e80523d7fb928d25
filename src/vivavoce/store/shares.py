"""Share links, and what of their budgets is used."""

from dataclasses import asdict
from typing import Any

from sqlalchemy import Column, Connection, Double, LargeBinary, Row, Table, Text, exists, insert, select, update

from vivavoce.access.shares import Share
from vivavoce.store.database import Database
from vivavoce.store.schema import metadata

__all__ = ["Shares"]

_shares = Table(
    "share_links",
    metadata,
    Column("id", Text, primary_key=True),
    Column("hash", LargeBinary, nullable=False, unique=True),
    Column("agent", Text),
    Column("dollars", Double),
    Column("seconds", Double),
    Column("created_at", Double, nullable=False),
    Column("expires_at", Double),
    Column("revoked_at", Double),
    Column("used_dollars", Double, nullable=False),
    Column("used_seconds", Double, nullable=False),
    Column("sealed_key", LargeBinary),
)


class Shares:
    """:class:`vivavoce.access.shares.ShareRows`, and what the command does with links."""

    def __init__(self, database: Database) -> None:
        self._run = database.run

    async def add(self, share: Share, hash: bytes) -> None:
        row = {"hash": hash, **asdict(share)}
        await self._run(lambda connection: connection.execute(insert(_shares).values(row)))

    async def all(self) -> list[Share]:
        """The oldest first."""
        query = select(_shares).order_by(_shares.c.created_at, _shares.c.id)
        return [_share(row) for row in await self._run(lambda connection: connection.execute(query).all())]

    async def revoke(self, id: str, now: float) -> bool:
        """Whether there was such a link, and it was still good for something. Its sealed key is forgotten."""
        which = update(_shares).where(_shares.c.id == id, _shares.c.revoked_at.is_(None))
        change = which.values(revoked_at=now, sealed_key=None)
        return await self._run(lambda connection: connection.execute(change).rowcount) > 0

    async def find(self, hash: bytes) -> Share | None:
        return await self._run(lambda connection: _one(connection, _shares.c.hash == hash))

    async def get(self, id: str) -> Share | None:
        return await self._run(lambda connection: _one(connection, _shares.c.id == id))

    async def any(self) -> bool:
        query = select(exists().where(_shares.c.revoked_at.is_(None)))
        return bool(await self._run(lambda connection: connection.execute(query).scalar()))

    async def charge(self, id: str, *, seconds: float, dollars: float) -> Share | None:
        change = update(_shares).where(_shares.c.id == id)
        change = change.values(
            used_seconds=_shares.c.used_seconds + seconds, used_dollars=_shares.c.used_dollars + dollars
        )

        def work(connection: Connection) -> Share | None:
            connection.execute(change)
            return _one(connection, _shares.c.id == id)

        return await self._run(work)


def _one(connection: Connection, which: Any) -> Share | None:
    row = connection.execute(select(_shares).where(which)).one_or_none()
    return _share(row) if row else None


def _share(row: Row[Any]) -> Share:
    values = dict(row._mapping)
    del values["hash"]
    return Share(**values)
