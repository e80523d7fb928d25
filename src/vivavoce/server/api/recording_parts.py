"""``POST /api/sessions/{id}/recording``: a client whose sound goes past us brings the recording that it makes."""

from starlette.requests import Request
from starlette.responses import Response

from vivavoce.protocol.wire.errors import ProtocolError
from vivavoce.protocol.wire.shape import Shape
from vivavoce.server.api.events import may_hear
from vivavoce.server.errors import SessionNotFound
from vivavoce.server.service import Service, bearer
from vivavoce.sessions.recording.upload import MAX_PART, WrongPart

__all__ = ["Part", "bring"]


class Part(Shape):
    """The query: which part it is, counted from 0, and whether it is the last."""

    part: int
    last: bool = False


async def bring(service: Service, request: Request) -> Response:
    """For the same keys as the session's notices, while the session lives and three seconds longer. Raises
    :class:`SessionNotFound`, for a session too that is not to be recorded so, and :class:`ProtocolError`."""
    principal = await service.gate.enter(bearer(request))
    live = service.registry.named(request.path_params["id"])
    if live is None or live.upload is None or not may_hear(principal, live):
        raise SessionNotFound
    part = request.query_params.get("part", "")
    if not (part.isascii() and part.isdecimal() and len(part) < 9):
        raise ProtocolError("invalid_value", "'part' is a number, counted from 0.", param="part")
    last = request.query_params.get("last", "false").lower() in ("true", "1")
    data = await _body(request)
    try:
        await live.upload.add(int(part), data, last=last)
    except WrongPart as wrong:
        words = f"Part {wrong.expected} is expected next: {wrong}."
        raise ProtocolError("invalid_value", words, param="part") from None
    except OSError:
        words = "This server has no room for the recording; go on without."
        raise ProtocolError("recording_failed", words, type="server_error") from None
    return Response(status_code=204)


async def _body(request: Request) -> bytes:
    data = bytearray()
    async for piece in request.stream():
        data += piece
        if len(data) > MAX_PART:
            raise ProtocolError("invalid_value", f"A part has {MAX_PART} bytes at most.", param="part")
    return bytes(data)
