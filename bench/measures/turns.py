"""From the end of a question to the first sound of its answer.

The floor is the silence that ends a turn and 21 ms, the rest of the 32 ms window of voice activity in which it is over.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.measures.common import doing, ms, url
from bench.report import NONE, Asked, Table
from bench.servers import OURS, Server, standing, stubs
from bench.stubs import INSTANT, REALISTIC, Delays
from bench.talkers import crowd

__all__ = ["Row", "asked", "measure", "tables"]

PEOPLE, SECONDS = 5, 18.0
WINDOW_MS = 21


@dataclass(frozen=True)
class Setting:
    name: str
    delays: Delays
    silence: float
    asked: str
    peers: bool = True


SETTINGS = (
    Setting("instant models, 500 ms of silence", INSTANT, 0.5, "≤ 535 / 565 ms"),
    Setting("realistic models, 500 ms of silence", REALISTIC, 0.5, "≤ 560 / 620 ms"),
    Setting("instant models, 200 ms of silence", INSTANT, 0.2, "≤ 300 ms (p50)", peers=False),
)
"""200 ms is the protocol's default, and nobody else's."""


@dataclass(frozen=True)
class Row:
    setting: str
    server: str
    turns: int
    p50: float | None
    p95: float | None
    """Milliseconds."""
    unanswered: int


async def measure(servers: Sequence[Server]) -> list[Row]:
    rows = []
    for setting in SETTINGS:
        async with stubs(setting.delays) as models:
            for server in servers if setting.peers else (OURS,):
                doing(setting.name, server.name)
                async with standing(server, models, setting.silence) as process:
                    heard = await crowd(url(process), server.wire(setting.silence), PEOPLE, seconds=SECONDS)
                found = [heard.percentile(each) if heard.delays else None for each in (50, 95)]
                rows.append(Row(setting.name, server.name, len(heard.delays), found[0], found[1], heard.unanswered))
    return rows


def tables(rows: Sequence[Row]) -> list[Table]:
    servers = list(dict.fromkeys(row.server for row in rows))
    found = {(row.setting, row.server): _told(row) for row in rows}
    lines = [
        [each.name, f"{each.silence * 1000 + WINDOW_MS:.0f}", *(found.get((each.name, of), NONE) for of in servers)]
        for each in SETTINGS
    ]
    return [Table(["end of speech to first audio, p50 / p95, ms", "floor", *servers], lines)]


def asked(rows: Sequence[Row]) -> list[Asked]:
    return [
        Asked.of(
            f"end of speech to first audio, {each.name}, p50 / p95", each.asked, OURS.name,
            {row.server: _told(row) + " ms" for row in rows if row.setting == each.name},
        )
        for each in SETTINGS
    ]  # fmt: skip


def _told(row: Row) -> str:
    missed = f", {row.unanswered} unanswered" if row.unanswered else ""
    return f"{ms(row.p50)} / {ms(row.p95)}{missed}"
