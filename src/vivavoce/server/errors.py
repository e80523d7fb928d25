"""Every refusal in OpenAI's shape (H-45), with the status that says whose fault it is (H-46). What happened inside
is for the log, never for the answer."""

import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, NamedTuple

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vivavoce.access.gate import Refused
from vivavoce.access.grants import TooManyGrants
from vivavoce.access.limits import LimitsUnknown, OverLimit
from vivavoce.backends.interface import BackendError
from vivavoce.protocol.frame import Frame, Line
from vivavoce.protocol.wire.errors import ProtocolError
from vivavoce.sessions.capacity import Full, Overloaded
from vivavoce.sessions.hub import MAX_SIDES, TooManySides
from vivavoce.sessions.notices import LISTENERS, TooManyListeners
from vivavoce.sessions.registry import Draining

__all__ = ["CallNotFound", "Mishaps", "SessionNotFound", "Told", "answer", "handlers", "refuse_in_band", "tell"]

log = logging.getLogger(__name__)

AGAIN_SECONDS = 10
"""When to ask again, where nobody knows better."""


class CallNotFound(Exception):
    """No live call has this id (H-08)."""


class SessionNotFound(Exception):
    """There is none of this id that whoever asks may know of; or not that part of it, which is told in words."""

    def __init__(
        self, words: str = "There is no session of yours with this id.", code: str = "session_not_found"
    ) -> None:
        super().__init__(words)
        self.code = code


class Told(NamedTuple):
    status: int
    body: dict[str, Any]
    """The object under ``error``."""
    close: int = 4000
    """The code that closes a WebSocket for it (O-52)."""


def _body(message: str, code: str | None, type: str = "invalid_request_error") -> dict[str, Any]:
    return {"message": message, "type": type, "param": None, "code": code}


def _refused(error: Refused) -> Told:
    return Told(error.status, _body(error.message, error.code))


def _protocol(error: ProtocolError) -> Told:
    return Told(503 if error.code == "no_udp_port" else 400, error.body())


def _backend(error: BackendError) -> Told:
    return Told(error.status, error.body)


def _full(_: Full | Overloaded) -> Told:
    words = f"This server has as many sessions as it can serve well. Try again in {AGAIN_SECONDS} seconds."
    return Told(503, _body(words, "overloaded", "server_error"), 1013)


def _draining(_: Draining) -> Told:
    return Told(503, _body("The server is being stopped and takes no new sessions.", "stopping", "server_error"), 1001)


def _too_many_grants(_: TooManyGrants) -> Told:
    words = "Too many ephemeral keys are alive. Ask for keys that live shorter, or try again in a moment."
    return Told(429, _body(words, "key_limit_reached", "rate_limit_error"))


def _over_limit(error: OverLimit) -> Told:
    return Told(429, _body(str(error), "rate_limit_exceeded", "rate_limit_error"), 1013)


def _limits_unknown(_: LimitsUnknown) -> Told:
    words = "It cannot be told now how much of your limits is left. Try again in a moment."
    return Told(503, _body(words, "limits_unknown", "server_error"), 1013)


def _call_not_found(_: CallNotFound) -> Told:
    return Told(404, _body("No live call has this id; it may have ended.", "call_id_not_found"))


def _too_many_sides(_: TooManySides) -> Told:
    words = f"{MAX_SIDES} sockets listen to this call already; close one first."
    return Told(429, _body(words, "sideband_limit_reached", "rate_limit_error"), 1013)


def _session_not_found(error: SessionNotFound) -> Told:
    return Told(404, _body(str(error), error.code))


def _too_many_listeners(_: TooManyListeners) -> Told:
    words = f"{LISTENERS} listen to this session already; close one first."
    return Told(429, _body(words, "listener_limit_reached", "rate_limit_error"))


def _http(error: HTTPException) -> Told:
    words = {
        404: "There is nothing at this address. The API is at /v1/realtime.",
        405: "This address does not take this method.",
    }
    plain = HTTPStatus(error.status_code).phrase
    return Told(error.status_code, _body(words.get(error.status_code) or error.detail or plain, None))


_TOLD: dict[type[Exception], Callable[[Any], Told]] = {
    Refused: _refused,
    ProtocolError: _protocol,
    BackendError: _backend,
    Full: _full,
    Overloaded: _full,
    Draining: _draining,
    TooManyGrants: _too_many_grants,
    OverLimit: _over_limit,
    LimitsUnknown: _limits_unknown,
    CallNotFound: _call_not_found,
    TooManySides: _too_many_sides,
    SessionNotFound: _session_not_found,
    TooManyListeners: _too_many_listeners,
    HTTPException: _http,
}


def tell(error: Exception) -> Told:
    """What a client is told of ``error``. One that is not foreseen is our mistake: it is logged here."""
    for kind in type(error).__mro__:
        if told := _TOLD.get(kind):
            return told(error)
    log.error("not foreseen: %r", error, exc_info=error)
    words = "The server made a mistake. Its log says more."
    return Told(500, _body(words, "internal_error", "server_error"), 1011)


def answer(error: Exception) -> JSONResponse:
    told = tell(error)
    headers = {"Retry-After": str(AGAIN_SECONDS)} if told.status in (429, 503) else {}
    headers |= getattr(error, "headers", None) or {}
    return JSONResponse({"error": told.body}, told.status, headers)


async def refuse_in_band(line: Line, error: Exception, event_id: str) -> None:
    """For what is found after a WebSocket was accepted: an ``error`` event, then the close (H-09, O-52), since
    a browser shows a page nothing of an HTTP error. Raises :class:`Closed` when the client has gone."""
    told = tell(error)
    event = {"type": "error", "event_id": event_id, "error": {**told.body, "event_id": None}}
    await line.send(Frame("error", event))
    await line.close(told.close, f"{told.body['type']}.{told.body['code']}")


class Mishaps:
    """Answers what no handler foresaw, inside the middleware that makes answers readable for other origins."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = scope["type"] != "http"

        async def send_and_note(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, send if begun else send_and_note)  # a socket sends all the time
        except Exception as error:
            if begun:
                raise
            await answer(error)(scope, receive, send)


def handlers() -> dict[Any, Callable[[Request, Exception], JSONResponse]]:
    """For Starlette: each kind of refusal."""
    return dict.fromkeys(_TOLD, lambda _request, error: answer(error))
