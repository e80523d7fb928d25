"""What the beta's API had and GA's has not, for clients of 2024 and 2025: keys minted with a flat session (H-38, H-39),
and the SDP offer posted to ``/v1/realtime`` itself (H-40)."""

from collections.abc import Callable, Mapping
from typing import Any, Literal

from msgspec import UNSET, UnsetType
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from vivavoce.protocol.dialects.beta import read_temperature
from vivavoce.protocol.dialects.flat import flat_path, flat_session, nested_session, nested_transcription
from vivavoce.protocol.wire.errors import ProtocolError
from vivavoce.protocol.wire.shape import Shape, check, get
from vivavoce.server.entrance import enter, enter_to_mint, own_upstream_key
from vivavoce.server.service import Service
from vivavoce.server.v1.calls import begin
from vivavoce.server.v1.client_secrets import Seconds, read_json
from vivavoce.server.v1.dialect import dialect_of
from vivavoce.server.v1.wish import wish

__all__ = ["mint_session", "mint_transcription", "minted", "place_beta"]

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


class _Ours(Shape):
    """What our own minting knows beside the session, as in ``client_secrets``."""

    agent: str | None | UnsetType = UNSET
    context: Any = UNSET
    share: str | None | UnsetType = UNSET
    apiKeys: dict[str, str | None] | None | UnsetType = UNSET


async def mint_session(service: Service, request: Request) -> JSONResponse:
    """``POST /v1/realtime/sessions``."""
    told = await minted(service, request, check(await read_json(request), dict[str, Any]), nested_session)
    return JSONResponse(told, headers={"Cache-Control": "no-store"})


async def mint_transcription(service: Service, request: Request) -> JSONResponse:
    """``POST /v1/realtime/transcription_sessions``."""
    told = await minted(service, request, check(await read_json(request), dict[str, Any]), nested_transcription)
    return JSONResponse(told, headers={"Cache-Control": "no-store"})


async def place_beta(service: Service, request: Request) -> Response:
    """``POST /v1/realtime`` with an SDP offer. The address is the beta's, which counts unless the key is GA's."""
    with service.metrics.opening("webrtc"):
        principal = await enter(service, request)
        dialect = dialect_of(principal, request.headers, beta=principal.grant is None)
        return await begin(service, request, principal, dialect)


async def minted(
    service: Service, request: Request, body: Json, nested: Callable[[Json], dict[str, Any]] = nested_session
) -> dict[str, Any]:
    """The flat session with its ``client_secret``, for a body that holds a flat session and what is ours. Whoever holds
    the key speaks beta."""
    names = set(_Ours.__struct_fields__)
    ours = check({name: value for name, value in body.items() if name in names}, _Ours)
    flat = {name: value for name, value in body.items() if name not in names}
    principal = await enter_to_mint(service, request, get(ours.share, None))
    chosen = {"agent": get(ours.agent, None), "context": get(ours.context, None)}
    seconds = _seconds(check(flat.get("client_secret") or {}, _Secret, "client_secret"))
    try:
        temperature = read_temperature(flat, "session.temperature")
        wanted = wish(service, principal, {}, nested(flat) | {name: value for name, value in chosen.items() if value})
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
        upstream_key=own_upstream_key(request, get(ours.apiKeys, None)),
    )
    secret = {"value": key, "expires_at": grant.expires_at}
    return {**session, "expires_at": 0, "client_secret": secret}  # no session is open yet


def _seconds(secret: _Secret) -> int:
    expiry = secret.expires_after or secret.expires_at
    return expiry.seconds if expiry else DEFAULT_SECONDS


def _as_sent(error: ProtocolError) -> ProtocolError:
    """The body is the session itself, so paths begin inside it."""
    if error.param is None:
        return error
    sent = flat_path(error.param).removeprefix("session.")
    return ProtocolError(error.code, error.message.replace(error.param, sent), param=sent, type=error.type)
