"""Memory that sessions have left goes back to the system.

glibc keeps what is free between two pieces that are not: some 30 MB after hundreds of sessions, and slowly more. Asked
for it, it gives that back, in 3 ms. Where there is no glibc there is nothing to do.
"""

import asyncio
import ctypes
import sys
from collections.abc import Callable

__all__ = ["EVERY", "given_back", "trim"]

EVERY = 10.0
"""Seconds."""


def given_back() -> Callable[[int], int] | None:
    """glibc's ``malloc_trim``, where that is what there is."""
    if not sys.platform.startswith("linux"):
        return None
    found: Callable[[int], int] | None = getattr(ctypes.CDLL(None), "malloc_trim", None)
    return found


async def trim(give_back: Callable[[int], int] | None) -> None:
    """Until it is cancelled."""
    while give_back is not None:
        await asyncio.sleep(EVERY)
        give_back(0)
