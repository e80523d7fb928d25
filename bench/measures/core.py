"""How many people one core carries: the most with which one answer in twenty is at most 80 ms over the silence.

The server has a core to itself; those who talk, and the models, have the other. The steps of a ladder are halved, so a
server is asked four times at most.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass

from bench.measures.common import doing, ms, watch
from bench.report import Asked, Table
from bench.servers import OURS, Server, standing, stubs
from bench.stubs import INSTANT

__all__ = ["Row", "asked", "measure", "tables"]

LADDER = (25, 40, 50, 60, 75, 90, 100, 110, 125, 150, 175, 200, 225, 250, 300)
PEERS_LADDER = (5, 10, 15, 20, 25, 35, 50)
SECONDS, SILENCE = 8.0, 0.5
LATE_MS = 80.0


@dataclass(frozen=True)
class Row:
    server: str
    size: int
    p50: float | None
    p95: float | None
    """Milliseconds over the silence."""
    busy: float
    """Of the core, in percent."""
    unanswered: int

    @property
    def late(self) -> bool:
        return self.unanswered > 0 or self.p95 is None or self.p95 > LATE_MS


async def measure(servers: Sequence[Server]) -> list[Row]:
    rows, cores = [], os.sched_getaffinity(0)
    async with stubs(INSTANT) as models:
        try:
            os.sched_setaffinity(0, {max(cores)})
            for server in servers:
                rows += await _search(server, models, min(cores))
        finally:
            os.sched_setaffinity(0, cores)
    return rows


async def _search(server: Server, models: str, core: int) -> list[Row]:
    rows = []
    ladder = [size for size in (LADDER if server is OURS else PEERS_LADDER) if size <= server.most]
    low, high = 0, len(ladder)
    while low < high:
        middle = (low + high) // 2
        rows.append(await _tried(server, models, core, ladder[middle]))
        low, high = (low, middle) if rows[-1].late else (middle + 1, high)
    return sorted(rows, key=lambda row: row.size)


async def _tried(server: Server, models: str, core: int, size: int) -> Row:
    doing("one core", server.name, size)
    async with standing(server, models, SILENCE) as process:
        process.pin(core)
        found = await watch(process, server, size, SILENCE, SECONDS)
    late = [found.late(each, SILENCE) for each in (50, 95)]
    return Row(server.name, size, late[0], late[1], 100 * found.cpu, found.heard.unanswered)


def tables(rows: Sequence[Row]) -> list[Table]:
    lines = [
        [row.server, str(row.size), f"{ms(row.p50, '+')} / {ms(row.p95, '+')} ms", f"{row.busy:.0f} %",
         str(row.unanswered)]
        for row in rows
    ]  # fmt: skip
    return [Table(["one core", "sessions", "p50 / p95 over the silence", "of the core", "unanswered"], lines)]


def asked(rows: Sequence[Row]) -> list[Asked]:
    told = {}
    for server in dict.fromkeys(row.server for row in rows):
        carried = [row.size for row in rows if row.server == server and not row.late]
        least = min(row.size for row in rows if row.server == server)
        told[server] = str(max(carried)) if carried else f"under {least}"
    return [Asked.of(f"sessions on one core with p95 under +{LATE_MS:.0f} ms", "≥ 150", OURS.name, told)]
