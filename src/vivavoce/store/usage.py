"""Sums of what was used, by day (of UTC), owner, agent and model. They hold no words, and stay when sessions go."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Double,
    Row,
    Table,
    Text,
    bindparam,
    delete,
    insert,
    select,
    update,
)

from vivavoce.access.prices import Used
from vivavoce.store.database import Transactions
from vivavoce.store.prepared import Prepared
from vivavoce.store.responses import Response
from vivavoce.store.schema import Dollars, Words, metadata

__all__ = ["NOBODY", "Day", "Usage", "add"]

NOBODY: Final = "deleted"
"""The owner of what was used by somebody whose data were deleted: the money was spent all the same."""

_KEY = ("day", "owner", "agent", "model")
_SUMS = ("requests", "unpriced", "text_in", "audio_in", "cached_in", "text_out", "audio_out", "seconds", "usd")
_LISTED = 10_000

_usage = Table(
    "usage",
    metadata,
    Column("day", Text, primary_key=True),
    Column("owner", Text, primary_key=True),
    Column("agent", Words, primary_key=True),
    Column("model", Words, primary_key=True),
    Column("requests", BigInteger, nullable=False),
    Column("unpriced", BigInteger, nullable=False),
    Column("text_in", BigInteger, nullable=False),
    Column("audio_in", BigInteger, nullable=False),
    Column("cached_in", BigInteger, nullable=False),
    Column("text_out", BigInteger, nullable=False),
    Column("audio_out", BigInteger, nullable=False),
    Column("seconds", Double, nullable=False),
    Column("usd", Dollars, nullable=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    day: str
    """``2026-11-21``, of UTC."""
    owner: str
    agent: str = ""
    """Empty for none."""
    model: str
    requests: int = 0
    """Answers and transcriptions."""
    unpriced: int = 0
    """How many of them have no price that is known here."""
    text_in: int = 0
    audio_in: int = 0
    cached_in: int = 0
    """Tokens, those of both kinds that had been read before; they are among the other two."""
    text_out: int = 0
    audio_out: int = 0
    seconds: float = 0.0
    """Of audio, where a model is paid by its length."""
    usd: Decimal = Decimal(0)
    """What all that has a price has cost."""


class Usage:
    def __init__(self, database: Transactions) -> None:
        self._run = database.run

    async def days(
        self, *, since: date | None = None, until: date | None = None, owner: str | None = None
    ) -> list[Day]:
        """From the first day to the last, both included, the newest first; of one ``owner``, or of all. No more than
        10,000."""
        query = select(_usage).order_by(_usage.c.day.desc(), _usage.c.owner, _usage.c.agent, _usage.c.model)
        query = query.limit(_LISTED)
        if since is not None:
            query = query.where(_usage.c.day >= since.isoformat())
        if until is not None:
            query = query.where(_usage.c.day <= until.isoformat())
        if owner is not None:
            query = query.where(_usage.c.owner == owner)
        return [_day(row) for row in await self._run(lambda connection: connection.execute(query).all())]

    async def add(self, owner: str, response: Response) -> None:
        """For what belongs to no session."""
        await self._run(lambda connection: add(connection, [(owner, response)]))

    async def forget(self, owner: str) -> int:
        """Nothing tells any more that it was this owner; the sums stay. How many there were."""

        def work(connection: Connection) -> int:
            found: Sequence[Row[Any]] = connection.execute(select(_usage).where(_usage.c.owner == owner)).all()
            connection.execute(delete(_usage).where(_usage.c.owner == owner))
            for row in found:
                _add(connection, replace(_day(row), owner=NOBODY))
            return len(found)

        return await self._run(work)


def add(connection: Connection, used: Sequence[tuple[str, Response]]) -> None:
    """As :meth:`Usage.add`, of each owner, inside a transaction."""
    sums: dict[tuple[str, ...], Day] = {}
    for owner, response in used:
        day = _used(owner, response)
        key = tuple(getattr(day, name) for name in _KEY)
        sums[key] = _sum(sums[key], day) if key in sums else day
    for key in sorted(sums):  # whoever writes at the same time takes them in the same order
        _add(connection, sums[key])


def _used(owner: str, response: Response) -> Day:
    used = Used.of(response.usage or {})
    counted = {each.name: getattr(used, each.name) for each in fields(used)}
    return Day(
        day=datetime.fromtimestamp(response.ended_at, UTC).date().isoformat(),
        owner=owner,
        agent=response.agent or "",
        model=response.model,
        requests=1,
        unpriced=int(response.usd is None),
        usd=response.usd or Decimal(0),
        **counted,
    )


def _sum(one: Day, other: Day) -> Day:
    return replace(one, **{name: getattr(one, name) + getattr(other, name) for name in _SUMS})


def _add(connection: Connection, day: Day) -> None:
    row = {name: getattr(day, name) for name in (*_KEY, *_SUMS)}
    if not _MORE.run(connection, row).rowcount:
        _FIRST.run(connection, row)


_more = {name: _usage.c[name] + bindparam(name, type_=_usage.c[name].type) for name in _SUMS}
_MORE = Prepared(update(_usage).where(*(_usage.c[name] == bindparam(name) for name in _KEY)).values(_more))
_FIRST = Prepared(insert(_usage))


def _day(row: Row[Any]) -> Day:
    return Day(**row._mapping)
