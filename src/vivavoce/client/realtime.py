"""A connection to a Realtime server as a :class:`~vivavoce.protocol.frame.Line`, over a WebSocket (H-01, H-10).

>>> async with connect("ws://127.0.0.1:7171/v1/realtime", model="gpt-realtime") as session:
...     created = await session.receive()          # session.created is always the first (O-01)
...     await session.send(Frame("response.create", {"type": "response.create"}))
"""

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import msgspec
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_websocket
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.typing import Subprotocol

from vivavoce import __version__
from vivavoce.access.loopback import is_loopback
from vivavoce.protocol.dialects import Dialect
from vivavoce.protocol.dialects.ga import Ga
from vivavoce.protocol.frame import Closed, Frame
from vivavoce.protocol.wire.errors import ProtocolError

__all__ = [
    "MAX_MESSAGE", "Late", "RealtimeSession", "Refused", "Unreachable", "connect", "dial", "error_object",
]  # fmt: skip

MAX_MESSAGE = 32 * 1024 * 1024
"""Bytes of one event (H-11)."""
ROOM_SECONDS = 10.0
"""How long a server may take to make room for one event."""
HEARTBEAT_SECONDS = 20.0
"""Between two pings, and until the answer to each: a server that is silent for both is gone."""
CLOSE_SECONDS = 2.0
"""How long a server may take to say good-bye."""
_NO_WAIT = 8 * 1024
"""Bytes on their way, below which a message never waits for room: a quarter of where writers are stopped. A timer
costs more than a small message does."""
_PROTOCOL_ERROR = 1002  # RFC 6455, 7.4.1


class Unreachable(Exception):
    """Nothing that speaks WebSocket is there. The message is for the user and holds no key."""


class Late(Unreachable):
    """It did not answer in time."""


class Refused(Exception):
    """The server answered the handshake with an HTTP error: ``status`` and its ``error`` object, if any. ``body``
    is what it was read from, ``request_id`` is by what the server would find it again, and ``retry_after`` the header
    of that name."""

    def __init__(
        self,
        status: int,
        error: Mapping[str, Any],
        body: bytes = b"",
        request_id: str | None = None,
        retry_after: str | None = None,
    ) -> None:
        super().__init__(error.get("message") or f"HTTP status {status}")
        self.status = status
        self.error = error
        self.body = body
        self.request_id = request_id
        self.retry_after = retry_after


class RealtimeSession:
    """The line to the server: ``receive`` gives its events, ``send`` takes a client's. A server that makes no room
    for an event within ``room`` seconds counts as gone."""

    def __init__(self, socket: ClientConnection, dialect: Dialect, *, room: float = ROOM_SECONDS) -> None:
        self._socket = socket
        self._dialect = dialect
        self._room = room
        self._received: deque[Frame] = deque()

    @property
    def request_id(self) -> str | None:
        """By what the server's people would find this session."""
        response = self._socket.response
        return response.headers.get("x-request-id") if response else None

    @property
    def subprotocol(self) -> str | None:
        """The one that the server has chosen of those it was offered."""
        return self._socket.subprotocol

    async def receive(self) -> Frame:
        while not self._received:
            try:
                self._received.extend(self._dialect.decode(await self._socket.recv(decode=False)))
            except ConnectionClosed as closed:
                raise _ended(closed) from None
            except ProtocolError as error:
                await self.close(_PROTOCOL_ERROR, "An event could not be read.")
                raise Closed(_PROTOCOL_ERROR, f"The server sent what is no event: {error.message}") from None
        return self._received.popleft()

    async def send(self, frame: Frame) -> None:
        for text in self._dialect.encode(frame):
            try:
                if self._socket.transport.get_write_buffer_size() + len(text) < _NO_WAIT:
                    await self._socket.send(text)
                else:
                    async with asyncio.timeout(self._room):
                        await self._socket.send(text)
            except ConnectionClosed as closed:
                raise _ended(closed) from None
            except TimeoutError:
                self._socket.transport.abort()
                raise Closed(1006, f"The server took no event for {self._room:g} s.") from None

    async def close(self, code: int = 1000, reason: str = "") -> None:
        await self._socket.close(code, reason)


@asynccontextmanager
async def connect(
    url: str,
    *,
    key: str | None = None,
    model: str | None = None,
    headers: Mapping[str, str] | None = None,
    trust: ssl.SSLContext | None = None,
    subprotocols: Sequence[str] = (),
    patience: float = 10.0,
) -> AsyncIterator[RealtimeSession]:
    """A session for the length of a ``with``; the parameters are :func:`dial`'s."""
    session = await dial(
        url, key=key, model=model, headers=headers, trust=trust, subprotocols=subprotocols, patience=patience
    )
    try:
        yield session
    finally:
        await session.close()


async def dial(
    url: str,
    *,
    key: str | None = None,
    model: str | None = None,
    headers: Mapping[str, str] | None = None,
    trust: ssl.SSLContext | None = None,
    subprotocols: Sequence[str] = (),
    patience: float = 10.0,
    room: float = ROOM_SECONDS,
    heartbeat: float = HEARTBEAT_SECONDS,
) -> RealtimeSession:
    """A session that the caller closes.

    ``url`` is the whole address (``wss://host/v1/realtime``; ``http`` and ``https`` are understood too). ``key`` goes
    into the ``Authorization`` header, ``model`` into the query; ``subprotocols`` are offered, the best first.
    ``patience`` is in seconds, until the server accepts; ``room`` until it takes an event, ``heartbeat`` between two
    pings. Raises :class:`Unreachable` and :class:`Refused`.
    """
    address = _address(url, model)
    sent = dict(headers or {}) | ({"Authorization": f"Bearer {key}"} if key else {})
    try:
        socket = await open_websocket(
            address,
            additional_headers=sent,
            subprotocols=[Subprotocol(name) for name in subprotocols] or None,
            user_agent_header=f"vivavoce/{__version__}",
            compression=None,  # base64 audio hardly shrinks, and each event would cost 50 µs
            max_size=MAX_MESSAGE,
            open_timeout=patience,
            close_timeout=CLOSE_SECONDS,
            ping_interval=heartbeat,
            ping_timeout=heartbeat,
            proxy=None if is_loopback(urlsplit(address).hostname or "") else True,
            ssl=trust,
        )
    except InvalidStatus as refused:
        response = refused.response
        body = bytes(response.body or b"")
        request_id, after = response.headers.get("x-request-id"), response.headers.get("retry-after")
        raise Refused(response.status_code, error_object(body), body, request_id, after) from None
    except InvalidHandshake as error:
        raise Unreachable(f"{_shown(address)} does not speak WebSocket: {error}.") from None
    except TimeoutError:
        raise Late(f"{_shown(address)} did not answer within {patience:g} s.") from None
    except (OSError, EOFError) as error:
        raise Unreachable(f"Nothing answers at {_shown(address)}: {_why(error)}.") from None
    return RealtimeSession(socket, Ga(), room=room)


def _address(url: str, model: str | None) -> str:
    parts = urlsplit(url)
    scheme = {"http": "ws", "https": "wss"}.get(parts.scheme, parts.scheme)
    if scheme not in ("ws", "wss") or not parts.hostname:
        raise Unreachable(f"{url!r} is not a ws:// or wss:// address.")
    query = parse_qsl(parts.query, keep_blank_values=True)
    if model:
        query = [pair for pair in query if pair[0] != "model"] + [("model", model)]
    path = parts.path.rstrip("/") or "/v1"  # the base address that SDKs take will do
    path += "/realtime" if path.endswith("/v1") else ""
    return urlunsplit((scheme, parts.netloc, path, urlencode(query), ""))


def _shown(address: str) -> str:
    """Without the query and user name, where people put secrets."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message})"
    if isinstance(error, ConnectionRefusedError):
        return "the connection was refused"
    return (getattr(error, "strerror", None) or str(error) or "the connection was cut").rstrip(".")


def error_object(body: bytes) -> Mapping[str, Any]:
    """The ``error`` of an HTTP refusal in the API's shape (H-45), empty where it has another."""
    try:
        error = msgspec.json.decode(body)["error"]
    except (msgspec.DecodeError, KeyError, TypeError, UnicodeDecodeError):
        return {}
    return error if isinstance(error, dict) else {}


def _ended(closed: ConnectionClosed) -> Closed:
    if closed.rcvd is None:
        return Closed(1006, "The connection was cut.")
    return Closed(closed.rcvd.code, closed.rcvd.reason)
