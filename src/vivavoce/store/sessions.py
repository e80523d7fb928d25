"""What is known of each session, from its beginning to long after its end: whose it was, who answered, what it cost.

Its words are in ``items.py``, its sound in ``recordings.py``; both go when it goes. A session that is taken up again,
resumed or rebuilt, goes on in the record it had.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from decimal import Decimal
from operator import itemgetter
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
    func,
    insert,
    or_,
    select,
    update,
)

from vivavoce.access.agents import Kept
from vivavoce.store.database import Transactions
from vivavoce.store.items import said
from vivavoce.store.prepared import Prepared
from vivavoce.store.responses import Response
from vivavoce.store.resume_tokens import forget
from vivavoce.store.schema import Dollars, Words, like, metadata

__all__ = ["FACTS", "LISTED", "TITLE", "Session", "Sessions", "begin", "charge", "tell"]

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
    def __init__(self, database: Transactions) -> None:
        self._run = database.run

    async def begin(self, session: Session) -> None:
        """Nothing happens where there is one of this id."""
        await self._run(lambda connection: begin(connection, [session]))

    async def reopen(self, id: str, now: float, **news: Any) -> Session | None:
        """It goes on: no end is known of it any more. ``news`` are fields that changed with that (``call_id``,
        ``conversation_id``, ``model``, …). None where there is none, or none any more."""
        change = {**news, "active_at": now, "ended_at": None, "end_reason": None}

        def work(connection: Connection) -> Session | None:
            connection.execute(update(_sessions).where(_sessions.c.id == id).values(change))
            return _one(connection, _sessions.c.id == id)

        return await self._run(work)

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


def begin(connection: Connection, sessions: Sequence[Session]) -> None:
    """As :meth:`Sessions.begin`, inside a transaction."""
    if not sessions:
        return
    known = select(_sessions.c.id).where(_sessions.c.id.in_([session.id for session in sessions]))
    there = set(connection.execute(known).scalars())
    rows = {each.id: replace(each, active_at=each.active_at or each.started_at) for each in sessions}
    if new := [asdict(session) for id, session in rows.items() if id not in there]:
        _NEW.run(connection, *new)


def tell(connection: Connection, told: Sequence[tuple[str, float, Mapping[str, Any]]]) -> None:
    """Something has happened in sessions, given by id and time; those that are there stay until the transaction ends.
    Known of each may be now any of :data:`FACTS`, a ``title`` for where it has none, and its end, ``ended_at`` and
    ``end_reason``; without these it goes on."""
    rows = [{**_NOTHING, **change, "which": id, "active_at": now} for id, now, change in told]
    for row in rows:
        row["title"] = row["title"] and row["title"][:TITLE]
    _TELL.run(connection, *sorted(rows, key=itemgetter("which")))  # in the order in which others do


def charge(connection: Connection, paid: Sequence[tuple[str, Response]]) -> None:
    """Adds to the sums of sessions, given by their ids."""
    sums: dict[str, dict[str, Any]] = {}
    for id, response in paid:
        of = sums.setdefault(id, {"which": id, "responses": 0, "unpriced": 0, "usd": Decimal(0)})
        of["responses"] += response.kind == "response"
        of["unpriced"] += response.usd is None
        of["usd"] += response.usd or 0
    if sums:
        _CHARGE.run(connection, *sums.values())


def _parameter(name: str) -> Any:
    return bindparam(name, type_=_sessions.c[name].type)


FACTS: Final = ("call_id", "conversation_id", "voice", "preview")
_NOTHING: Final = dict.fromkeys((*FACTS, "title", "ended_at", "end_reason"))
_change = update(_sessions).where(_sessions.c.id == bindparam("which"))
_NEW: Final = Prepared(insert(_sessions))
_TELL: Final = Prepared(
    _change.values(
        {
            "title": func.coalesce(_sessions.c.title, _parameter("title")),
            **{name: func.coalesce(_parameter(name), _sessions.c[name]) for name in FACTS},
            **{name: _parameter(name) for name in ("active_at", "ended_at", "end_reason")},
        }
    )
)
_CHARGE: Final = Prepared(
    _change.values({name: _sessions.c[name] + _parameter(name) for name in ("responses", "unpriced", "usd")})
)


def _one(connection: Connection, which: Any) -> Session | None:
    query = select(_sessions).where(which).order_by(_sessions.c.started_at.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    return _session(row) if row else None


def _session(row: Row[Any]) -> Session:
    return Session(**row._mapping)
