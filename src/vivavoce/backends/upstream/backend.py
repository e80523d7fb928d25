"""Sessions that another server of the Realtime API answers, with this server's key or the user's; clients never see it.

Over a WebSocket every event passes through here. A WebRTC call is *bridged* (our call, the upstream's WebSocket: all
of it passes through here as well) or *direct* (the offer is passed on, and we listen beside the call).
"""

import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Literal
from urllib.parse import urlencode

from vivavoce.backends.history import History
from vivavoce.backends.interface import DirectLine, Relayed, SessionRequest
from vivavoce.backends.plain import Passed
from vivavoce.backends.upstream.api import Api
from vivavoce.backends.upstream.bridge import Bridge, without_formats
from vivavoce.backends.upstream.direct import Direct
from vivavoce.backends.upstream.line import UpstreamLine
from vivavoce.backends.upstream.patience import Patience, patiently
from vivavoce.backends.upstream.place import Flavour, Place
from vivavoce.backends.upstream.refusals import Key, late, strange, unreachable
from vivavoce.backends.upstream.retelling import retell
from vivavoce.client.realtime import Late, Refused, Unreachable, dial
from vivavoce.engine.ids import random_id
from vivavoce.protocol.frame import Closed, Line
from vivavoce.protocol.session.config import Defaults, Settings, defaults, echo
from vivavoce.protocol.session.session import LONGEST_SECONDS
from vivavoce.protocol.wire.errors import ProtocolError
from vivavoce.protocol.wire.overlay import laid_over

__all__ = ["UpstreamBackend", "WebRtc"]

log = logging.getLogger(__name__)

WebRtc = Literal["auto", "bridged", "direct"]


class UpstreamBackend:
    """``url``: the API's base (``https://api.openai.com/v1``, ``https://NAME.openai.azure.com``). ``key``: the
    server's, which goes nowhere but there; ``key_name`` says to people where it was set. ``session``: a session patch
    in GA's shape for what clients leave open, such as a voice. ``webrtc``: how calls are carried; ``auto`` is direct
    where nothing has to hold against the client and the upstream lets us listen. ``new_id(prefix)`` makes ids."""

    name = "upstream"
    keeps_time = False

    def __init__(
        self,
        url: str,
        key: str,
        *,
        key_name: str = "OPENAI_API_KEY",
        session: Mapping[str, Any] | None = None,
        flavour: Flavour = "auto",
        webrtc: WebRtc = "auto",
        patience: Patience | None = None,
        new_id: Callable[[str], str] = random_id,
    ) -> None:
        self._place, self._patience = Place.of(url, flavour), patience or Patience()
        self._key = Key(key, key_name)
        self._session = dict(session or {})
        self._webrtc, self._listens = webrtc, True
        self._new_id = new_id
        self._api = Api(self._place, self._patience)

    def __repr__(self) -> str:
        return f"UpstreamBackend({self._place.url!r})"

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
        key, wishes = self._key_of(request), self._wishes(request)
        if request.media:
            wishes = without_formats(wishes)
        shown = self._place.shown(key.value)
        if wishes:
            shown = self._place.shown_secret(await self._api.mint(_named(request, wishes), key))
        query = {"intent": "transcription"} if request.kind == "transcription" else {"model": request.model}
        line = await patiently(self._patience, lambda: self._dial(query, shown, key))
        if request.history and request.history.items:
            await self._retell(line, request.history)
        return Bridge.open(line, self._new_id) if request.media else line

    async def _retell(self, line: UpstreamLine, history: History) -> None:
        try:
            await retell(line, history.items, self._patience.retold)
        except BaseException as error:
            await line.close()
            if isinstance(error, Closed):
                raise strange(self._place.url, "it did not take what was said before") from None
            raise

    def direct(self, request: SessionRequest) -> bool:
        return self._webrtc == "direct" or (self._webrtc == "auto" and self._listens and not request.guarded)

    async def relay(self, offer: str, request: SessionRequest) -> Relayed:
        key = self._key_of(request)
        placed = await self._api.place_call(offer, _named(request, self._wishes(request)), key)
        if not placed.call:
            self._deaf()
            raise strange(self._place.url, "it did not name the call, so nobody here could end it")
        return Relayed(placed.sdp, placed.call, self._line(placed.call, key, LONGEST_SECONDS, missed=False))

    def attach(self, call: str, *, seconds: float) -> DirectLine:
        return self._line(call, self._key, seconds, missed=True)

    def passed(
        self, method: str, path: str, *, upstream_key: str | None, body: Mapping[str, Any] | None = None
    ) -> AbstractAsyncContextManager[Passed]:
        key = Key(upstream_key, None) if upstream_key else self._key
        return self._api.stream(method, path, key, body)

    async def close(self) -> None:
        await self._api.close()

    def _line(self, call: str, key: Key, seconds: float, *, missed: bool) -> Direct:
        return Direct(
            lambda: self._dial({"call_id": call}, self._place.shown(key.value), key),
            lambda: self._api.hang_up(call, key),
            self._patience,
            seconds=seconds,
            missed=missed,
            untapped=self._deaf,
        )

    def _deaf(self) -> None:
        """This upstream lets nobody listen beside a call: further ones are carried here, unless they may not be."""
        self._listens = False

    async def _dial(self, query: Mapping[str, str], shown: Mapping[str, str], key: Key) -> UpstreamLine:
        path, patience = "/realtime", self._patience
        address = f"{self._place.url}{path}?{urlencode(query)}"
        try:
            line = await dial(
                address, headers=shown, patience=patience.open, room=patience.room, heartbeat=patience.heartbeat
            )
        except Refused as refused:
            body = refused.body.decode(errors="replace")
            raise self._api.refused(
                path, refused.status, body, refused.request_id, key, retry_after=refused.retry_after
            ) from None
        except Late:
            log.warning("upstream late path=%s", path)
            raise late(self._place.url, patience.open) from None
        except Unreachable as error:
            log.warning("upstream unreachable path=%s why=%s", path, error)
            raise unreachable(self._place.url, str(error)) from None
        log.info("upstream opened path=%s request_id=%s", path, line.request_id)
        return UpstreamLine(line, new_id=lambda: self._new_id("event"), request_id=line.request_id)

    def _key_of(self, request: SessionRequest) -> Key:
        return Key(request.upstream_key, None) if request.upstream_key else self._key

    def _wishes(self, request: SessionRequest) -> dict[str, Any]:
        return laid_over(self._session, request.config or {})


def _named(request: SessionRequest, wishes: Mapping[str, Any]) -> dict[str, Any]:
    """A whole ``session`` parameter: the type is required, a transcription session has no model of its own."""
    head = {"type": request.kind} if request.kind == "transcription" else {"type": "realtime", "model": request.model}
    return {**wishes, **head}
