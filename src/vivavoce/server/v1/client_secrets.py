"""``POST /v1/realtime/client_secrets``: an ephemeral key for a page (H-31 to H-37)."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType
from starlette.requests import Request
from starlette.responses import JSONResponse

from vivavoce.access.grants import MAX_SECONDS, MIN_SECONDS
from vivavoce.protocol.wire.errors import ProtocolError
from vivavoce.protocol.wire.shape import Shape, check, get
from vivavoce.server.entrance import enter_to_mint, own_upstream_key
from vivavoce.server.service import Service
from vivavoce.server.v1.wish import wish

__all__ = ["Mint", "Minted", "Seconds", "mint", "read_json"]

DEFAULT_SECONDS = 600

Seconds = Annotated[int, Meta(ge=MIN_SECONDS, le=MAX_SECONDS)]


class Expiry(Shape):
    anchor: Literal["created_at"] = "created_at"
    seconds: Seconds = DEFAULT_SECONDS


class Mint(Shape):
    expires_after: Expiry | None | UnsetType = UNSET
    session: dict[str, Any] | None | UnsetType = UNSET
    agent: str | None | UnsetType = UNSET
    context: Any = None
    """Page context."""
    forgiving: bool | None = None
    """A cough over an answer does not end it: see docs/turn-taking.md."""
    share: str | None | UnsetType = UNSET
    """The token of a share link, in the place of a key."""
    apiKeys: dict[str, str | None] | None | UnsetType = UNSET
    """The user's own keys; ``openai`` is the one for the upstream. These five are ours."""


class Minted(msgspec.Struct):
    value: str
    """``ek_…``"""
    expires_at: int
    session: dict[str, Any]
    """What it opens."""


async def mint(service: Service, request: Request) -> JSONResponse:
    """The session is checked as a whole before a key is given for it."""
    body = check(await read_json(request), Mint)
    principal = await enter_to_mint(service, request, get(body.share, None))
    ours = {"agent": get(body.agent, None), "context": body.context, "forgiving": body.forgiving}
    session = get(body.session, {}) | {name: value for name, value in ours.items() if value is not None}
    wanted = wish(service, principal, {}, session)
    shown = {**wanted.shown(service.backend.describe(wanted.request)), "expires_at": 0}  # none is open yet (H-32)
    seconds = body.expires_after.seconds if body.expires_after else DEFAULT_SECONDS
    key, grant = await service.grants.mint(
        wanted.asked,
        seconds=seconds,
        parent=principal.name,
        parent_expires_at=principal.expires_at,
        agent=wanted.agent,
        upstream_key=own_upstream_key(request, get(body.apiKeys, None)),
    )
    told = Minted(key, grant.expires_at, shown)
    return JSONResponse(msgspec.to_builtins(told), headers={"Cache-Control": "no-store"})


async def read_json(request: Request) -> Any:
    """No body at all is taken for ``{}``."""
    try:
        return msgspec.json.decode(await request.body() or b"{}")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ProtocolError("invalid_json", f"The body is not valid JSON: {error}.") from None
