"""The addresses of the plain endpoints."""

import asyncio
from importlib import import_module
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vivavoce.server.operations import JSON, Content, Handle, Operation
from vivavoce.server.service import Service
from vivavoce.server.v1.plain.chat import chat
from vivavoce.server.v1.plain.listing import Model, Models, model, models
from vivavoce.server.v1.plain.shapes import Chat
from vivavoce.server.v1.plain.sound_shapes import MEDIA, Speech

__all__ = ["OPERATIONS"]

EVENTS = "text/event-stream"
REFUSALS = (408, 502, 504)


def _sounding(name: str) -> Handle:
    """The handler ``name`` of the module ``name``, which is imported when it is first asked for: what works on sound
    takes half a second and 30 MB."""

    async def handle(service: Service, request: Request) -> Response:
        module = await asyncio.to_thread(import_module, f"{__package__}.{name}")
        response: Response = await getattr(module, name)(service, request)
        return response

    return handle


OPERATIONS = [
    Operation(
        method="POST", path="/v1/chat/completions", name="chat", handle=chat, key="connect", body=Content(Chat),
        answers=(Content(dict[str, Any]), Content(None, (EVENTS,))), refusals=REFUSALS,
        says="An answer in words: whole, or with `stream` as it is made",
    ),
    Operation(
        method="POST", path="/v1/audio/speech", name="speech", handle=_sounding("speech"), key="connect",
        body=Content(Speech), answers=(Content(None, tuple(MEDIA.values())),), refusals=REFUSALS,
        says="A text, spoken, as it is made",
    ),
    Operation(
        method="POST", path="/v1/audio/transcriptions", name="transcribe", handle=_sounding("transcriptions"),
        key="connect", body=Content(None, ("multipart/form-data",)), refusals=REFUSALS,
        answers=(Content(dict[str, Any], (JSON,)), Content(None, ("text/plain", "text/vtt", EVENTS))),
        says="A recording, in words",
    ),
    Operation(
        method="GET", path="/v1/models", name="models", handle=models, key="connect", answers=(Content(Models),),
        refusals=REFUSALS, says="What may be asked for by name",
    ),
    Operation(
        method="GET", path="/v1/models/{model}", name="model", handle=model, key="connect", answers=(Content(Model),),
        refusals=REFUSALS, says="Whether there is a model of this name",
    ),
]  # fmt: skip
