"""Whether an event is what OpenAI's own Python types say it is.

The types are the SDK's; the union is told apart by ``type`` as openai-agents-python does it, so what fails
here is lost there (C-09). Pydantic would take a misspelt key for an extra one, so extra keys fail too.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from openai.types.realtime import RealtimeServerEvent
from pydantic import BaseModel, Field, TypeAdapter

from tests.support.clients import trips
from vivavoce.protocol.frame import AUDIO_DELTA, Frame

__all__ = ["check_event", "on_the_wire"]

_events: TypeAdapter[Any] = TypeAdapter(Annotated[RealtimeServerEvent, Field(discriminator="type")])

_NEWER = {
    # keys that the API sends, or that clients do and see again, and that these types do not name
    "session.id", "session.object", "session.expires_at", "session.tools.strict",
    "item.object", "item.status", "item.error", "response.output.object", "response.output.status",  # of MCP items
    "error.type",
}  # fmt: skip


def on_the_wire(frame: Frame) -> dict[str, Any]:
    """The event with its audio in place, whatever it sounds like."""
    return {**frame.data, "delta": "AAAA"} if frame.type == AUDIO_DELTA else dict(frame.data)


def check_event(event: Mapping[str, Any]) -> None:
    """Raises for a value that the types refuse, for a key that they do not know, and for what trips a client."""
    assert not trips(event), f"{event['type']} breaks {trips(event)}: {event}"
    extra = [path for path in _extra(_events.validate_python(event), "") if path not in _NEWER]
    assert not extra, f"{event['type']} has keys that the API has not: {extra}"


def _extra(value: Any, at: str) -> Iterator[str]:
    if isinstance(value, BaseModel):
        yield from (f"{at}{name}" for name in value.model_extra or ())
        for name in type(value).model_fields:
            yield from _extra(getattr(value, name), f"{at}{name}.")
    elif isinstance(value, list):
        for each in value:
            yield from _extra(each, at)
