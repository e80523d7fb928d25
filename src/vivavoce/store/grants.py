"""What ephemeral keys stand for, sealed."""

from sqlalchemy import Column, Connection, Double, LargeBinary, Table, delete, func, insert, select

from vivavoce.store.database import Database
from vivavoce.store.schema import metadata

__all__ = ["GrantRows"]

_grants = Table(
    "grants",
    metadata,
    Column("hash", LargeBinary, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("expires_at", Double, nullable=False, index=True),
)


class GrantRows:
    """:class:`vivavoce.access.grants.GrantRows`."""

    def __init__(self, database: Database) -> None:
        self._run = database.run

    async def add(self, hash: bytes, *, sealed: bytes, expires_at: float, now: float, limit: int) -> bool:
        def work(connection: Connection) -> bool:
            connection.execute(delete(_grants).where(_grants.c.expires_at <= now))
            if connection.execute(select(func.count()).select_from(_grants)).scalar_one() >= limit:
                return False
            connection.execute(insert(_grants).values(hash=hash, sealed=sealed, expires_at=expires_at))
            return True

        return await self._run(work)

    async def find(self, hash: bytes) -> bytes | None:
        query = select(_grants.c.sealed).where(_grants.c.hash == hash)
        return await self._run(lambda connection: connection.execute(query).scalar())
