"""What is known of each session, from its beginning to long after its end: whose it was, who answered, what it cost.

Its words are in ``items.py``, its sound in ``recordings.py``; both go when it goes. A session that is taken up again,
resumed or rebuilt, goes on in the record it had.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import (
    Column,
    Connection,
    Double,
    Index,
    Integer,
    Row,
    Table,
    Text,
    and_,
    bindparam,
    delete,
    insert,
    or_,
    select,
    update,
)

from vivavoce.access.agents import Kept
from vivavoce.store.database import Database
from vivavoce.store.items import said
from vivavoce.store.resume_tokens import forget
from vivavoce.store.schema import Dollars, Words, like, metadata

__all__ = ["LISTED", "TITLE", "Session", "Sessions", "begin", "charge", "entitle", "touch"]

TITLE: Final = 200
"""Characters of a title at most."""
LISTED: Final = 100
"""Sessions in one answer at most."""

_sessions = Table(
    "sessions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("kept", Text, nullable=False),
    Column("backend", Text, nullable=False),
    Column("model", Words, nullable=False),
    Column("agent", Words),
    Column("voice", Words),
    Column("call_id", Text, index=True),
    Column("conversation_id", Words, index=True),
    Column("title", Words),
    Column("preview", Words),
    Column("started_at", Double, nullable=False),
    Column("active_at", Double, nullable=False, index=True),
    Column("ended_at", Double),
    Column("end_reason", Words),
    Column("responses", Integer, nullable=False),
    Column("unpriced", Integer, nullable=False),
    Column("usd", Dollars, nullable=False),
    Index(None, "owner", "active_at"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    id: str
    """``sess_…``, of the live session that it began with."""
    owner: str
    """The name of the principal whose it is: ``local``, ``key:…``, ``user:…`` or ``share:…``."""
    kept: Kept
    """``off``: no word of it is written down; ``text``: what was said; ``audio``: how it sounded, too."""
    backend: str
    """``builtin`` or ``upstream``."""
    model: str
    started_at: float
    kind: str = "realtime"
    """Or ``transcription``, or what a turn-based endpoint calls itself."""
    agent: str | None = None
    """The one it began with."""
    voice: str | None = None
    """The one that was spoken with."""
    call_id: str | None = None
    """``rtc_…``, of its newest call, where it came by WebRTC."""
    conversation_id: str | None = None
    """``conv_…``, by which a client asks for it again; the newest one."""
    title: str | None = None
    """What the user said first, until somebody gives it another name."""
    preview: str | None = None
    """How its last item begins."""
    active_at: float = 0.0
    """When something was written down last; what is listed first, and what retention goes by."""
    ended_at: float | None = None
    """None while it lives, and after a crash."""
    end_reason: str | None = None
    """For people and programs, such as ``1000 The client has gone.``"""
    responses: int = 0
    unpriced: int = 0
    """How much of what was used has no price that is known here, by number of answers and transcriptions."""
    usd: Decimal = field(default=Decimal(0))
    """What all the rest has cost."""


class Sessions:
    def __init__(self, database: Database) -> None:
        self._run = database.run

    async def begin(self, session: Session) -> None:
        """Nothing happens where there is one of this id."""
        await self._run(lambda connection: begin(connection, session))

    async def reopen(self, id: str, now: float, **news: Any) -> Session | None:
        """It goes on: no end is known of it any more. ``news`` are fields that changed with that (``call_id``,
        ``conversation_id``, ``model``, …). None where there is none, or none any more."""
        change = {**news, "active_at": now, "ended_at": None, "end_reason": None}

        def work(connection: Connection) -> Session | None:
            connection.execute(update(_sessions).where(_sessions.c.id == id).values(change))
            return _one(connection, _sessions.c.id == id)

        return await self._run(work)

    async def end(self, id: str, now: float, reason: str) -> None:
        await self._run(lambda connection: touch(connection, id, now, {"ended_at": now, "end_reason": reason}))

    async def find(self, id: str) -> Session | None:
        return await self._run(lambda connection: _one(connection, _sessions.c.id == id))

    async def of_call(self, call_id: str) -> Session | None:
        return await self._run(lambda connection: _one(connection, _sessions.c.call_id == call_id))

    async def of_conversation(self, conversation_id: str) -> Session | None:
        return await self._run(lambda connection: _one(connection, _sessions.c.conversation_id == conversation_id))

    async def newest(
        self,
        *,
        owner: str | None = None,
        words: str | None = None,
        before: Session | None = None,
        limit: int = LISTED,
    ) -> list[Session]:
        """The newest first, ``limit`` of them at most (never more than :data:`LISTED`): of one ``owner``, or of all;
        those with ``words`` in their title or in what was said, whatever their case; those that come after ``before``
        in this very list."""
        order = (_sessions.c.active_at.desc(), _sessions.c.id.desc())
        query = select(_sessions).order_by(*order).limit(max(0, min(limit, LISTED)))
        if owner is not None:
            query = query.where(_sessions.c.owner == owner)
        if words:
            query = query.where(or_(like(_sessions.c.title, words), said(_sessions.c.id, words)))
        if before is not None:
            at, same = _sessions.c.active_at < before.active_at, _sessions.c.active_at == before.active_at
            query = query.where(or_(at, and_(same, _sessions.c.id < before.id)))
        return [_session(row) for row in await self._run(lambda connection: connection.execute(query).all())]

    async def rename(self, id: str, title: str) -> bool:
        """Whether there is such a session. The title is cut at :data:`TITLE` characters."""
        change = update(_sessions).where(_sessions.c.id == id).values(title=title[:TITLE])
        return await self._run(lambda connection: connection.execute(change).rowcount) > 0

    async def older(self, than: float, limit: int, *, but: Collection[str] = ()) -> Sequence[str]:
        """The ids of those in which nothing has happened since, ``but`` for these; the oldest first."""
        query = select(_sessions.c.id).where(_sessions.c.active_at < than, _sessions.c.id.not_in(but))
        query = query.order_by(_sessions.c.active_at).limit(limit)
        return await self._run(lambda connection: connection.execute(query).scalars().all())

    async def of_owner(self, owner: str, limit: int) -> Sequence[str]:
        """The ids of theirs."""
        query = select(_sessions.c.id).where(_sessions.c.owner == owner).limit(limit)
        return await self._run(lambda connection: connection.execute(query).scalars().all())

    async def delete(self, ids: Sequence[str]) -> int:
        """Their rows, and those of their items, responses, recordings and resume tokens; not the files, nor the sums by
        day. How many there were."""
        which = delete(_sessions).where(_sessions.c.id.in_(ids))

        def work(connection: Connection) -> int:
            forget(connection, ids)
            return connection.execute(which).rowcount

        return await self._run(work)


def begin(connection: Connection, session: Session) -> None:
    """As :meth:`Sessions.begin`, inside a transaction."""
    known = select(_sessions.c.id).where(_sessions.c.id == session.id)
    if connection.execute(known).scalar() is None:
        row = replace(session, active_at=session.active_at or session.started_at)
        connection.execute(insert(_sessions).values(asdict(row)))


def touch(connection: Connection, id: str, now: float, change: Mapping[str, Any]) -> bool:
    """Something has happened in it. Whether it is still there; if so, it stays until the transaction ends."""
    which = update(_sessions).where(_sessions.c.id == id).values(active_at=now, **change)
    return connection.execute(which).rowcount > 0


def entitle(connection: Connection, id: str, title: str) -> None:
    """Gives it a title where it has none."""
    which = update(_sessions).where(_sessions.c.id == id, _sessions.c.title.is_(None))
    connection.execute(which.values(title=title[:TITLE]))


def charge(connection: Connection, id: str, *, responses: int, unpriced: int, usd: Decimal) -> None:
    """Adds to its sums."""
    connection.execute(_MORE, {"which": id, "its_responses": responses, "its_unpriced": unpriced, "its_usd": usd})


_MORE = (
    update(_sessions)
    .where(_sessions.c.id == bindparam("which"))
    .values(
        {
            name: _sessions.c[name] + bindparam(f"its_{name}", type_=_sessions.c[name].type)
            for name in ("responses", "unpriced", "usd")
        }
    )
)


def _one(connection: Connection, which: Any) -> Session | None:
    query = select(_sessions).where(which).order_by(_sessions.c.started_at.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    return _session(row) if row else None


def _session(row: Row[Any]) -> Session:
    return Session(**row._mapping)
