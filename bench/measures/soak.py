"""What a thousand sessions leave behind: each asks a question and hears the answer begin, every other ends by its cable
being pulled. What the first hundred leave is what any server keeps: connections to its models, code, caches.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from bench.measures.common import doing, url
from bench.processes import Process
from bench.report import Asked, Table
from bench.servers import OURS, Server, standing, stubs
from bench.stubs import INSTANT
from bench.talkers import in_a_hurry, question

__all__ = ["Row", "asked", "measure", "tables"]

FIRST, ALL, AT_ONCE = 100, 1_000, 20
PARK_SECONDS = 5
"""A session whose cable was pulled waits so long for its client to come back."""
SILENCE = 0.5


@dataclass(frozen=True)
class Row:
    sessions: int
    """Opened and closed until then."""
    memory: float
    """Megabytes."""
    threads: int
    descriptors: int


async def measure(_servers: Sequence[Server]) -> list[Row]:
    """Of ours alone."""
    async with stubs(INSTANT) as models:
        async with standing(OURS, models, SILENCE, "--park-seconds", str(PARK_SECONDS)) as process:
            rows = [_left(process, 0)]
            for sessions in (FIRST, FIRST + ALL):
                doing("soak", sessions)
                await _visits(process, sessions - rows[-1].sessions)
                await asyncio.sleep(PARK_SECONDS + 3.0)
                rows.append(_left(process, sessions))
    return rows


async def _visits(process: Process, sessions: int) -> None:
    wire = OURS.wire(SILENCE)
    said = question("time_in_london", wire)
    for _ in range(0, sessions, AT_ONCE):
        visits = (in_a_hurry(url(process), wire, said, cut=index % 2 == 1) for index in range(AT_ONCE))
        await asyncio.gather(*visits)


def _left(process: Process, sessions: int) -> Row:
    return Row(sessions, process.memory(), process.threads(), process.descriptors())


def tables(rows: Sequence[Row]) -> list[Table]:
    lines = [[str(row.sessions), f"{row.memory:.0f} MB", str(row.threads), str(row.descriptors)] for row in rows]
    return [Table(["sessions opened and closed", "memory", "threads", "descriptors"], lines)]


def asked(rows: Sequence[Row]) -> list[Asked]:
    first, last = rows[1], rows[-1]
    told = (
        f"{last.memory - first.memory:+.0f} MB, {last.threads - first.threads:+d} threads, "
        f"{last.descriptors - first.descriptors:+d} descriptors"
    )
    return [Asked(f"{ALL} sessions opened and closed, after the first {FIRST}", "nothing is left", told, {})]
