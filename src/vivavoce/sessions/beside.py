"""Those that work beside a session: as long as it lasts, and a little longer to finish."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any

from vivavoce.protocol.frame import Closed
from vivavoce.sessions.filters import Beside

__all__ = ["GOING_AWAY", "LAST_SECONDS", "beside", "guarded"]

log = logging.getLogger(__name__)

LAST_SECONDS = 5.0
"""How long they may take to end once the session is over, with what they have still to write for instance."""

GOING_AWAY = Closed(1001, "The server is going away.")


@asynccontextmanager
async def beside(them: Sequence[Beside]) -> AsyncIterator[Callable[[Closed], None]]:
    """Runs them while the context lasts, and :data:`LAST_SECONDS` longer; what it gives takes how the session ended."""
    ends = [GOING_AWAY]
    async with asyncio.TaskGroup() as group:
        running = [group.create_task(guarded(each.run(), "what works beside a session")) for each in them]
        try:
            yield ends.append
        finally:
            for each in them:
                await each.finish(ends[-1])
            _, late = await asyncio.wait(running, timeout=LAST_SECONDS) if running else ((), ())
            for task in late:
                task.cancel()


async def guarded(work: Coroutine[Any, Any, object], what: str = "session") -> None:
    """Runs it; what it raises is logged, and hurts nobody else."""
    try:
        await work
    except Exception:
        log.exception("%s failed", what)
