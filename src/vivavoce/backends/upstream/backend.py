"""Sessions that another server of the Realtime API answers, with this server's key; clients never see it.

Over a WebSocket every event passes through here. A WebRTC call is *direct*: its offer is passed on, and its
media flows between the client and the upstream.
"""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import aiohttp

from vivavoce.backends.interface import BackendError, Relayed, SessionRequest
from vivavoce.backends.upstream.api import Api
from vivavoce.backends.upstream.refusals import late, strange, unreachable
from vivavoce.client.realtime import Late, Refused, Unreachable, dial
from vivavoce.protocol.frame import Line
from vivavoce.protocol.session.config import Defaults, Settings, defaults, echo
from vivavoce.protocol.wire.errors import ProtocolError
from vivavoce.protocol.wire.overlay import laid_over

__all__ = ["UpstreamBackend"]

OPEN_SECONDS = 10.0


class UpstreamBackend:
    """``url``: the API's base (``https://api.openai.com/v1``). ``key``: the server's, which goes nowhere but there;
    ``key_name`` says to people where it was set. ``session``: a session patch in GA's shape for what clients leave
    open, such as a voice."""

    name = "upstream"

    def __init__(
        self, url: str, key: str, *, key_name: str = "OPENAI_API_KEY", session: Mapping[str, Any] | None = None
    ) -> None:
        self._url = url.rstrip("/")
        self._key = key
        self._session = dict(session or {})
        self._api = Api(self._url, key, key_name)

    def __repr__(self) -> str:
        return f"UpstreamBackend({self._url!r})"

    def describe(self, request: SessionRequest) -> dict[str, Any]:
        """The API's defaults with the request's wishes laid over them; whether a wish can be granted is the upstream's
        to say, which may know more fields than we do (H-35)."""
        if request.config and request.config.get("type") != request.kind:
            raise ProtocolError(
                "invalid_value", "A session's type is 'realtime' or 'transcription'.", param="session.type"
            )
        base = echo(defaults(request.kind, Defaults()), Settings(request.session_id, request.model, expires_at=0))
        return laid_over(base, self._wishes(request))

    async def open(self, request: SessionRequest) -> Line:
        """Where the session begins with wishes they are bound to a secret first, so that ``session.created`` shows them
        already."""
        if request.media:
            raise BackendError.of(
                501, "A WebRTC call is passed on to the upstream and not carried by this server; connect by WebSocket.",
                code="media_not_carried",
            )  # fmt: skip
        key, wishes = self._key, self._wishes(request)
        if wishes:
            key = await self._api.mint(self._named(request, wishes))
        transcribes = request.kind == "transcription"
        address = self._url + "/realtime" + ("?intent=transcription" if transcribes else "")
        try:
            return await dial(address, key=key, model=None if transcribes else request.model, patience=OPEN_SECONDS)
        except Refused as refused:
            body = refused.body.decode(errors="replace")
            raise self._api.refused("/realtime", refused.status, body, refused.request_id) from None
        except Late:
            raise late(self._url, OPEN_SECONDS) from None
        except Unreachable as error:
            raise unreachable(self._url, str(error)) from None

    async def relay(self, offer: str, request: SessionRequest) -> Relayed:
        form = aiohttp.FormData()
        form.add_field("sdp", offer, content_type="application/sdp")
        session = json.dumps(self._named(request, self._wishes(request)))
        form.add_field("session", session, content_type="application/json")
        reply = await self._api.post(
            "/realtime/calls", data=form, facts=lambda answer: f"offer={len(offer)}B answer={len(answer)}B"
        )
        call = reply.headers.get("Location", "").rpartition("/")[2]
        if not reply.text.lstrip().startswith("v="):
            if call:
                await self.hang_up(call)  # nobody could speak on it (H-46)
            raise strange(self._url, "it answered the call with something that is not SDP")
        return Relayed(reply.text, call)

    async def hang_up(self, call: str) -> None:
        if not call:
            raise strange(self._url, "it did not name the call, which ends when the page hangs up")
        await self._api.post(f"/realtime/calls/{quote(call, safe='')}/hangup")

    async def close(self) -> None:
        await self._api.close()

    def _wishes(self, request: SessionRequest) -> dict[str, Any]:
        return laid_over(self._session, request.config or {})

    def _named(self, request: SessionRequest, wishes: Mapping[str, Any]) -> dict[str, Any]:
        """A whole ``session`` parameter: the type is required, a transcription session has no model of its own."""
        head = (
            {"type": request.kind} if request.kind == "transcription" else {"type": "realtime", "model": request.model}
        )
        return {**wishes, **head}
