"""A client's WebSocket as a :class:`~vivavoce.protocol.frame.Line`: text messages in and out, audio as
base64 on the wire only (H-10).

Nothing is queued here on the way out: ``send`` waits until the server has room, which is its write
buffer of 64 KiB (asyncio's high-water mark) and one event. Who does not read for ``PATIENCE`` seconds
is disconnected. On the way in the server stops reading while a message waits to be received.
"""

import asyncio
from collections import deque
from collections.abc import Callable

from starlette.websockets import WebSocket, WebSocketDisconnect

from vivavoce.protocol.dialects import Dialect
from vivavoce.protocol.frame import FLUSH, HOLD, Closed, Frame
from vivavoce.protocol.wire.errors import ProtocolError
from vivavoce.transports.patient import within
from vivavoce.transports.refusal import binary, refusal

__all__ = ["WebSocketLine"]

PATIENCE = 10.0
"""Seconds a client may take to make room for one event."""
FAREWELL = 1.0
"""Seconds a close frame may take to leave; after that the socket is dropped without one."""
MAX_REASON = 123
"""Bytes of UTF-8 in a close frame's reason (RFC 6455, 5.5)."""
CUT = (1006, "The connection was cut.")

_UNSENDABLE = {1005: 1000, 1006: 1011, 1015: 1011}
"""Codes that only tell what happened (RFC 6455, 7.4.1), and what is sent in their place."""


class WebSocketLine:
    """``socket`` is accepted already; ``new_id`` makes ids for the error events this line answers with;
    ``patience`` is in seconds, by the event loop's clock."""

    def __init__(
        self, socket: WebSocket, dialect: Dialect, *, new_id: Callable[[], str], patience: float = PATIENCE
    ) -> None:
        self._socket = socket
        self._dialect = dialect
        self._new_id = new_id
        self._patience = patience
        self._received: deque[Frame] = deque()  # the rest of a message that holds several frames
        self._ended: tuple[int, str] | None = None
        self._waits: asyncio.Timeout | None = None
        """Of a sender who waits for room."""

    async def receive(self) -> Frame:
        self._raise_if_ended()
        while not self._received:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                self._end(_peer_close(message.get("code"), message.get("reason")))
                self._raise_if_ended()
            text = message.get("text")
            try:
                if text is None:
                    raise binary()
                self._received.extend(self._dialect.decode(text))
            except ProtocolError as error:
                await self.send(refusal(error, self._new_id()))
        return self._received.popleft()

    async def send(self, frame: Frame) -> None:
        self._raise_if_ended()
        if frame.type in (FLUSH, HOLD):  # a client on a WebSocket plays by itself; a notice tells it to hold
            return
        for text in self._dialect.encode(frame):
            try:
                sending = self._socket.send({"type": "websocket.send", "text": text})
                await within(self._patience, sending, self._note_limit)
                self._waits = None
            except TimeoutError:
                await self.close(1008, f"You read too slowly: an event waited {self._patience:g} s for room.")
            except (WebSocketDisconnect, RuntimeError):  # RuntimeError: receive() saw the end first
                self._end(CUT)
            self._raise_if_ended()

    async def close(self, code: int = 1000, reason: str = "") -> None:
        if self._ended is not None:
            return
        code = _UNSENDABLE.get(code, code)
        reason = reason.encode()[:MAX_REASON].decode(errors="ignore")
        self._end((code, reason))
        if self._waits is not None and not self._waits.expired():
            self._waits.reschedule(0)  # who waits for room need not wait any longer
        try:
            async with asyncio.timeout(FAREWELL):
                await self._socket.close(code, reason)
        except (TimeoutError, WebSocketDisconnect, RuntimeError):
            pass  # gone already, or not reading: the server drops the socket when its handler returns

    def _note_limit(self, limit: asyncio.Timeout) -> None:
        self._waits = limit

    def _end(self, ended: tuple[int, str]) -> None:
        self._ended = self._ended or ended  # the first end is the one that is told, ever after

    def _raise_if_ended(self) -> None:
        if self._ended is not None:
            raise Closed(*self._ended)


def _peer_close(code: int | None, reason: str | None) -> tuple[int, str]:
    """1005 is "no code": a peer that closes without one has ended normally, while uvicorn says 1005
    without a reason of a connection that broke."""
    if code is None or code == 1005:
        return CUT if reason is None else (1000, reason)
    return code, reason or ""
