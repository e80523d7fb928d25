"""Headers that are too large are refused in words: status 431, before anything reads them.

Uvicorn hands an upgrade over to ``websockets``, which answers nothing at all to a line over 8 KB or to more than
128 of them.
"""

from collections.abc import Sequence

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

__all__ = ["MAX_HEADER", "MAX_HEADERS", "Protocol", "RefuseLargeHeaders"]

MAX_HEADER = 8 * 1024
"""Bytes of one header, name and value."""
MAX_HEADERS = 100

Headers = Sequence[tuple[bytes, bytes]]


def _too_large(headers: Headers) -> bool:
    return len(headers) > MAX_HEADERS or any(len(name) + len(value) > MAX_HEADER for name, value in headers)


class Protocol(H11Protocol):
    """An upgrade with headers that are too large is treated as a plain request, which the application refuses."""

    def _should_upgrade(self) -> bool:
        return super()._should_upgrade() and not _too_large(self.headers)


class RefuseLargeHeaders:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _too_large(scope["headers"]):
            words = f"A header is over {MAX_HEADER} bytes, or there are more than {MAX_HEADERS}. Is it a cookie?"
            error = {"message": words, "type": "invalid_request_error", "param": None, "code": "headers_too_large"}
            await JSONResponse({"error": error}, 431)(scope, receive, send)
        else:
            await self._app(scope, receive, send)
