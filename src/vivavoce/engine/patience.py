"""A model that says nothing more is not waited for: the answer fails, with words for whoever waits for it."""

import asyncio
from collections.abc import AsyncIterator
from typing import TypeVar

from vivavoce.models.interfaces import ModelError

__all__ = ["MIND_SECONDS", "VOICE_SECONDS", "patiently"]

MIND_SECONDS = 60.0
"""Until its next words; a large model on a small machine takes a while to begin."""
VOICE_SECONDS = 20.0
"""Until its next sound. The answer counts as spoken meanwhile, and nothing is heard of it."""

T = TypeVar("T")


async def patiently(source: AsyncIterator[T], seconds: float, who: str) -> AsyncIterator[T]:
    """What comes of ``source``. Raises :class:`ModelError` where it makes nothing for so long; the time that whoever
    takes it needs does not count."""
    while True:
        try:
            async with asyncio.timeout(seconds):
                made = await anext(source)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise ModelError(f"{who} has made nothing for {seconds:g} s, and was given up. Ask again.") from None
        yield made
