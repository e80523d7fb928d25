"""Reads the body of ``POST /v1/realtime/calls`` in every shape that clients send (H-13 to H-15, H-20)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from starlette.datastructures import UploadFile
from starlette.requests import Request

from vivavoce.protocol.wire.errors import ProtocolError

__all__ = ["Offer", "read_offer"]

MAX_PARTS = 8
"""More than are allowed, so that a part too many is refused by its name."""
_PARTS = {"sdp", "session"}


@dataclass(frozen=True, slots=True)
class Offer:
    sdp: str
    session: Mapping[str, Any] | None = None
    """A GA session, unchecked."""


async def read_offer(request: Request) -> Offer:
    """Raises :class:`ProtocolError` with words for what was sent instead of an offer."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/sdp":
        return Offer(_sdp(_text(await request.body())))
    if kind == "multipart/form-data":
        parts = await _parts(request)
        if "sdp" not in parts:
            raise ProtocolError("missing_required_parameter", "The form has no part 'sdp'.", param="sdp")
        return Offer(_sdp(parts["sdp"]), _session(parts["session"]) if "session" in parts else None)
    raise ProtocolError(
        "invalid_content_type",
        "Send the SDP offer with Content-Type application/sdp, or as the part 'sdp' of multipart/form-data "
        f"beside an optional part 'session' (JSON); this was {kind or 'sent without a type'!r}.",
    )


async def _parts(request: Request) -> dict[str, str]:
    """Parts with a type, without one, and with a file name are all the same to us (H-14)."""
    parts: dict[str, str] = {}
    async with request.form(max_files=MAX_PARTS, max_fields=MAX_PARTS) as form:
        for name, value in form.multi_items():
            if name not in _PARTS or name in parts:
                fault = "twice" if name in parts else "in a place where only 'sdp' and 'session' belong"
                raise ProtocolError("unknown_parameter", f"The form has a part '{name}' {fault}.", param=name)
            parts[name] = _text(await value.read()) if isinstance(value, UploadFile) else value
    return parts


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise ProtocolError("invalid_value", "The body is not text in UTF-8.") from None


def _sdp(text: str) -> str:
    if text.lstrip().startswith("v="):
        return text
    if text.lstrip().startswith("{"):
        words = "This is JSON where an SDP offer belongs; it begins with 'v=0'. A session goes into the part 'session'."
    else:
        words = "This is no SDP offer: one begins with 'v=0', as RTCPeerConnection.createOffer() makes it."
    raise ProtocolError("invalid_offer", words, param="sdp")


def _session(text: str) -> Mapping[str, Any]:
    try:
        session = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ProtocolError(
            "invalid_json", f"The part 'session' is not valid JSON: {error}.", param="session"
        ) from None
    if isinstance(session, dict) and session.keys() == {"session"}:
        session = session["session"]  # as some copies of the guide have it (H-20)
    if not isinstance(session, dict):
        raise ProtocolError("invalid_type", "The part 'session' is a JSON object.", param="session")
    if "type" not in session:
        raise ProtocolError(
            "missing_required_parameter", "Missing required parameter: 'session.type'.", param="session.type"
        )
    return session
