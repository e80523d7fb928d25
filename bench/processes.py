"""Servers under measurement: each is a process of its own, and what it uses is read from the kernel (Linux, /proc)."""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

__all__ = ["Process", "answering", "environment", "free_port", "running"]

HERE = Path(__file__).parent
READY_SECONDS = 120.0
PAGE = os.sysconf("SC_PAGE_SIZE")


class Process:
    """A process and what it started, seen from outside."""

    def __init__(self, pid: int, port: int) -> None:
        self.pid, self.port = pid, port

    def cpu(self) -> float:
        """Seconds that all threads have been on a processor, in their own code or the kernel's."""
        threads = (thread for pid in self._pids() for thread in Path(f"/proc/{pid}/task").iterdir())
        return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9

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

    def _pids(self) -> list[int]:
        found, new = [self.pid], [self.pid]
        while new:
            children = [Path(f"/proc/{pid}/task/{pid}/children").read_text().split() for pid in new]
            new = [int(pid) for each in children for pid in each]
            found += new
        return found


@asynccontextmanager
async def running(
    command: list[str], port: int | None = None, environ: Mapping[str, str] | None = None
) -> AsyncIterator[Process]:
    """The process, once it answers on its port; with no ``port``, on the one that it prints."""
    started = await asyncio.create_subprocess_exec(
        *command, env={**os.environ, "NO_PROXY": "127.0.0.1", **(environ or {})}, stderr=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE if port is None else asyncio.subprocess.DEVNULL, cwd=HERE.parent,
    )  # fmt: skip
    try:
        if port is None:
            assert started.stdout
            port = int(await started.stdout.readline())
        await answering(started, port)
        yield Process(started.pid, port)
    finally:
        if started.returncode is None:
            started.terminate()
            try:
                await asyncio.wait_for(started.wait(), 10)
            except TimeoutError:
                started.kill()
                await started.wait()


async def answering(started: asyncio.subprocess.Process, port: int) -> None:
    async with asyncio.timeout(READY_SECONDS):
        while started.returncode is None:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.1)
            else:
                writer.close()
                return
    raise SystemExit(f"A server ended before it answered, with status {started.returncode}.")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(name: str, packages: list[str]) -> Path:
    """The Python of a peer's own environment, made from PyPI when it is asked for first."""
    home = HERE / ".venvs" / name
    python = home / "bin" / "python"
    done = home / "installed"
    if not done.exists() or done.read_text() != " ".join(packages):
        print(f"Installing {name} …", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *packages], check=True)
        done.write_text(" ".join(packages))
    return python
