"""A model that says nothing more is not waited for: the answer fails, with words for whoever waits for it."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Self, TypeVar, cast

from vivavoce.models.interfaces import ModelError

__all__ = ["MIND_SECONDS", "VOICE_SECONDS", "Patiently"]

MIND_SECONDS = 60.0
"""Until its next words; a large model on a small machine takes a while to begin."""
VOICE_SECONDS = 20.0
"""Until its next sound. The answer counts as spoken meanwhile, and nothing is heard of it."""

T = TypeVar("T")


class Patiently(AsyncIterator[T]):
    """What comes of ``source``, which is closed with the context. Raises :class:`ModelError` where it makes nothing for
    so many seconds; the time that whoever takes it needs does not count.

    One timer looks now and then whether it has been waited too long: one for each piece would cost more than a piece.
    """

    def __init__(self, source: AsyncIterator[T], seconds: float, who: str) -> None:
        """``source`` is a generator, as those of all models are."""
        self._source = cast(AsyncGenerator[T, None], source)
        self._seconds, self._who = seconds, who
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._waiting: asyncio.Task[object] | None = None
        self._since = 0.0
        self._given_up = False

    async def __anext__(self) -> T:
        self._waiting, self._since = asyncio.current_task(), self._loop.time()
        if self._timer is None:
            self._timer = self._loop.call_at(self._since + self._seconds, self._look)
        try:
            return await anext(self._source)
        except asyncio.CancelledError:
            if not self._given_up or self._uncancelled():
                raise
            message = f"{self._who} has made nothing for {self._seconds:g} s, and was given up. Ask again."
            raise ModelError(message) from None
        finally:
            self._waiting = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
        await self._source.aclose()

    def _look(self) -> None:
        self._timer = None
        if self._waiting is None:
            return  # the next piece sets another
        due = self._since + self._seconds
        if self._loop.time() < due:
            self._timer = self._loop.call_at(due, self._look)
        else:
            self._given_up = True
            self._waiting.cancel()

    def _uncancelled(self) -> bool:
        """Whether somebody else wants the task to end, too."""
        return self._waiting is not None and self._waiting.uncancel() > 0
