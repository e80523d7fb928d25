"""``GET /api/usage``: what was used and what it cost, by day of UTC, agent, key or model."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Literal

import msgspec

from vivavoce.protocol.wire.errors import ProtocolError
from vivavoce.protocol.wire.shape import Shape
from vivavoce.server.api.asking import Asked, operation
from vivavoce.server.service import Service
from vivavoce.store.export import dollars
from vivavoce.store.usage import Day

__all__ = ["OPERATIONS"]

DAYS = 7
"""The last ones, where nothing else is asked for."""
By = Literal["day", "agent", "key", "model"]


class Span(Shape):
    since: date | None = msgspec.field(default=None, name="from")
    until: date | None = msgspec.field(default=None, name="to")
    by: By = "day"


class Used(msgspec.Struct, kw_only=True):
    name: str
    """The day (``2026-11-21``), agent, key (or other owner) or model; empty for no agent."""
    requests: int = 0
    """Answers and transcriptions."""
    unpriced: int = 0
    """Those whose price is not known here."""
    text_in: int = 0
    audio_in: int = 0
    cached_in: int = 0
    """Tokens; the cached are among the other two."""
    text_out: int = 0
    audio_out: int = 0
    seconds: float = 0.0
    """Of audio, where a model is paid by its length."""
    usd: str = "0"


class Usage(msgspec.Struct, kw_only=True):
    since: date = msgspec.field(name="from")
    until: date = msgspec.field(name="to")
    by: By
    data: list[Used]
    total: Used


SUMS = ("requests", "unpriced", "text_in", "audio_in", "cached_in", "text_out", "audio_out", "seconds")
_FIELD = {"day": "day", "agent": "agent", "key": "owner", "model": "model"}


async def usage(service: Service, asked: Asked[Span, None]) -> Usage:
    """One's own; with the scope ``manage`` everybody's."""
    span = asked.query
    until = span.until or datetime.fromtimestamp(service.now(), UTC).date()
    since = span.since or until - timedelta(days=min(DAYS - 1, until.toordinal() - 1))
    if since > until:
        raise ProtocolError("invalid_value", "'from' is a day after 'to'.", param="from")
    days = await service.store.usage.days(since=since, until=until, owner=asked.sees)
    groups: dict[str, list[Day]] = {}
    for day in days:
        groups.setdefault(getattr(day, _FIELD[span.by]), []).append(day)
    data = [_sum(name, group) for name, group in groups.items()]
    return Usage(since=since, until=until, by=span.by, data=data, total=_sum("total", days))


def _sum(name: str, days: Iterable[Day]) -> Used:
    days = list(days)
    sums = {field: sum(getattr(day, field) for day in days) for field in SUMS}
    return Used(name=name, **sums, usd=dollars(sum((day.usd for day in days), start=Decimal(0))))


OPERATIONS = [operation("GET", "/api/usage", usage, "What was used, and what it cost", query=Span, answers=Usage)]
