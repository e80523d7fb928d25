"""End users of an app that has its own log-in: they come with a signed token (JWT, RFC 7519) of the app's.

Either both sides know a secret (HS256), or the app's public keys are fetched from where it publishes them (JWKS,
RFC 7517). Which signatures are taken is ours to say, never the token's.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Protocol

import jwt
from jwt.types import Options

from vivavoce.access.principal import Principal

__all__ = ["JwtError", "PublishedKeys", "Secret", "Tokens"]

ASYMMETRIC: Final = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
LEEWAY: Final = 30.0
"""Seconds by which two clocks may differ."""
FRESH_SECONDS: Final = 3600.0
"""How long fetched keys are good."""
RETRY_SECONDS: Final = 30.0
"""The least time between two fetches, so that nobody makes us ask by sending unknown key ids."""
MAX_NAME: Final = 256
"""Characters in the name of a user."""

_NO_CLAIM_CHECKS: Final[Options] = {
    "verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False, "verify_iss": False,
    "verify_sub": False, "verify_jti": False,
}  # fmt: skip
"""Times are checked by our own clock, and the other claims with words of ours."""


class JwtError(Exception):
    """The token is no good. The message says why, for the app's developer, and holds none of it."""


class Verifying(Protocol):
    """Where the key for a token comes from, and the algorithms that go with it."""

    algorithms: list[str]

    async def key(self, header: Mapping[str, Any]) -> Any:
        """Raises :class:`JwtError`."""


class Secret:
    """HS256 with a secret that both sides know."""

    algorithms: list[str] = ["HS256"]  # noqa: RUF012 - read only

    def __init__(self, secret: str) -> None:
        self._secret = secret

    async def key(self, header: Mapping[str, Any]) -> str:
        return self._secret


class PublishedKeys:
    """Public keys that ``fetch`` gets as a JWKS object; what it raises is taken for "not to be had now". ``now`` gives
    seconds. Keys are fetched anew when they are old, or when a token names one that is not among them."""

    algorithms = ASYMMETRIC

    def __init__(self, fetch: Callable[[], Awaitable[Mapping[str, Any]]], now: Callable[[], float]) -> None:
        self._fetch, self._now = fetch, now
        self._keys: dict[str | None, jwt.PyJWK] = {}
        self._fetched_at = self._tried_at = float("-inf")
        self._fetching = asyncio.Lock()

    async def key(self, header: Mapping[str, Any]) -> jwt.PyJWK:
        id = header.get("kid")
        async with self._fetching:  # who waits here finds what the first one fetched
            if self._now() - self._fetched_at >= FRESH_SECONDS or not self._has(id):
                await self._refresh()
        if not self._has(id):
            raise JwtError("no published key has the id that the token names")
        return self._keys[id] if id is not None else next(iter(self._keys.values()))

    def _has(self, id: object) -> bool:
        """A token need not name its key where there is one alone."""
        return id in self._keys if id is not None else len(self._keys) == 1

    async def _refresh(self) -> None:
        if self._now() - self._tried_at < RETRY_SECONDS:
            return
        self._tried_at = self._now()
        try:
            published = await self._fetch()
            self._keys = {key.key_id: key for key in jwt.PyJWKSet.from_dict(dict(published)).keys}
            self._fetched_at = self._now()
        except Exception as error:
            if not self._keys:  # else the old ones are better than none
                raise JwtError(f"the keys to check it with cannot be fetched: {error}") from None


class Tokens:
    """From a token to its principal. ``now`` gives unix seconds; ``audience`` and ``issuer`` must be the token's
    ``aud`` and ``iss``, where they are set."""

    def __init__(
        self,
        verifying: Verifying,
        now: Callable[[], float],
        *,
        audience: str | None = None,
        issuer: str | None = None,
    ) -> None:
        self._verifying, self._now, self._audience, self._issuer = verifying, now, audience, issuer

    async def find(self, token: str) -> Principal:
        """Raises :class:`JwtError`."""
        claims = await self._signed(token)
        expires_at = self._check_times(claims)
        if self._issuer is not None and claims.get("iss") != self._issuer:
            raise JwtError("its issuer (iss) is not the one that this server takes")
        named = claims.get("aud")
        if self._audience is not None and self._audience not in (named if isinstance(named, list) else [named]):
            raise JwtError("it is not meant for this server: its audience (aud) is another")
        user = claims.get("sub")
        if not isinstance(user, str) or not 0 < len(user) <= MAX_NAME:
            raise JwtError(f"it names no user: 'sub' is a text of 1 to {MAX_NAME} characters")
        return Principal(f"user:{user}", frozenset({"connect", "mint"}), expires_at=expires_at)

    async def _signed(self, token: str) -> Mapping[str, Any]:
        try:
            key = await self._verifying.key(jwt.get_unverified_header(token))
            claims: Mapping[str, Any] = jwt.decode(
                token, key, algorithms=self._verifying.algorithms, options=_NO_CLAIM_CHECKS
            )
        except jwt.InvalidSignatureError:
            raise JwtError("its signature does not fit; is it signed with the right key?") from None
        except jwt.InvalidAlgorithmError:
            taken = ", ".join(self._verifying.algorithms)
            raise JwtError(f"it is signed in a way that is not taken here; these are: {taken}") from None
        except (jwt.PyJWTError, ValueError):
            raise JwtError("it cannot be read as a JSON Web Token") from None
        return claims

    def _check_times(self, claims: Mapping[str, Any]) -> float:
        now, times = self._now(), {}
        for name in ("exp", "nbf"):
            value = claims.get(name)
            if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
                raise JwtError(f"its '{name}' is no number")
            times[name] = value
        if times["exp"] is None:
            raise JwtError("it never expires; give it an 'exp', a few minutes ahead")
        if now >= times["exp"] + LEEWAY:
            raise JwtError("it has expired; get a fresh one from your app")
        if times["nbf"] is not None and now < times["nbf"] - LEEWAY:
            raise JwtError("it is not valid yet (nbf); are both clocks right?")
        return float(times["exp"]) + LEEWAY
