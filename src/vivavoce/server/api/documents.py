"""The routes of five documents that people build their apps by, under the documents' own names: thin aliases with the
bodies, answers and errors that each shows, so that its front end works unchanged (``docs/documents.md``).

Four of them mint a key, the fifth takes a call. Whoever has a key of the first three speaks the beta's events, as those
front ends do.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from vivavoce.protocol.wire.shape import check
from vivavoce.server.errors import tell
from vivavoce.server.operations import Content, Operation
from vivavoce.server.service import Service
from vivavoce.server.v1.calls import place
from vivavoce.server.v1.client_secrets import Mint, Minted, mint, read_json
from vivavoce.server.v1.legacy import minted
from vivavoce.server.v1.routes import ANSWER, MINTED_FLAT, OFFER

__all__ = ["OPERATIONS"]

Answer = Callable[[Service, Request], Awaitable[dict[str, Any]]]
Words = Callable[[str], dict[str, Any]]

_KEPT = {401, 403, 429}
"""Statuses that tell a client what to do; for all else the documents answer 500."""


async def _token(service: Service, request: Request) -> dict[str, Any]:
    """*Opus Orb*: no body, and the whole session with ``client_secret.value`` in it."""
    return await minted(service, request, await _body(request))


async def _flat_secret(service: Service, request: Request) -> dict[str, Any]:
    """*Mr. Blue*: a model, and the bare key as ``client_secret``."""
    session = await minted(service, request, await _body(request))
    secret = session["client_secret"]
    return {"client_secret": secret["value"], "expires_at": secret["expires_at"], "model": session["model"]}


async def _shared_session(service: Service, request: Request) -> Response:
    """*Composer*: a user's own ``apiKeys`` or the ``shareToken`` of a link, and the bare key as ``clientSecret``."""
    body = await _body(request)
    if (token := body.pop("shareToken", None)) is not None:
        body["share"] = token
    session = await minted(service, request, body)
    return _json({"clientSecret": session["client_secret"]["value"]})


async def _body(request: Request) -> dict[str, Any]:
    """Front ends send it with any type, or none."""
    return check(await read_json(request), dict[str, Any])


async def _told(answer: Answer, words: Words, service: Service, request: Request) -> Response:
    """The answer, or its error in the document's own shape."""
    try:
        return _json(await answer(service, request))
    except Exception as error:
        told = tell(error)
        status = told.status if told.status in _KEPT else 500
        return _json(words(told.body["message"]), status, getattr(error, "headers", None))


def _json(told: dict[str, Any], status: int = 200, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse(told, status, {**(headers or {}), "Cache-Control": "no-store"})


_ANY = Content(dict[str, Any])

OPERATIONS = [
    Operation(
        method="POST", path="/api/openai/realtime/token", name="opusOrbToken", key="mint", body=_ANY,
        answers=MINTED_FLAT, own_refusals=True, says="An ephemeral key, for the *Opus Orb* document's page",
        handle=partial(_told, _token, lambda why: {"error": "Failed to create session", "details": why}),
    ),
    Operation(
        method="POST", path="/api/openai-realtime/session", name="mrBlueSession", key="mint", body=_ANY,
        answers=(_ANY,), own_refusals=True, says="An ephemeral key, for the *Mr. Blue* document's page",
        handle=partial(_told, _flat_secret, lambda why: {"success": False, "message": why}),
    ),
    Operation(
        method="POST", path="/api/realtime/session", name="composerSession", key="mint", body=_ANY,
        answers=(_ANY,), says="An ephemeral key, for the *Composer* document's page", handle=_shared_session,
    ),
    Operation(
        method="POST", path="/api/realtime/client-secret", name="mintAlias", key="mint", body=Content(Mint),
        answers=(Content(Minted),), says="An ephemeral key", handle=mint,
    ),
    Operation(
        method="POST", path="/api/realtime/handshake", name="placeCallAlias", key="connect", body=OFFER,
        answers=ANSWER, says="A WebRTC call", handle=place,
    ),
]  # fmt: skip
