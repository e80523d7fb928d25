"""``vivavoce serve`` as a process of its own."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

__all__ = ["PATIENCE", "Process", "serve"]

PATIENCE = 50.0
"""Seconds a test waits for the process to say something, or to end."""


class Process:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.said = ""

    async def line(self, pattern: str) -> re.Match[str]:
        """The first line of its standard output that matches."""
        assert self._process.stdout
        async with asyncio.timeout(PATIENCE):
            while line := (await self._process.stdout.readline()).decode():
                self.said += line
                if found := re.search(pattern, line):
                    return found
        raise AssertionError(f"it ended without {pattern!r}: {self.said} {(await self.rest())[1]}")

    async def address(self) -> str:
        return (await self.line(r"https?://\S+"))[0]

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    async def rest(self) -> tuple[int, str]:
        """Exit status, and everything it wrote from here on."""
        async with asyncio.timeout(PATIENCE):
            out, err = await self._process.communicate()
        assert self._process.returncode is not None
        return self._process.returncode, out.decode() + err.decode()


@asynccontextmanager
async def serve(directory: Path, *options: str, **environ: str) -> AsyncIterator[Process]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("VIVAVOCE_", "OPENAI_"))}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "vivavoce", "serve", *options,
        cwd=directory,
        env={**clean, "VIVAVOCE_DATA_DIR": str(directory / "data"), **environ},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield Process(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
