"""Which recordings there are of a session, and how far each has come; their sound is in files, see ``files.py``."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    ForeignKeyConstraint,
    Integer,
    Row,
    Table,
    Text,
    insert,
    select,
    update,
)

from vivavoce.store.database import Database
from vivavoce.store.schema import metadata

__all__ = ["Recording", "Recordings", "State"]

State = Literal["recording", "complete", "broken"]
"""``recording`` is also what a crash leaves behind; ``broken``: not all of it could be kept."""

_recordings = Table(
    "recordings",
    metadata,
    Column("session_id", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("codec", Text, nullable=False),
    Column("channels", Integer, nullable=False),
    Column("started_at", Double, nullable=False),
    Column("ms", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    ForeignKeyConstraint(["session_id"], ["sessions.id"], ondelete="CASCADE"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    name: str
    """Of its file, in the session's own directory."""
    started_at: float
    """Unix seconds, of its first sample: what :attr:`Item.said_at` is measured against."""
    codec: str = "opus"
    channels: int = 2
    """Two are the user, left, and the assistant, right."""
    state: State = "recording"
    ms: int = 0
    bytes: int = 0


class Recordings:
    def __init__(self, database: Database) -> None:
        self._run = database.run

    async def begin(self, session_id: str, recording: Recording) -> None:
        row = {"session_id": session_id, **asdict(recording)}
        await self._run(lambda connection: connection.execute(insert(_recordings).values(row)))

    async def change(self, session_id: str, name: str, **change: Any) -> bool:
        """``state``, ``ms``, ``bytes``. False where there is none of this name, or none any more."""
        which = update(_recordings).where(_recordings.c.session_id == session_id, _recordings.c.name == name)
        return await self._run(lambda connection: connection.execute(which.values(change)).rowcount) > 0

    async def all(self, session_id: str) -> list[Recording]:
        """Those of one session, the oldest first."""
        query = select(_recordings).where(_recordings.c.session_id == session_id)
        query = query.order_by(_recordings.c.started_at, _recordings.c.name)
        return [_recording(row) for row in await self._run(lambda connection: connection.execute(query).all())]

    async def unfinished(self) -> list[tuple[str, Recording]]:
        """Those that are being made, or that a crash has left, with their sessions' ids."""
        query = select(_recordings).where(_recordings.c.state == "recording")
        rows = await self._run(lambda connection: connection.execute(query).all())
        return [(row.session_id, _recording(row)) for row in rows]


def _recording(row: Row[Any]) -> Recording:
    values = dict(row._mapping)
    del values["session_id"]
    return Recording(**values)
