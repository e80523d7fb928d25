"""What a session costs, and how late answers are, as sessions become more; and what this machine is worth.

The floor is what no server can do without: a bare socket that takes the same messages, and decodes JSON and base64; and
voice activity while somebody speaks, which is half of the time. Each size is a server of its own, so that what one
leaves behind does not weigh on the next; a peer that is full is not given more.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from bench.measures.common import doing, ms, watch
from bench.plot import Line
from bench.report import NONE, Asked, Table
from bench.servers import FLOOR, OURS, Server, standing, stubs
from bench.stubs import INSTANT
from vivavoce.audio import HOUSE_RATE
from vivavoce.models.vad.silero import SileroVad

__all__ = ["Row", "asked", "lines", "measure", "tables"]

SIZES = (1, 10, 25, 50, 100)
SECONDS, FLOOR_SECONDS, SILENCE = 9.0, 5.0, 0.5
FULL_MS = 1_000.0
VOICE_ACTIVITY = "voice activity"
"""In the place of a server's name: Silero alone, of one who never stops."""
SPOKEN = 0.5
"""Of the time."""
ASKED_SIZE = 50


@dataclass(frozen=True)
class Row:
    server: str
    size: int
    cpu: float
    """Percent of a core, for each session."""
    p50: float | None
    p95: float | None
    """Milliseconds over the silence; None for the floor, which has no answers."""
    base: float
    memory: float
    """Megabytes of the whole process: with nobody there, and with everybody."""
    threads: int
    unanswered: int

    @property
    def full(self) -> bool:
        return self.unanswered > 0 or (self.p95 or 0) > FULL_MS


async def measure(servers: Sequence[Server]) -> list[Row]:
    rows = [Row(VOICE_ACTIVITY, 1, voice_activity(), None, None, 0, 0, 1, 0)]
    async with stubs(INSTANT) as models:
        for server in (FLOOR, *servers):
            for size in SIZES:
                if size > server.most:
                    break
                rows.append(await _grown(server, models, size))
                if rows[-1].full and server is not OURS:
                    break
    return rows


async def _grown(server: Server, models: str, size: int) -> Row:
    doing("growth", server.name, size)
    async with standing(server, models, SILENCE) as process:
        base = process.memory()
        seconds = FLOOR_SECONDS if server is FLOOR else SECONDS
        found = await watch(process, server, size, SILENCE, seconds)
    late = [found.late(each, SILENCE) for each in (50, 95)]
    unanswered = 0 if server is FLOOR else found.heard.unanswered
    cpu = 100 * found.cpu / size
    return Row(server.name, size, cpu, late[0], late[1], base, found.memory, found.threads, unanswered)


def voice_activity(rounds: int = 9, windows: int = 300) -> float:
    """Percent of a core, in the median."""
    vad = SileroVad()
    listen, noise = vad.stream(), np.random.default_rng(1).integers(-9000, 9000, vad.window, np.int16).tobytes()
    took = []
    for _ in range(rounds):
        began = time.process_time()
        for _ in range(windows):
            listen(noise)
        took.append((time.process_time() - began) / (windows * vad.window / HOUSE_RATE))
    return 100 * median(took)


def floor(rows: Sequence[Row], size: int) -> float:
    """Percent of a core."""
    bare = next(row.cpu for row in rows if row.server == FLOOR.name and row.size == size)
    return bare + SPOKEN * next(row.cpu for row in rows if row.server == VOICE_ACTIVITY)


def tables(rows: Sequence[Row]) -> list[Table]:
    by, servers = {(row.server, row.size): row for row in rows}, _servers(rows)
    sizes = sorted({size for server, size in by if server in servers})
    return [
        Table(
            ["sessions: of a core, each; p50 / p95 over the silence", *servers],
            [[str(size), *(_cost(by.get((server, size))) for server in servers)] for size in sizes],
        ),
        Table(["this machine's floor: of a core, each", "bare socket", "with voice activity", f"{OURS.name} is"],
              [_beside(rows, size) for size in sizes]),
        Table(
            ["sessions: memory over that with nobody there, for each; threads", *servers],
            [[str(size), *(_use(by.get((server, size))) for server in servers)] for size in sizes],
        ),
    ]  # fmt: skip


def _servers(rows: Sequence[Row]) -> list[str]:
    return [each for each in dict.fromkeys(row.server for row in rows) if each not in (FLOOR.name, VOICE_ACTIVITY)]


def _beside(rows: Sequence[Row], size: int) -> list[str]:
    def cpu(server: str) -> float | None:
        return next((row.cpu for row in rows if row.server == server and row.size == size), None)

    ours, least = cpu(OURS.name), floor(rows, size)
    times = f"{ours / least:.1f} times as much" if ours else NONE
    return [str(size), f"{cpu(FLOOR.name):.2f} %", f"{least:.2f} %", times]


def _cost(row: Row | None) -> str:
    if row is None:
        return NONE
    missed = f", {row.unanswered} unanswered" if row.unanswered else ""
    return f"{row.cpu:.2f} %, {ms(row.p50, '+')} / {ms(row.p95, '+')} ms{missed}"


def _use(row: Row | None) -> str:
    return NONE if row is None else f"{_each(row)} MB over {row.base:.0f} MB, {row.threads} threads"


def _each(row: Row) -> str:
    return f"{(row.memory - row.base) / row.size:.2f}"


def asked(rows: Sequence[Row]) -> list[Asked]:
    cost, memory = {}, {}
    for server in _servers(rows):
        last = [row for row in rows if row.server == server and row.size <= ASKED_SIZE][-1]
        at = f" at {last.size}" if last.size != ASKED_SIZE else ""
        cost[server] = f"{last.cpu:.2f} %{at}" + (", full" if last.full else "")
        memory[server] = f"{_each(last)} MB over {last.base:.0f} MB{at}"
    least = f"this machine's floor: {floor(rows, ASKED_SIZE):.2f} %"
    return [
        Asked.of(f"CPU a WebSocket session at {ASKED_SIZE}, of a core ({least})", "≤ 0.5 %", OURS.name, cost),
        Asked.of(
            f"memory a session at {ASKED_SIZE}, over that with nobody there", "≤ 1.5 MB over 130 MB", OURS.name, memory
        ),
    ]


def lines(rows: Sequence[Row]) -> list[Line]:
    """For the picture."""
    found = []
    for server in _servers(rows):
        its = [row for row in rows if row.server == server]
        late = [(row.size, row.p95) for row in its if row.p95 is not None]
        full = next((row.size for row in its if row.full), None)
        found.append(Line(server, [(row.size, row.cpu) for row in its], late, full))
    sizes = [row.size for row in rows if row.server == FLOOR.name]
    return [*found, Line("this machine's floor", [(size, floor(rows, size)) for size in sizes], [], quiet=True)]
