"""Who is asking: from the key that came with a request to a :class:`Principal`."""

from collections.abc import Callable

from vivavoce.access.grants import PREFIX, Grants
from vivavoce.access.jwt import JwtError, Tokens
from vivavoce.access.keys import PREFIX as KEY_PREFIX
from vivavoce.access.keys import GivenKeys, KeyRows
from vivavoce.access.principal import LOCAL, Principal, Scope
from vivavoce.access.sealing import Sealer
from vivavoce.access.shares import Share, ShareRows
from vivavoce.access.tokens import hash_of

__all__ = ["Gate", "Refused"]

MAX_KEY = 8192
"""Characters of a key; a JWT has some hundred."""
USED_SECONDS = 60.0
"""How exactly the last use of a key is kept."""


class Refused(Exception):
    """The key is not good for this; ``status`` is 401 (who are you?) or 403 (not with this key). The message
    is for the developer of the client and holds no key."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message

    @property
    def headers(self) -> dict[str, str]:
        return {"WWW-Authenticate": "Bearer"} if self.status == 401 else {}


class Gate:
    """Local mode is when nobody has been given anything to come in with: then any key or none will do. It ends for
    good, until the server is started again, with the first key, share link or token secret; with ``served`` there is
    none. ``given`` are the keys of VIVAVOCE_API_KEYS; ``now`` gives unix seconds."""

    def __init__(
        self,
        grants: Grants,
        keys: KeyRows,
        shares: ShareRows,
        sealer: Sealer,
        now: Callable[[], float],
        *,
        given: GivenKeys | None = None,
        tokens: Tokens | None = None,
        served: bool = False,
    ) -> None:
        self._grants, self._keys, self._shares, self._sealer, self._now = grants, keys, shares, sealer, now
        self._given = given or GivenKeys(())
        self._tokens = tokens
        self._closed = bool(served or self._given or tokens)

    async def demands(self) -> bool:
        """Whether one has to have a key: served mode."""
        if not self._closed:
            self._closed = await self._keys.any() or await self._shares.any()
        return self._closed

    async def enter(self, key: str | None, scope: Scope = "connect") -> Principal:
        """Who may open sessions: any principal. Raises :class:`Refused` (H-04)."""
        if key is not None and key.startswith(PREFIX):
            principal = await self._ephemeral(key)
        elif await self.demands():
            principal = await self._standard(key)
        else:
            principal = LOCAL
        if scope in principal.scopes:
            return principal
        if principal.grant is not None:
            raise Refused(403, "insufficient_scope", "An ephemeral key opens sessions and calls, and nothing else.")
        raise Refused(403, "insufficient_scope", f"This key has not the scope {scope!r}, which this takes.")

    async def enter_with_standard_key(self, key: str | None, scope: Scope = "connect") -> Principal:
        """Who may control calls: not an ephemeral key (H-36). Raises :class:`Refused`."""
        principal = await self.enter(key, scope)
        if principal.grant is not None:
            raise Refused(403, "insufficient_scope", "An ephemeral key opens sessions and calls, and nothing else.")
        return principal

    async def enter_with_share(self, token: str) -> Principal:
        """Who comes by a share link; it mints ephemeral keys, and nothing else. Raises :class:`Refused`."""
        if (share := await self._shares.find(hash_of(token[:MAX_KEY]))) is None:
            raise Refused(403, "share_invalid", "This link is not known here. Ask for a new one.")
        return self._sharing(share)

    async def still(self, principal: Principal) -> Principal:
        """The principal as it is now, some time after it came. Raises :class:`Refused` when what it came with has been
        revoked, has expired or is used up; the end of an ephemeral key or a JWT ends no session (H-34)."""
        kind, _, id = principal.name.partition(":")
        if kind == "share":
            share = await self._shares.get(id)
            if share is None:
                raise Refused(403, "share_invalid", "This link is no more.")
            return self._sharing(share)
        if kind == "key" and not self._given.has(principal.name):
            known = await self._keys.get(id)
            if known is None or not known.is_good(self._now()):
                raise Refused(401, "invalid_api_key", "The key that this goes back to has been revoked or has expired.")
        return principal

    async def _ephemeral(self, key: str) -> Principal:
        if (grant := await self._grants.find(key)) is None or (grant.parent == LOCAL.name and await self.demands()):
            raise Refused(
                401, "invalid_api_key",
                "This ephemeral key is unknown or has expired. Mint a fresh one with POST "
                "/v1/realtime/client_secrets right before you connect.",
            )  # fmt: skip
        parent = await self.still(Principal(grant.parent))
        return parent.with_grant(grant)

    async def _standard(self, key: str | None) -> Principal:
        if key is None:
            raise Refused(401, "missing_api_key", "This server wants a key: send 'Authorization: Bearer KEY'.")
        if len(key) <= MAX_KEY:
            if given := self._given.find(key):
                return given
            if key.startswith(KEY_PREFIX) and (stored := await self._stored(key)):
                return stored
            if self._tokens is not None and key.count(".") == 2:
                return await self._token(self._tokens, key)
        raise Refused(401, "invalid_api_key", "This server does not know the key that you sent.")

    async def _stored(self, key: str) -> Principal | None:
        known, now = await self._keys.find(hash_of(key)), self._now()
        if known is None or not known.is_good(now):
            return None
        if known.used_at is None or now - known.used_at >= USED_SECONDS:
            await self._keys.used(known.id, now)
        return known.principal()

    async def _token(self, tokens: Tokens, token: str) -> Principal:
        try:
            return await tokens.find(token)
        except JwtError as error:
            raise Refused(401, "invalid_token", f"The token that you sent is no good: {error}.") from None

    def _sharing(self, share: Share) -> Principal:
        if refusal := share.refusal(self._now()):
            raise Refused(403, "share_exhausted", refusal)
        if share.sealed_key is None:
            return share.principal(None)
        key = self._sealer.open(share.sealed_key, share.id.encode())
        if key is None:
            raise Refused(403, "share_invalid", "This link was made with a secret that this server no longer has.")
        return share.principal(key.decode())
