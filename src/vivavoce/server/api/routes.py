"""The HTTP addresses that are our own."""

from vivavoce.server.api import choices, documents, sessions, shares, taking, usage
from vivavoce.server.api.config import config
from vivavoce.server.api.events import events
from vivavoce.server.api.recording_parts import Part, bring
from vivavoce.server.operations import Content, Operation

__all__ = ["OPERATIONS"]

OPERATIONS = [
    Operation(
        method="GET", path="/api/config", name="config", handle=config,
        says="What a page needs to know before its first click",
    ),
    Operation(
        method="GET", path="/api/sessions/{id}/events", name="events", handle=events, key="connect",
        answers=(Content(None, ("text/event-stream",)),),
        says="What a live session says beside the protocol, as server-sent events",
    ),
    Operation(
        method="POST", path="/api/sessions/{id}/recording", name="bring_recording", handle=bring, key="connect",
        query=Part, body=Content(None, ("audio/webm", "audio/ogg")), answers=(Content(None, (), 204),),
        says="A part of the recording that a client makes itself, where the sound goes past this server",
    ),
    *sessions.OPERATIONS,
    *taking.OPERATIONS,
    *usage.OPERATIONS,
    *shares.OPERATIONS,
    *choices.OPERATIONS,
    *documents.OPERATIONS,
]  # fmt: skip
