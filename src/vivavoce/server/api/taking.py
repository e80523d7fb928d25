"""A session, to take away: ``/api/sessions/{id}/transcript`` and ``/api/sessions/{id}/recording``."""

import asyncio
from pathlib import Path
from typing import Annotated, Final, Literal

from msgspec import Meta
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response

from vivavoce.protocol.wire.shape import Shape
from vivavoce.server.api.asking import Asked, operation
from vivavoce.server.api.sessions import ONE, own
from vivavoce.server.errors import SessionNotFound
from vivavoce.server.service import Service
from vivavoce.store.export import as_json, as_text, as_webvtt

__all__ = ["OPERATIONS"]

TEXT, VTT = "text/plain", "text/vtt"
SOUND: Final = {".ogg": "audio/ogg", ".opus": "audio/ogg", ".webm": "audio/webm"}
BYTES: Final = "application/octet-stream"
NO_STORE: Final = {"Cache-Control": "no-store"}


class Format(Shape):
    format: Literal["json", "text", "webvtt"] = "json"


class Which(Shape):
    name: Annotated[str, Meta(max_length=128)] | None = None
    """Of one of the session's recordings; the newest without it."""


async def transcript(service: Service, asked: Asked[Format, None]) -> Response:
    """WebVTT is timed by the session's first recording, where there is one."""
    session = await own(service, asked)
    items = await service.store.items.all(session.id)
    if asked.query.format == "json":
        return JSONResponse(as_json(session, items), headers=NO_STORE)
    if asked.query.format == "text":
        return PlainTextResponse(as_text(session, items), headers=NO_STORE)
    recordings = await service.store.recordings.all(session.id)
    origin = recordings[0].started_at if recordings else None
    return PlainTextResponse(as_webvtt(session, items, origin=origin), headers=NO_STORE, media_type=VTT)


async def recording(service: Service, asked: Asked[Which, None]) -> Response:
    """Whole or in ranges. What the file is called is the store's word, never the request's."""
    session = await own(service, asked)
    recordings = await service.store.recordings.all(session.id)
    wanted = [each for each in recordings if asked.query.name in (None, each.name)]
    path = service.store.files.path(session.id, wanted[-1].name) if wanted else None
    if path is None or not await asyncio.to_thread(path.is_file):
        raise SessionNotFound("There is no recording of this session.", "recording_not_found")
    return FileResponse(path, media_type=_type(path), filename=f"{session.id}{path.suffix}", headers=NO_STORE)


def _type(path: Path) -> str:
    return SOUND.get(path.suffix, BYTES)


OPERATIONS = [
    operation(
        "GET", ONE + "/transcript", transcript, "What was said in a session, as JSON, text or WebVTT", query=Format,
        answers=None, media=("application/json", TEXT, VTT),
    ),
    operation(
        "GET", ONE + "/recording", recording, "A recording of a session: the user left, the assistant right",
        query=Which, answers=None, media=(*dict.fromkeys(SOUND.values()), BYTES),
    ),
]  # fmt: skip
