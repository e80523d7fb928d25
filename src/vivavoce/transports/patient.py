"""A time limit that costs nothing where there is nothing to wait for.

``asyncio.timeout`` sets and clears a timer, 6 µs, around each event that is sent, of which hardly one in a million has
to wait. So what is to be limited is begun first, and a timer set only if it did not end at once.
"""

import asyncio
import types
from collections.abc import Callable, Coroutine, Generator
from typing import Any, TypeVar

__all__ = ["within"]

T = TypeVar("T")


async def within(
    seconds: float, doing: Coroutine[Any, Any, T], limits: Callable[[asyncio.Timeout], object] = lambda limit: None
) -> T:
    """What ``doing``, which has not begun yet, returns. Raises ``TimeoutError`` after so many seconds. ``limits`` is
    given the timeout where there is one, to be moved if need be."""
    try:
        waits_for = doing.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    async with asyncio.timeout(seconds) as limit:
        limits(limit)
        return await _rest(doing, waits_for)


@types.coroutine
def _rest(doing: Coroutine[Any, Any, T], waits_for: Any) -> Generator[Any, Any, T]:
    """Goes on with a coroutine that waits already: the task is given what it waits for, and it what the task says."""
    try:
        while True:
            try:
                said = yield waits_for
            except BaseException as error:
                waits_for = doing.throw(error)
            else:
                waits_for = doing.send(said)
    except StopIteration as done:
        result: T = done.value
        return result
