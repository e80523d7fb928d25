"""What a WebRTC call costs the server, beside bare aiortc in the same run, and how late its echo comes.

    python -m bench.webrtc [--calls N] [--seconds S] [--rounds R] [--loss PERCENT]

Each server is a process of its own; wrtc comes from PyPI into ``bench/.venvs/wrtc``, which is made on demand. Callers
send recorded speech, encoded beforehand, fifty packets a second, and take what comes back. Both directions are busy
where the server echoes, or speaks without end; elsewhere it only listens. Processor time is the kernel's count for
the server's process, a call. *Echo* is the time from a sound's first packet out until it is heard, with one caller;
``--loss`` drops so many packets in each direction of that one. *Holes* are the share of a steady tone that comes back
at less than half its level, with such a loss on the way there alone. The whole session is Vivavoce's engine with
voice activity on and models that answer at once. Needs Linux (/proc).
"""

import argparse
import asyncio
import random
import statistics
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import uvloop

from bench.callers import Caller, connect, conversation, delay_of, holes_of
from bench.processes import Process, environment, free_port, running
from bench.servers import OURS, standing, stubs
from bench.stubs import Delays

SETTLE = 3.0
"""Seconds until what setting up costs is over."""
ATTEMPTS = 5


@dataclass(frozen=True)
class Kind:
    name: str
    part: str
    """What ``bench.webrtc_parts`` is told; nothing for the whole server."""
    speaks: bool
    peer: bool = False
    """Whether it is told to ``bench/peers/wrtc_server.py`` in its stead."""


@dataclass(frozen=True)
class Cost:
    name: str
    cpu: float
    """Cores, a call."""
    threads: float
    """More with each call."""


KINDS = (
    Kind("aiortc, bare: echo", "aiortc", True),
    Kind("wrtc 0.1.0: echo", "echo", True, peer=True),
    Kind("Vivavoce, the call alone: echo", "call", True),
    Kind("Vivavoce, a whole session: both speak", "", True),
    Kind("aiortc, bare: listens", "listen-aiortc", False),
    Kind("wrtc 0.1.0: listens", "listen", False, peer=True),
    Kind("Vivavoce, the call alone: listens", "listen-call", False),
    Kind("Vivavoce, a whole session: listens", "", False),
)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--loss", type=float, default=2.0)
    options = parser.parse_args()
    uvloop.run(compare(options.calls, options.seconds, options.rounds, options.loss))


async def compare(calls: int, seconds: float, rounds: int, loss: float) -> None:
    print(f"{calls} calls, medians of {rounds} rounds of {seconds:g} s\n")
    print("| | of a core, a call | threads, a call |\n|---|---|---|")
    for cost in await costs(KINDS, calls, seconds, rounds):
        print(f"| {cost.name} | {cost.cpu:.2%} | {cost.threads:.1f} |")
    print(f"\n| | echo | with {loss:g} % loss | holes |\n|---|---|---|---|")
    for kind in KINDS[:3]:
        async with served(kind, "") as server:
            quiet, lossy = [await delay_of(server.port, lost, random.Random(1)) for lost in (0.0, loss / 100)]
            holes = await holes_of(server.port, loss / 100, random.Random(2))
        print(f"| {kind.name} | {quiet * 1000:.0f} ms | {lossy * 1000:.0f} ms | {holes:.2%} |")


async def costs(kinds: Sequence[Kind], calls: int, seconds: float, rounds: int) -> list[Cost]:
    """Of each kind, medians of rounds in which they take turns."""
    found: dict[str, list[Cost]] = {kind.name: [] for kind in kinds}
    async with stubs(Delays(words=600)) as models:
        for _ in range(rounds):
            for kind in kinds:
                async with served(kind, models) as server, AsyncExitStack() as stack:
                    session = None if kind.part else conversation(speaks=kind.speaks)
                    callers = [await _joined(stack, server, session)]
                    alone = server.threads()  # with those that all calls share
                    callers += [await _joined(stack, server, session) for _ in range(calls - 1)]
                    cpu = await _cpu(server, callers, kind, seconds)
                    found[kind.name].append(Cost(kind.name, cpu, (server.threads() - alone) / (calls - 1)))
    return [
        Cost(name, statistics.median(each.cpu for each in all), statistics.median(each.threads for each in all))
        for name, all in found.items()
    ]


async def _joined(stack: AsyncExitStack, server: Process, session: list[dict[str, Any]] | None) -> Caller:
    return await stack.enter_async_context(connect(server.port, session))


async def _cpu(server: Process, callers: list[Caller], kind: Kind, seconds: float) -> float:
    """Of a core, a call. Taken again where the machine was too busy for the server to keep up."""
    await asyncio.sleep(SETTLE)
    for _ in range(ATTEMPTS):
        before, heard = server.cpu(), [caller.heard for caller in callers]
        await asyncio.sleep(seconds)
        used = server.cpu() - before
        came = [(caller.heard - had) / (24_000 * seconds) for caller, had in zip(callers, heard, strict=True)]
        if all(abs(share - kind.speaks) < 0.1 for share in came):
            return used / seconds / len(callers)
    raise SystemExit(f"{kind.name}: a caller heard {min(came):.0%} of the time, so this measures nothing.")


@asynccontextmanager
async def served(kind: Kind, models: str) -> AsyncIterator[Process]:
    if kind.part:
        port = free_port()
        program = [sys.executable, "-m", "bench.webrtc_parts"]
        if kind.peer:
            program = [str(environment("wrtc", ["wrtc[aiortc]==0.1.0", "aiohttp"])), "bench/peers/wrtc_server.py"]
        async with running([*program, kind.part, str(port)], port) as process:
            yield process
    else:
        async with standing(OURS, models, 0.5) as process:
            yield process


if __name__ == "__main__":
    main()
