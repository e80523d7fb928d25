"""Servers under measurement: each is a process of its own, and what it uses is read from the kernel (Linux, /proc).

Everything that a benchmark starts, it starts by ``running``, and everything is gone when that ends.
"""

import asyncio
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

__all__ = ["Process", "Unanswered", "environment", "free_port", "running"]

HERE = Path(__file__).parent
READY_SECONDS, POLL_SECONDS = 300.0, 0.02
IDLE, IDLE_SECONDS, IDLE_TRIES = 0.05, 0.5, 60
"""Less than so much of a core, for so long; after so many looks it never will be."""
PATIENCE = 10.0
"""Seconds that a process has to end by itself."""
PAGE = os.sysconf("SC_PAGE_SIZE")


class Unanswered(Exception):
    """A server ended, or said nothing for five minutes, before it answered."""


class Process:
    """A process and what it started, seen from outside."""

    def __init__(self, pid: int, port: int) -> None:
        self.pid, self.port = pid, port

    def cpu(self) -> float:
        """Seconds that it has been on a processor, in its own code or the kernel's (clock_getcpuclockid)."""
        return sum(time.clock_gettime(~pid << 3 | 2) for pid in self._pids())

    def memory(self) -> float:
        """Megabytes that are resident."""
        pages = (int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in self._pids())
        return sum(pages) * PAGE / 1e6

    def threads(self) -> int:
        return sum(len(list(Path(f"/proc/{pid}/task").iterdir())) for pid in self._pids())

    def descriptors(self) -> int:
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))

    def pin(self, core: int) -> None:
        """Keep it to one core."""
        for pid in self._pids():
            for thread in Path(f"/proc/{pid}/task").iterdir():
                os.sched_setaffinity(int(thread.name), {core})

    async def idle(self) -> None:
        """Until it has loaded all of itself: most servers answer before that."""
        for _ in range(IDLE_TRIES):
            before = self.cpu()
            await asyncio.sleep(IDLE_SECONDS)
            if self.cpu() - before < IDLE * IDLE_SECONDS:
                return

    def _pids(self) -> list[int]:
        found, new = [self.pid], [self.pid]
        while new:
            children = [Path(f"/proc/{pid}/task/{pid}/children").read_text().split() for pid in new]
            new = [int(pid) for each in children for pid in each]
            found += new
        return found


@asynccontextmanager
async def running(
    command: Sequence[str], port: int | None = None, environ: Mapping[str, str] | None = None
) -> AsyncIterator[Process]:
    """The process, once it answers on its port; with no ``port``, on the one that it prints. Raises
    :class:`Unanswered`."""
    with tempfile.TemporaryFile() as words:
        started = await asyncio.create_subprocess_exec(
            *command, env={**os.environ, "NO_PROXY": "127.0.0.1", **(environ or {})}, stderr=words, cwd=HERE.parent,
            stdout=asyncio.subprocess.PIPE if port is None else asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            if not await _answers(started, port := port or await _printed(started)):
                words.seek(0)
                raise Unanswered(
                    f"{' '.join(command)} did not answer. Its last words:\n{words.read().decode()[-2000:]}"
                )
            yield Process(started.pid, port)
        finally:
            await _end(started)


async def _printed(started: asyncio.subprocess.Process) -> int:
    """The port; 0 where it ended without a word."""
    assert started.stdout
    return int(await started.stdout.readline() or 0)


async def _answers(started: asyncio.subprocess.Process, port: int) -> bool:
    patience = time.monotonic() + READY_SECONDS
    while port and started.returncode is None and time.monotonic() < patience:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(POLL_SECONDS)
        else:
            writer.close()
            return True
    return False


async def _end(started: asyncio.subprocess.Process) -> None:
    if started.returncode is None:
        started.terminate()
        try:
            await asyncio.wait_for(started.wait(), PATIENCE)
        except TimeoutError:
            started.kill()
            await started.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(name: str, packages: Sequence[str], alone: Sequence[str] = ()) -> Path:
    """The Python of a peer's own environment in ``bench/.venvs``, made from PyPI when it is asked for first. Those that
    come ``alone`` are installed without what they depend on."""
    home = HERE / ".venvs" / name
    python, done = home / "bin" / "python", home / "installed"
    wanted = " ".join((*packages, *alone))
    if not done.exists() or done.read_text() != wanted:
        print(f"Installing {name} …", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
        for options in (packages, ("--no-deps", *alone) if alone else ()):
            if options:
                subprocess.run([str(python), "-m", "pip", "install", "--quiet", *options], check=True)
        done.write_text(wanted)
    return python
