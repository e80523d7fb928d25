"""The addresses of the plain endpoints."""

from typing import Any

from vivavoce.server.operations import JSON, Content, Operation
from vivavoce.server.v1.plain.chat import chat
from vivavoce.server.v1.plain.listing import Model, Models, model, models
from vivavoce.server.v1.plain.shapes import Chat
from vivavoce.server.v1.plain.sound import MEDIA
from vivavoce.server.v1.plain.speech import Speech, speech
from vivavoce.server.v1.plain.transcriptions import transcriptions

__all__ = ["OPERATIONS"]

EVENTS = "text/event-stream"
REFUSALS = (408, 502, 504)

OPERATIONS = [
    Operation(
        method="POST", path="/v1/chat/completions", name="chat", handle=chat, key="connect", body=Content(Chat),
        answers=(Content(dict[str, Any]), Content(None, (EVENTS,))), refusals=REFUSALS,
        says="An answer in words: whole, or with `stream` as it is made",
    ),
    Operation(
        method="POST", path="/v1/audio/speech", name="speech", handle=speech, key="connect", body=Content(Speech),
        answers=(Content(None, tuple(MEDIA.values())),), refusals=REFUSALS, says="A text, spoken, as it is made",
    ),
    Operation(
        method="POST", path="/v1/audio/transcriptions", name="transcribe", handle=transcriptions, key="connect",
        body=Content(None, ("multipart/form-data",)), refusals=REFUSALS,
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
