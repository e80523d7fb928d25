"""How late the event loop is and how busy its thread, looked at ten times a second, for as long as the server runs."""

import asyncio
import time
from collections.abc import Callable

from vivavoce.sessions.capacity import BEAT_SECONDS
from vivavoce.sessions.registry import Registry

__all__ = ["heartbeat"]


async def heartbeat(
    registry: Registry,
    observe: Callable[[float], object],
    clock: Callable[[], float] = time.monotonic,
    used: Callable[[], float] = time.thread_time,
) -> None:
    """Until it is cancelled; ``observe`` is told too by how many seconds the loop was late. ``clock`` gives seconds,
    finer than uvloop's own; ``used`` the seconds of a processor that this thread has had."""
    while True:
        due = clock() + BEAT_SECONDS
        await asyncio.sleep(BEAT_SECONDS)
        woke = clock()
        late = max(0.0, woke - due)
        observe(late)
        registry.capacity.beat(woke, late, used(), len(registry))
