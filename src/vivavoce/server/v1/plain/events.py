"""Server-sent events as OpenAI's clients read them: ``data:`` and JSON, an error among them, ``[DONE]`` at the end."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import msgspec
from starlette.responses import StreamingResponse

from vivavoce.backends.interface import BackendError
from vivavoce.models.interfaces import ModelError
from vivavoce.server.errors import tell

__all__ = ["DONE", "EventStream", "event"]

DONE = b"data: [DONE]\n\n"


def event(data: Mapping[str, Any] | bytes) -> bytes:
    """``data`` as JSON, or as it is."""
    return b"data: " + (data if isinstance(data, bytes) else msgspec.json.encode(data)) + b"\n\n"


class EventStream(StreamingResponse):
    def __init__(self, events: AsyncIterator[bytes]) -> None:
        headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
        super().__init__(_with_its_failure(events), headers=headers, media_type="text/event-stream")


async def _with_its_failure(events: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """What goes wrong after the answer has begun can only be told within it."""
    try:
        async for each in events:
            yield each
    except ModelError as error:
        yield event({"error": tell(BackendError.of(502, str(error), code="model_error")).body})
    except BackendError as error:
        yield event({"error": error.body})
