"""What the measures share: a crowd whose server is watched, and how numbers are told."""

import asyncio
import sys
from dataclasses import dataclass

from bench.processes import Process
from bench.report import NONE
from bench.servers import Server
from bench.talkers import Heard, crowd

__all__ = ["Watched", "doing", "ms", "url", "watch"]

SETTLE_SECONDS = 5.0
"""Until everybody has begun to talk."""


@dataclass(frozen=True)
class Watched:
    """A server with a crowd."""

    heard: Heard
    cpu: float
    """Cores that it took."""
    memory: float
    """Megabytes, with everybody there."""
    threads: int

    def late(self, percent: float, silence: float) -> float | None:
        """Milliseconds over the silence, of so many of the answers; None where nobody was answered."""
        return self.heard.percentile(percent) - silence * 1000 if self.heard.delays else None


async def watch(process: Process, server: Server, size: int, silence: float, seconds: float) -> Watched:
    """So many people for so many seconds, after a while in which they come."""
    loop = asyncio.get_running_loop()
    talking = asyncio.create_task(crowd(url(process), server.wire(silence), size, seconds=seconds, warm=SETTLE_SECONDS))
    await asyncio.sleep(SETTLE_SECONDS)
    before, began = process.cpu(), loop.time()
    await asyncio.sleep(seconds)
    cpu = (process.cpu() - before) / (loop.time() - began)
    memory, threads = process.memory(), process.threads()
    return Watched(await talking, cpu, memory, threads)


def url(process: Process) -> str:
    return f"ws://127.0.0.1:{process.port}"


def doing(*what: object) -> None:
    """For those who wait."""
    print("…", *what, file=sys.stderr, flush=True)


def ms(value: float | None, sign: str = "") -> str:
    return NONE if value is None else f"{value:{sign}.0f}"
