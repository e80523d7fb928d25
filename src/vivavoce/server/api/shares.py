"""``/api/shares``: links by which somebody without a key may talk, as ``vivavoce share`` makes them."""

from typing import Annotated

import msgspec
from msgspec import Meta

from vivavoce.access.shares import Share, make_share
from vivavoce.access.tokens import hash_of
from vivavoce.backends.interface import BackendError
from vivavoce.protocol.wire.errors import ProtocolError
from vivavoce.protocol.wire.shape import Shape
from vivavoce.server.api.asking import Asked, operation
from vivavoce.server.service import Service

__all__ = ["OPERATIONS"]

FRAGMENT = "/#share="
"""Behind this the token stands in a link: browsers send it nowhere, so it is in no log."""
LONGEST = 10 * 365 * 86_400
"""Seconds that a link may last."""


class NewShare(Shape):
    agent: Annotated[str, Meta(max_length=64)] | None = None
    """Who answers; without it, whoever the visitor asks for."""
    budget_usd: Annotated[float, Meta(gt=0, le=1_000_000)] | None = None
    minutes: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    """Talking time. A link has a budget or minutes, for all who have it, or both."""
    expires_in: Annotated[int, Meta(ge=1, le=LONGEST)] | None = None
    """Seconds from now; never without it."""


class ShownShare(msgspec.Struct, kw_only=True):
    id: str
    agent: str | None
    state: str
    """``good``, or why it is good no more."""
    budget_usd: float | None
    used_usd: float
    minutes: float | None
    used_minutes: float
    created_at: float
    expires_at: float | None


class MadeShare(ShownShare, kw_only=True):
    link: str
    """Whoever has it may talk. It is told only now."""


class Shares(msgspec.Struct):
    data: list[ShownShare]


class Revoked(msgspec.Struct):
    id: str
    revoked: bool = True


async def list_shares(service: Service, asked: Asked[None, None]) -> Shares:
    return Shares([_shown(share, service.now()) for share in await service.store.shares.all()])


async def create_share(service: Service, asked: Asked[None, NewShare]) -> MadeShare:
    wanted, now = asked.body, service.now()
    if wanted.budget_usd is None and wanted.minutes is None:
        words = "A link needs an end: 'budget_usd', 'minutes' or both."
        raise ProtocolError("missing_required_parameter", words, param="minutes")
    if wanted.agent is not None:
        service.options.agents[wanted.agent]  # raises where there is none
    token, share = make_share(
        agent=wanted.agent,
        dollars=wanted.budget_usd,
        seconds=None if wanted.minutes is None else wanted.minutes * 60.0,
        now=now,
        expires_at=None if wanted.expires_in is None else now + wanted.expires_in,
        random=service.random,
    )
    await service.store.shares.add(share, hash_of(token))
    page = service.options.public_url or asked.base_url
    return MadeShare(**msgspec.structs.asdict(_shown(share, now)), link=page + FRAGMENT + token)


async def revoke_share(service: Service, asked: Asked[None, None]) -> Revoked:
    """The sessions that it opened end within seconds."""
    id = asked.path["id"]
    if not await service.store.shares.revoke(id, service.now()):
        words = "There is no link of this id that could be revoked."
        raise BackendError.of(404, words, code="share_not_found", type="invalid_request_error")
    return Revoked(id)


def _shown(share: Share, now: float) -> ShownShare:
    return ShownShare(
        id=share.id,
        agent=share.agent,
        state=share.refusal(now) or "good",
        budget_usd=share.dollars,
        used_usd=share.used_dollars,
        minutes=None if share.seconds is None else share.seconds / 60,
        used_minutes=share.used_seconds / 60,
        created_at=share.created_at,
        expires_at=share.expires_at,
    )


ONE = "/api/shares/{id}"
OPERATIONS = [
    operation("GET", "/api/shares", list_shares, "Share links", key="manage", answers=Shares),
    operation(
        "POST", "/api/shares", create_share, "Make a share link; with the first, everybody needs a key or a link",
        key="manage", body=NewShare, answers=MadeShare,
    ),
    operation("DELETE", ONE, revoke_share, "Take back a share link", key="manage", answers=Revoked),
]  # fmt: skip
