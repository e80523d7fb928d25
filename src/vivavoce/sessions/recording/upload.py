"""A recording that a session's own client makes, since the sound goes past us: it comes in parts, in order, while the
session lives and for a moment after, and is put in order when it is over."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from vivavoce.protocol.frame import Closed
from vivavoce.sessions.filters import Observer
from vivavoce.sessions.recording.recorded import Recorded, Unreadable

__all__ = ["LAST_SECONDS", "MAX_BYTES", "MAX_PART", "Upload", "WrongPart"]

log = logging.getLogger(__name__)

MAX_PART: Final = 512 * 1024
"""Bytes of one part: a second of sound has 6 KB."""
MAX_BYTES: Final = 256 * 1024 * 1024
"""Of a whole recording: ten hours."""
LAST_SECONDS: Final = 3.0
"""How long the last part may be on its way when the session is over."""


class WrongPart(Exception):
    """It is not the next one, or one too many. ``expected`` is the next."""

    def __init__(self, expected: int, why: str) -> None:
        super().__init__(why)
        self.expected = expected


class Upload(Observer):
    """It watches nothing, and has work beside the session. ``open`` gives the path of a file that
    is there, empty; ``tell`` is awaited with what became of it."""

    def __init__(
        self,
        open: Callable[[], Awaitable[Path]],
        tell: Callable[[Recorded], Awaitable[bool]],
        *,
        patience: float = LAST_SECONDS,
    ) -> None:
        self._open, self._tell, self._patience = open, tell, patience
        self._ready: asyncio.Future[Path] = asyncio.get_running_loop().create_future()
        self._parts = self._bytes = 0
        self._turn = asyncio.Lock()
        self._over, self._complete = asyncio.Event(), asyncio.Event()

    async def add(self, part: int, data: bytes, *, last: bool) -> None:
        """Parts are counted from 0; one that came before is taken for sent twice. Raises :class:`WrongPart`, and
        :class:`OSError` where it cannot be written."""
        async with self._turn:
            if part != self._parts or self._complete.is_set():
                if part < self._parts:
                    return
                raise WrongPart(self._parts, "a part is missing before it")
            if len(data) > MAX_PART or self._bytes + len(data) > MAX_BYTES:
                raise WrongPart(self._parts, f"a part has {MAX_PART} bytes at most, all of them {MAX_BYTES}")
            path = await asyncio.shield(self._ready)
            await asyncio.to_thread(_append, path, data)
            self._parts += 1
            self._bytes += len(data)
            if last:
                self._complete.set()

    async def run(self) -> None:
        try:
            path = await self._open()
        except OSError as error:
            log.warning("no file can be made for the client's recording: %s", error.strerror)
            self._ready.set_exception(error)
            self._ready.exception()  # whoever sends a part is told; nobody else needs to be
            return
        self._ready.set_result(path)
        await self._over.wait()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._patience):
                await self._complete.wait()
        async with self._turn:
            await self._finish(path)

    async def finish(self, how: Closed) -> None:
        self._over.set()

    async def _finish(self, path: Path) -> None:
        whole = self._complete.is_set()
        self._complete.set()
        try:
            ms = await asyncio.to_thread(_in_order, path)
        except (Unreadable, OSError) as error:
            log.warning("the client's recording cannot be put in order: %s", error)
            await self._tell(Recorded(0, self._bytes, "broken"))
            return
        await self._tell(Recorded(ms, self._bytes, "complete" if whole else "broken"))


def _append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def _in_order(path: Path) -> int:
    """How long it is, in milliseconds. Blocking. Raises :class:`Unreadable` and ``OSError``."""
    from vivavoce.sessions.recording.repair import remux

    return remux(path, path)
