"""Whether a session is recorded, by whom, and where to: by us where its sound passes here, else by its own client."""

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, Final

from vivavoce.backends.interface import Relays
from vivavoce.server.service import Service
from vivavoce.server.v1.record import kept as keeps
from vivavoce.server.v1.wish import Wanted
from vivavoce.sessions.filters import Observer
from vivavoce.sessions.live import Live
from vivavoce.sessions.recording.recorded import Recorded
from vivavoce.sessions.recording.upload import Upload
from vivavoce.store.recordings import Recording
from vivavoce.store.sessions import Session

__all__ = ["recorders"]

log = logging.getLogger(__name__)

NOTE_SECONDS: Final = 10
"""How often the store is told how far a recording has come."""


def recorders(service: Service, live: Live, wanted: Wanted, begun: Session) -> Sequence[Observer]:
    """None where the session's agent, or the server, does not keep sound. The client is told (``vivavoce.recording``)
    before the first sound."""
    if begun.kept != "audio":
        return ()
    if _passes_by(service, wanted):
        live.notices.tell("recording", on=True, by="client")
        kept = _Kept(service, live, begun)
        live.upload = Upload(kept.make, kept.tell)
        return (live.upload,)
    from vivavoce.sessions.recording.recorder import Recorder  # FFmpeg and NumPy, where sound is kept

    live.notices.tell("recording", on=True, by="server")
    kept = _Kept(service, live, begun)
    clock, media = asyncio.get_running_loop().time, wanted.request.media
    return (Recorder(clock, kept.open, kept.tell, media=media, wanted=lambda: keeps(service, wanted) == "audio"),)


def _passes_by(service: Service, wanted: Wanted) -> bool:
    backend = service.backend
    return wanted.request.media and isinstance(backend, Relays) and backend.direct(wanted.request)


class _Kept:
    """One recording on its way into the store."""

    def __init__(self, service: Service, live: Live, begun: Session) -> None:
        self._service, self._live, self._begun = service, live, begun
        self._name = f"{service.new_id('')[:16]}.ogg"
        self._started_at = service.now()
        self._noted = 0

    async def open(self) -> BinaryIO:
        path = await self.make()
        return await asyncio.to_thread(path.open, "r+b")

    async def make(self) -> Path:
        """An empty file, this user's alone. Raises :class:`OSError`."""
        store, id = self._service.store, self._begun.id
        await store.sessions.begin(self._begun)  # what is written of it comes a moment later
        path = await asyncio.to_thread(store.files.make, id, self._name)
        await store.recordings.begin(id, Recording(name=self._name, started_at=self._started_at))
        await asyncio.to_thread(path.touch, 0o600, exist_ok=False)
        return path

    async def tell(self, recorded: Recorded) -> bool:
        """Whether it is still wanted."""
        if recorded.state == "recording" and recorded.ms - self._noted < NOTE_SECONDS * 1000:
            return True
        self._noted = recorded.ms
        if recorded.state == "broken":
            self._live.notices.tell("recording", on=False, by="server")
        return await self._service.store.recordings.change(self._begun.id, self._name, **recorded._asdict())
