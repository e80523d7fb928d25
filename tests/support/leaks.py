"""Fail when something is left running, or open."""

import asyncio
import os
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

__all__ = ["no_leaks", "open_sockets"]

SETTLING_STEPS = 3
"""Turns of the loop that what was just cancelled gets, to end."""
CLOSING_STEPS = 200
"""Turns of the loop until the sockets of closed connections are closed: TLS and HTTP take a few."""


@asynccontextmanager
async def no_leaks(*, sockets: bool = False) -> AsyncIterator[None]:
    """``async with no_leaks():`` fails when the block leaves tasks that it started; or sockets, where asked."""
    before, open_before = asyncio.all_tasks(), open_sockets() if sockets else set()
    yield
    for _ in range(SETTLING_STEPS):
        await asyncio.sleep(0)
    left = [task for task in asyncio.all_tasks() - before - {asyncio.current_task()} if not task.done()]
    assert not left, "tasks are left running: " + ", ".join(map(repr, left))
    if sockets:
        await _closed(open_before)


async def _closed(before: set[int]) -> None:
    for _ in range(CLOSING_STEPS):
        if not open_sockets() - before:
            return
        await asyncio.sleep(0)
    raise AssertionError(f"sockets are left open: {sorted(open_sockets() - before)}")


def open_sockets() -> set[int]:
    """The inodes of this process's sockets."""
    found: set[int] = set()
    for name in os.listdir("/dev/fd"):
        try:
            described = os.fstat(int(name))
        except OSError:
            continue  # the one that listed them
        if stat.S_ISSOCK(described.st_mode):
            found.add(described.st_ino)
    return found
