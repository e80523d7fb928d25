"""Who may reach the server at all, before any key counts: this machine's own pages, and the sites on the list.

A page on the web can make a browser send requests here, and can point a name of its own at 127.0.0.1. The
first shows in ``Origin``, the second in ``Host``; both are checked on every request and every WebSocket.
"""

import ipaddress
import logging
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from vivavoce.access.gate import Refused
from vivavoce.access.loopback import is_loopback
from vivavoce.server.errors import Mishaps, answer
from vivavoce.server.headers import RefuseLargeHeaders

__all__ = ["MAX_BODY", "middleware"]

MAX_BODY = 1024 * 1024
"""Bytes in the body of one request. An SDP offer has a few thousand; a session's tools may have many more."""
LARGER = {"/v1/chat/completions": 16 * MAX_BODY, "/v1/audio/transcriptions": 26 * MAX_BODY}
"""Where images and recordings come in; of a recording OpenAI takes 25 MB."""

PREFLIGHT_SECONDS = 600
MOST_TOLD = 100
"""Refused sites that the log names, so that nobody fills it."""

log = logging.getLogger(__name__)


def middleware(host: str, allow_origins: Collection[str], public_url: str | None = None) -> list[Middleware]:
    """In the order in which a request meets them."""
    return [
        Middleware(RefuseLargeHeaders),
        Middleware(Guard, host=host, allow_origins=allow_origins, public_url=public_url),
        Middleware(
            CORSMiddleware,
            allow_origins=list(allow_origins),
            allow_methods=["GET", "POST", "PATCH", "DELETE"],
            allow_headers=["*"],  # a listed site is trusted; H-18 names the least that clients send
            expose_headers=["Location", "X-Vivavoce-Session"],
            allow_private_network=True,
            max_age=PREFLIGHT_SECONDS,
        ),
        Middleware(SafeHeaders, frame_ancestors=allow_origins),
        Middleware(Mishaps),
        Middleware(BodyLimit),
    ]


class Guard:
    """Refuses a ``Host`` that is neither this machine's nor the bound one, and an ``Origin`` that is
    neither the page's own server nor on the list.

    Whoever is bound to more than this machine is called by its addresses too, which nobody can point elsewhere; by a
    name only as ``public_url``, since a name is what a stranger's name server can lie about."""

    def __init__(self, app: ASGIApp, host: str, allow_origins: Collection[str], public_url: str | None) -> None:
        self._app = app
        public = urlsplit(public_url or "")
        self._names = {host.lower(), "localhost", public.hostname or "localhost"}
        self._by_address = not is_loopback(host)
        own = {f"{public.scheme}://{public.netloc}".lower()} if public_url else set()
        self._origins = frozenset(allow_origins) | own
        self._told: set[str] = set()
        """Sites whose refusal is in the log; their pages see nothing of it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or (refused := self._judge(scope)) is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await WebSocket(scope, receive, send).send_denial_response(answer(refused))
        else:
            await answer(refused)(scope, receive, send)

    def _judge(self, scope: Scope) -> Refused | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "").lower()
        if not self._is_ours(host):
            return Refused(
                403, "host_not_allowed",
                "This server is not known by that name; open it as http://localhost with its port, or start it with "
                "--public-url and the name.",
            )  # fmt: skip
        origin = headers.get("origin")
        if origin is None or origin in self._origins or origin == _own_origin(scope["scheme"], host):
            return None
        self._tell(origin)
        return Refused(
            403, "origin_not_allowed",
            "This server does not know the site that asks. Start it with --allow-origin and the site's origin.",
        )  # fmt: skip

    def _tell(self, origin: str) -> None:
        if origin not in self._told and len(self._told) < MOST_TOLD:
            self._told.add(origin)
            log.warning("the site %.200r was refused; to let it in, start with --allow-origin and its address", origin)

    def _is_ours(self, host: str) -> bool:
        name = _without_port(host)
        if name in self._names or name.endswith(".localhost") or is_loopback(name):
            return True
        return self._by_address and _is_address(name)


def _own_origin(scheme: str, host: str) -> str:
    return f"{scheme.replace('ws', 'http')}://{host}"


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


class SafeHeaders:
    """What keeps a page of ours from running, or being framed or read by, anything that is not ours. ``Pages`` lets
    other sites load the orb."""

    def __init__(self, app: ASGIApp, frame_ancestors: Collection[str]) -> None:
        self._app = app
        ancestors = " ".join(["'self'", *frame_ancestors])
        self._headers = {
            "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
            f"form-action 'none'; frame-ancestors {ancestors}",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Permissions-Policy": "microphone=(self)",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_safely if scope["type"] == "http" else send)


class BodyLimit:
    """Stops reading a body that grows beyond its limit. Starlette's own would answer in plain text (H-45)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        read, most = 0, LARGER.get(scope.get("path", ""), MAX_BODY)

        async def receive_some() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > most:
                raise HTTPException(413, f"The body has more than {most} bytes.", {"Connection": "close"})
            return message

        await self._app(scope, receive_some if scope["type"] == "http" else receive, send)
