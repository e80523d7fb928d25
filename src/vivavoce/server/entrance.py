"""Who is asking, from all that came with a request."""

from collections.abc import Mapping
from dataclasses import replace

from starlette.requests import HTTPConnection

from vivavoce.access.limits import subjects
from vivavoce.access.principal import Principal, Scope
from vivavoce.protocol.wire.errors import ProtocolError
from vivavoce.server.service import Service, bearer

__all__ = ["UPSTREAM_KEY", "address", "checked_key", "enter", "enter_to_mint", "own_upstream_key"]

UPSTREAM_KEY = "X-Vivavoce-Upstream-Key"
"""The header for a user's own key for the upstream. It is used for this session, and never logged or echoed."""
MAX_UPSTREAM_KEY = 512


async def enter(
    service: Service, connection: HTTPConnection, offered: str | None = None, scope: Scope = "connect"
) -> Principal:
    """``offered`` is a key that came in another place than the Authorization header. Raises :class:`Refused`, and
    :class:`ProtocolError` for an upstream key that cannot be one."""
    principal = await service.gate.enter(bearer(connection) or offered, scope)
    own = own_upstream_key(connection)
    return replace(principal, upstream_key=own) if own else principal


async def enter_to_mint(service: Service, connection: HTTPConnection, share: str | None = None) -> Principal:
    """Who may make an ephemeral key, by ``share`` link where one was given; within the limits for that. Raises
    :class:`Refused` and :class:`OverLimit`."""
    entering = service.gate.enter_with_share(share) if share else enter(service, connection, scope="mint")
    principal = await entering
    await service.limits.mint(subjects(principal, address(connection)))
    return principal


def own_upstream_key(connection: HTTPConnection, keys: Mapping[str, str | None] | None = None) -> str | None:
    """From the body's ``apiKeys``, where it has them, or the header. It stays with the ephemeral key; that of a share
    link's owner stays with the link. Raises :class:`ProtocolError`."""
    given = checked_key((keys or {}).get("openai"), "apiKeys.openai")
    return given or checked_key(connection.headers.get(UPSTREAM_KEY), UPSTREAM_KEY)


def checked_key(key: str | None, param: str) -> str | None:
    """It is sent on in a header. Raises :class:`ProtocolError`, without a word of it."""
    if not key:
        return None
    if len(key) > MAX_UPSTREAM_KEY or not key.isascii() or not key.isprintable() or " " in key:
        words = f"A key is a word of at most {MAX_UPSTREAM_KEY} plain characters."
        raise ProtocolError("invalid_value", words, param=param)
    return key


def address(connection: HTTPConnection) -> str:
    """Where the client is; over a Unix socket that is not known."""
    return connection.client.host if connection.client else "unknown"
