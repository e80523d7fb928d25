"""The engine beside its peers, in the same run: how soon an answer sounds, how soon it stops, what a session costs.

    python -m bench.engine [--without-peers] [--only turns,interruptions,growth,core,soak] [--plot FILE.svg]

Every server asks the same models over HTTP, stubs that take a set time (``bench/stubs.py``), and is talked to by the
same people (``bench/talkers.py``), so what differs is the server. The floor of an answer is the silence that ends a
turn and one 32 ms window of voice activity. Peers are installed from PyPI into ``bench/.venvs`` on demand. Needs
Linux and two cores that do nothing else: a delay is as long as the machine makes it.
"""

import argparse
import asyncio
import os
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import uvloop
from websockets.asyncio.client import connect

from bench.plot import draw
from bench.processes import Process
from bench.servers import OURS, PEERS, Server, standing, stubs
from bench.stubs import INSTANT, REALISTIC, Delays
from bench.talkers import crowd, interruption, question

TURN_PEOPLE, TURN_SECONDS = 4, 45.0
INTERRUPTIONS = 8
SIZES = (1, 10, 25, 50, 100)
GROWTH_SECONDS = 20.0
CORE_SIZES = (100, 125, 150, 175, 200, 250)
LATE_MS = 80.0
"""Over the silence: a server whose slowest answers in twenty are later than this is full."""
SOAK, SOAK_AT_ONCE = 1_000, 20
PARK_SECONDS = 5
WARM_SECONDS = 6.0
"""A server is up before all of it is loaded."""
LONG = Delays(stt=0.08, llm=0.15, word=0.02, tts=0.1, words=200)
"""An answer that is still being made when somebody speaks over it."""


@dataclass
class Grown:
    """A server with so many people."""

    size: int
    cpu: float
    """Percent of a core, for each."""
    p50: float
    p95: float
    """Milliseconds over the silence."""
    memory: float
    """Megabytes, of the whole process."""
    threads: int
    unanswered: int


async def turns(servers: Sequence[Server]) -> None:
    heading("end of speech to first audio, ms", "p50", "p95", "floor")
    for name, delays, silence, asked in (
        ("instant models, 500 ms of silence", INSTANT, 0.5, "≤ 535 / 565"),
        ("realistic models, 500 ms of silence", REALISTIC, 0.5, "≤ 560 / 620"),
        ("instant models, 200 ms of silence", INSTANT, 0.2, "≤ 300"),
    ):
        print(f"{name} (asked: {asked})")
        async with stubs(delays) as models:
            for server in servers:
                async with standing(server, models, silence) as process:
                    wire = server.wire(silence)
                    heard = await crowd(address(process), wire, TURN_PEOPLE, seconds=TURN_SECONDS)
                missed = f", {heard.unanswered} unanswered" if heard.unanswered else ""
                p50, p95, floor = heard.percentile(50), heard.percentile(95), silence * 1000 + 21
                row(f"  {server.name}{missed}", f"{p50:.0f}", f"{p95:.0f}", f"{floor:.0f}")


async def interruptions(servers: Sequence[Server]) -> None:
    heading("first voiced frame to the answer's end, ms", "median", "worst", "asked")
    async with stubs(LONG) as models:
        for server in servers:
            async with standing(server, models, 0.5) as process:
                found = await interruption(address(process), server.wire(0.5), INTERRUPTIONS)
            row(f"  {server.name}", f"{median(found):.0f}", f"{max(found):.0f}", "≤ 160" if server is OURS else "")


async def growth(servers: Sequence[Server], plot: Path | None) -> None:
    """Each size is a server of its own, so that what one leaves behind does not weigh on the next."""
    grown: dict[str, list[Grown]] = {}
    heading("sessions", "CPU each", "p50 over", "p95 over", "memory", "threads")
    async with stubs(INSTANT) as models:
        for server in servers:
            print(server.name)
            for size in SIZES:
                found = await grow(server, models, size)
                grown.setdefault(server.name, []).append(found)
                missed = f" ({found.unanswered} unanswered)" if found.unanswered else ""
                row(
                    f"  {found.size}{missed}", f"{found.cpu:.2f} %", f"{found.p50:+.0f} ms", f"{found.p95:+.0f} ms",
                    f"{found.memory:.0f} MB", str(found.threads),
                )  # fmt: skip
                if found.p95 > 1_000 or found.unanswered:
                    break
    if plot:
        draw(plot, {name: [(each.size, each.cpu, each.p95) for each in found] for name, found in grown.items()})


async def grow(server: Server, models: str, size: int) -> Grown:
    silence = 0.5
    async with standing(server, models, silence) as process:
        talking = asyncio.create_task(crowd(address(process), server.wire(silence), size, seconds=GROWTH_SECONDS))
        await asyncio.sleep(6.0)  # they have all begun
        before, loop = process.cpu(), asyncio.get_running_loop()
        began = loop.time()
        await asyncio.sleep(GROWTH_SECONDS - 4.0)
        used = (process.cpu() - before) / (loop.time() - began)
        memory, threads = process.memory(), process.threads()
        heard = await talking
    late = [heard.percentile(each) - silence * 1000 for each in (50, 95)]
    return Grown(size, 100 * used / size, late[0], late[1], memory, threads, heard.unanswered)


async def core() -> None:
    """The server has a core to itself; those who talk, and the models, have the other."""
    heading("sessions on one core", "p50 over", "p95 over", "of the core")
    silence, most = 0.5, 0
    async with stubs(INSTANT) as models:
        os.sched_setaffinity(0, {1})
        for size in CORE_SIZES:
            async with standing(OURS, models, silence) as process:
                process.pin(0)
                talking = asyncio.create_task(crowd(address(process), OURS.wire(silence), size, seconds=GROWTH_SECONDS))
                await asyncio.sleep(8.0)
                before = process.cpu()
                await asyncio.sleep(10.0)
                used = (process.cpu() - before) / 10.0
                heard = await talking
            p50, p95 = (heard.percentile(each) - silence * 1000 for each in (50, 95))
            row(f"  {size}", f"{p50:+.0f} ms", f"{p95:+.0f} ms", f"{100 * used:.0f} %")
            if p95 > LATE_MS or heard.unanswered:
                break
            most = size
        os.sched_setaffinity(0, range(os.cpu_count() or 1))
    print(f"  {most} with p95 under +{LATE_MS:.0f} ms (asked: ≥ 150)")


async def soak() -> None:
    """Sessions come and go, every other by its cable being pulled, and leave nothing once their time to come back is
    over. What the first hundred leave is what any server keeps: connections to its models, code, caches."""
    heading(f"{SOAK} sessions opened and closed", "memory", "threads", "descriptors")
    async with stubs(INSTANT) as models, standing(OURS, models, 0.5, "--park-seconds", str(PARK_SECONDS)) as process:
        said = question("time_in_london", OURS.wire(0.5))
        await asyncio.sleep(WARM_SECONDS)
        row("  before any", *left(process))
        for name, sessions in ((f"  {SOAK // 10} later", SOAK // 10), (f"  {SOAK} later", SOAK)):
            for _ in range(0, sessions, SOAK_AT_ONCE):
                visits = (visit(address(process), said, cut=index % 2 == 1) for index in range(SOAK_AT_ONCE))
                await asyncio.gather(*visits)
            await asyncio.sleep(PARK_SECONDS + 3.0)
            row(name, *left(process))


def left(process: Process) -> tuple[str, str, str]:
    return f"{process.memory():.1f} MB", str(process.threads()), str(process.descriptors())


async def visit(url: str, said: Sequence[str | bytes], *, cut: bool) -> None:
    """A session with a question in it, asked faster than anybody speaks."""
    wire = OURS.wire(0.5)
    socket = await connect(url + wire.path(), max_size=None, compression=None, ping_interval=None)
    await wire.begin(socket)
    silence = wire.frame(bytes(960))
    for message in (*said, *[silence] * 40):
        await socket.send(message)
    async for message in socket:
        if wire.is_sound(message if isinstance(message, bytes) else message.encode()):
            break
    if cut:
        socket.transport.abort()
    else:
        await socket.close()


async def memory() -> None:
    """What a process needs before anybody comes, and each that comes."""
    heading("memory with remote models", "asked")
    async with AsyncExitStack() as stack:
        models = await stack.enter_async_context(stubs(INSTANT))
        process = await stack.enter_async_context(standing(OURS, models, 0.5))
        await asyncio.sleep(3.0)
        base = process.memory()
        row("  nobody there", f"{base:.0f} MB", "≤ 130 MB")
        size = 100
        talking = asyncio.create_task(crowd(address(process), OURS.wire(0.5), size, seconds=20.0))
        await asyncio.sleep(18.0)
        row("  each of 100 who talk", f"{(process.memory() - base) / size:.2f} MB", "≤ 1.5 MB")
        await talking


def address(process: Process) -> str:
    return f"ws://127.0.0.1:{process.port}"


def heading(*columns: str) -> None:
    print()
    row(*columns)


def row(first: str, *others: str) -> None:
    print(f"{first:44}" + "".join(f"{each:>14}" for each in others), flush=True)


async def measure(only: Sequence[str], servers: Sequence[Server], plot: Path | None) -> None:
    measures = {
        "turns": lambda: turns(servers),
        "interruptions": lambda: interruptions(servers),
        "growth": lambda: growth(servers, plot),
        "core": core,
        "memory": memory,
        "soak": soak,
    }
    for name in only or measures:
        await measures[name]()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--without-peers", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--plot", type=Path)
    given = parser.parse_args()
    servers = (OURS,) if given.without_peers else (OURS, *PEERS)
    uvloop.run(measure([each for each in given.only.split(",") if each], servers, given.plot))


if __name__ == "__main__":
    main()
