"""Recordings that a crash broke off are put in order: looked for when the server starts, then every hour."""

import asyncio
import logging
from pathlib import Path
from typing import Final

from vivavoce.server.service import Service
from vivavoce.sessions.recording.recorded import Unreadable

__all__ = ["mend"]

log = logging.getLogger(__name__)

STILL_SECONDS: Final = 120.0
"""A file that has not grown for so long is nobody's any more: not this process's, nor another's beside it."""


async def mend(service: Service) -> None:
    """Those that nobody writes to. What is left of each is as long as it is; it is marked as broken off."""
    store = service.store
    for session_id, recording in await store.recordings.unfinished():
        path = store.files.path(session_id, recording.name)
        still = await asyncio.to_thread(_is_still, path, service.now())
        if session_id in service.registry.records() or not still:
            continue
        change = await asyncio.to_thread(_mended, path)
        await store.recordings.change(session_id, recording.name, state="broken", **change)
        log.info("a recording that was broken off is put in order: session=%s ms=%d", session_id, change["ms"])


def _is_still(path: Path, now: float) -> bool:
    """One that is on another machine is not ours to judge, and looks like one that is not there."""
    try:
        return now - path.stat().st_mtime > STILL_SECONDS
    except FileNotFoundError:
        return path.parent.is_dir()


def _mended(path: Path) -> dict[str, int]:
    from vivavoce.sessions.recording.repair import remux

    try:
        return {"ms": remux(path, path), "bytes": path.stat().st_size}
    except (Unreadable, OSError):
        return {"ms": 0, "bytes": 0}
