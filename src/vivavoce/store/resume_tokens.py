"""What a client comes back with, by its hash: it opens a conversation whose session is no more, too."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Column, Connection, Double, LargeBinary, Table, Text, delete, insert, select

from vivavoce.store.database import Database
from vivavoce.store.schema import metadata

__all__ = ["Found", "ResumeTokens", "forget"]

_tokens = Table(
    "resume_tokens",
    metadata,
    Column("hash", LargeBinary, primary_key=True),
    Column("session_id", Text, nullable=False, index=True),
    Column("owner", Text, nullable=False),
    Column("expires_at", Double, nullable=False, index=True),
)


class Found(NamedTuple):
    session_id: str
    owner: str


class ResumeTokens:
    def __init__(self, database: Database) -> None:
        self._run = database.run

    async def keep(
        self, session_id: str, owner: str, hashes: Sequence[bytes], *, now: float, expires_at: float
    ) -> None:
        """These are good for the session until then, and no others."""

        def work(connection: Connection) -> None:
            mine = _tokens.c.session_id == session_id
            connection.execute(delete(_tokens).where(_tokens.c.expires_at <= now))
            connection.execute(delete(_tokens).where(mine, _tokens.c.hash.not_in(hashes)))
            known = set(connection.execute(select(_tokens.c.hash).where(mine)).scalars())
            rows = [
                {"hash": hash, "session_id": session_id, "owner": owner, "expires_at": expires_at}
                for hash in hashes
                if hash not in known
            ]
            if rows:
                connection.execute(insert(_tokens), rows)

        await self._run(work)

    async def find(self, hash: bytes, now: float) -> Found | None:
        query = select(_tokens.c.session_id, _tokens.c.owner).where(_tokens.c.hash == hash, _tokens.c.expires_at > now)
        row = await self._run(lambda connection: connection.execute(query).one_or_none())
        return Found(*row) if row else None


def forget(connection: Connection, session_ids: Sequence[str]) -> None:
    """Those of these sessions, which are deleted."""
    connection.execute(delete(_tokens).where(_tokens.c.session_id.in_(session_ids)))
