"""Direct calls: those whose media passes us by. A call is noted before its answer goes out, so that whoever comes after
a crash can listen to it again, or hang it up."""

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Column, Double, LargeBinary, Row, Table, Text, delete, insert, select, update

from vivavoce.store.database import Database
from vivavoce.store.schema import metadata

__all__ = ["DirectCall", "DirectCalls"]

_calls = Table(
    "direct_calls",
    metadata,
    Column("id", Text, primary_key=True),
    Column("upstream_id", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("started_at", Double, nullable=False),
    Column("ended_at", Double, index=True),
    Column("sealed", LargeBinary),
    Column("session_id", Text),
    Column("agent", Text),
    Column("model", Text),
    Column("address", Text),
)


@dataclass(frozen=True, slots=True)
class DirectCall:
    id: str
    """Ours, ``rtc_…``."""
    upstream_id: str
    owner: str
    """The name of the principal that placed it."""
    started_at: float
    """Unix seconds."""
    ended_at: float | None = None
    sealed: bytes | None = None
    """What it takes to reach the call again, such as the key that it was placed with; sealed for the call's id."""
    session_id: str | None = None
    """Its record among the sessions; None for one that an older version noted."""
    agent: str | None = None
    model: str | None = None
    """What it is paid by."""
    address: str | None = None
    """Of the client, whose limits hold; forgotten with the call's end."""


class DirectCalls:
    def __init__(self, database: Database) -> None:
        self._run = database.run

    async def begin(self, call: DirectCall) -> None:
        await self._run(lambda connection: connection.execute(insert(_calls).values(asdict(call))))

    async def end(self, id: str, now: float) -> None:
        """Once is enough; what is sealed is forgotten, and the address."""
        which = update(_calls).where(_calls.c.id == id, _calls.c.ended_at.is_(None))
        await self._run(lambda connection: connection.execute(which.values(ended_at=now, sealed=None, address=None)))

    async def find(self, id: str) -> DirectCall | None:
        query = select(_calls).where(_calls.c.id == id)
        row = await self._run(lambda connection: connection.execute(query).one_or_none())
        return _call(row) if row else None

    async def live(self) -> list[DirectCall]:
        """Those of which no end is known, the oldest first."""
        query = select(_calls).where(_calls.c.ended_at.is_(None)).order_by(_calls.c.started_at)
        return [_call(row) for row in await self._run(lambda connection: connection.execute(query).all())]

    async def forget_owner(self, owner: str) -> None:
        """Those of this owner that have ended."""
        which = delete(_calls).where(_calls.c.owner == owner, _calls.c.ended_at.is_not(None))
        await self._run(lambda connection: connection.execute(which))

    async def forget(self, before: float) -> None:
        """Those that ended earlier."""
        await self._run(lambda connection: connection.execute(delete(_calls).where(_calls.c.ended_at < before)))


def _call(row: Row[Any]) -> DirectCall:
    return DirectCall(**row._mapping)
