"""A model that says nothing more is not waited for: the answer fails, with words for whoever waits for it."""

import asyncio
from collections.abc import AsyncIterator
from typing import TypeVar

from vivavoce.models.interfaces import ModelError

__all__ = ["MIND_SECONDS", "VOICE_SECONDS", "Patiently"]

MIND_SECONDS = 60.0
"""Until its next words; a large model on a small machine takes a while to begin."""
VOICE_SECONDS = 20.0
"""Until its next sound. The answer counts as spoken meanwhile, and nothing is heard of it."""

T = TypeVar("T")


class Patiently(AsyncIterator[T]):
    """What comes of ``source``. Raises :class:`ModelError` where it makes nothing for so many seconds; the time that
    whoever takes it needs does not count. Whoever made ``source`` closes it."""

    def __init__(self, source: AsyncIterator[T], seconds: float, who: str) -> None:
        self._source, self._seconds, self._who = source, seconds, who

    async def __anext__(self) -> T:
        try:
            async with asyncio.timeout(self._seconds):
                return await anext(self._source)
        except TimeoutError:
            message = f"{self._who} has made nothing for {self._seconds:g} s, and was given up. Ask again."
            raise ModelError(message) from None
