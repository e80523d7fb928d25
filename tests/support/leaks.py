"""Fail when something is left running."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

__all__ = ["no_leaks"]

SETTLING_STEPS = 3
"""Turns of the loop that what was just cancelled gets, to end."""


@asynccontextmanager
async def no_leaks() -> AsyncIterator[None]:
    """``async with no_leaks():`` fails when the block leaves tasks that it started."""
    before = asyncio.all_tasks()
    yield
    for _ in range(SETTLING_STEPS):
        await asyncio.sleep(0)
    left = [task for task in asyncio.all_tasks() - before - {asyncio.current_task()} if not task.done()]
    assert not left, "tasks are left running: " + ", ".join(map(repr, left))
