"""Forgets sessions: their files first and then their rows, so that what an error or a crash leaves can be found, and
forgotten, again. A few at a time: whoever writes meanwhile has their turn between."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Final

from vivavoce.store.calls import DirectCalls
from vivavoce.store.files import Files
from vivavoce.store.sessions import Sessions
from vivavoce.store.usage import Usage

__all__ = ["AT_ONCE", "Forgetting"]

AT_ONCE: Final = 50
"""Sessions in one transaction."""


class Forgetting:
    """All of it raises :class:`OSError` for a file that cannot be deleted; its session is then still there."""

    def __init__(
        self, sessions: Sessions, usage: Usage, calls: DirectCalls, files: Files, erase: Callable[[], Awaitable[None]]
    ) -> None:
        self._sessions, self._usage, self._calls, self._files, self._erase = sessions, usage, calls, files, erase

    async def session(self, id: str) -> bool:
        """Whether there was one. What it cost stays in the sums by day."""
        count = await self._forget([id])
        await self._erase()
        return count > 0

    async def owner(self, owner: str) -> int:
        """All that is kept of one person, or one key: their sessions, and their name in the sums by day and in the list
        of calls. How many sessions there were."""
        count = 0
        while ids := await self._sessions.of_owner(owner, AT_ONCE):
            count += await self._forget(ids)
        await self._usage.forget(owner)
        await self._calls.forget_owner(owner)
        await self._erase()
        return count

    async def older(self, than: float, *, spare: Collection[str] = ()) -> int:
        """Sessions in which nothing has happened since, but for those to ``spare``, which live. How many."""
        count = 0
        while ids := await self._sessions.older(than, AT_ONCE, but=spare):
            count += await self._forget(ids)
        return count

    async def _forget(self, ids: Sequence[str]) -> int:
        for id in ids:
            await asyncio.to_thread(self._files.delete, id)
        return await self._sessions.delete(ids)
