"""What the beta's API had and GA's has not, for clients of 2024 and 2025: keys minted with a flat session (H-38, H-39),
and the SDP offer posted to ``/v1/realtime`` itself (H-40)."""

from collections.abc import Callable, Mapping
from typing import Any, Literal

from msgspec import UNSET, UnsetType
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from vivavoce.access.limits import subjects
from vivavoce.protocol.dialects.beta import read_temperature
from vivavoce.protocol.dialects.flat import flat_path, flat_session, nested_session, nested_transcription
from vivavoce.protocol.wire.errors import ProtocolError
from vivavoce.protocol.wire.shape import Shape, check
from vivavoce.server.entrance import address, enter, own_upstream_key
from vivavoce.server.service import Service
from vivavoce.server.v1.calls import begin
from vivavoce.server.v1.client_secrets import Seconds, read_json
from vivavoce.server.v1.dialect import dialect_of
from vivavoce.server.v1.wish import wish

__all__ = ["mint_session", "mint_transcription", "place_beta"]

Json = Mapping[str, Any]

DEFAULT_SECONDS = 60
"""Of both kinds of key; the documents say one minute in one place and ten in another (H-38, H-39)."""


class _Expiry(Shape):
    anchor: Literal["created_at"] = "created_at"
    seconds: Seconds = DEFAULT_SECONDS


class _Secret(Shape):
    expires_after: _Expiry | None | UnsetType = UNSET
    expires_at: _Expiry | None | UnsetType = UNSET
    """What the types of some SDKs have in its place."""


async def mint_session(service: Service, request: Request) -> JSONResponse:
    """``POST /v1/realtime/sessions``."""
    return await _mint(service, request, nested_session)


async def mint_transcription(service: Service, request: Request) -> JSONResponse:
    """``POST /v1/realtime/transcription_sessions``."""
    return await _mint(service, request, nested_transcription)


async def place_beta(service: Service, request: Request) -> Response:
    """``POST /v1/realtime`` with an SDP offer. The address is the beta's, which counts unless the key is GA's."""
    principal = await enter(service, request)
    dialect = dialect_of(principal, request.headers, beta=principal.grant is None)
    return await begin(service, request, principal, dialect)


async def _mint(service: Service, request: Request, nested: Callable[[Json], dict[str, Any]]) -> JSONResponse:
    principal = await enter(service, request, scope="mint")
    await service.limits.mint(subjects(principal, address(request)))
    flat = check(await read_json(request), dict[str, Any])
    seconds = _seconds(check(flat.get("client_secret") or {}, _Secret, "client_secret"))
    try:
        temperature = read_temperature(flat, "session.temperature")
        wanted = wish(service, principal, {}, nested(flat))
        session = flat_session(wanted.shown(service.backend.describe(wanted.request)), temperature)
    except ProtocolError as error:
        raise _as_sent(error) from None
    key, grant = await service.grants.mint(
        wanted.asked,
        seconds=seconds,
        parent=principal.name,
        parent_expires_at=principal.expires_at,
        agent=wanted.agent,
        beta=flat,
        upstream_key=own_upstream_key(request),
    )
    secret = {"value": key, "expires_at": grant.expires_at}
    told = {**session, "expires_at": 0, "client_secret": secret}  # no session is open yet
    return JSONResponse(told, headers={"Cache-Control": "no-store"})


def _seconds(secret: _Secret) -> int:
    expiry = secret.expires_after or secret.expires_at
    return expiry.seconds if expiry else DEFAULT_SECONDS


def _as_sent(error: ProtocolError) -> ProtocolError:
    """The body is the session itself, so paths begin inside it."""
    if error.param is None:
        return error
    sent = flat_path(error.param).removeprefix("session.")
    return ProtocolError(error.code, error.message.replace(error.param, sent), param=sent, type=error.type)
