"""The events of a call: text messages on the data channel ``oai-events``, which the caller makes (W-01, W-02)."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from aiortc import RTCDataChannel

from vivavoce.protocol.dialects import Dialect
from vivavoce.protocol.frame import Frame
from vivavoce.protocol.wire.errors import ProtocolError
from vivavoce.transports.refusal import binary, refusal

__all__ = ["LABEL", "MAX_MESSAGE", "Events"]

LABEL = "oai-events"
MAX_MESSAGE = 262_144
"""Bytes of a message from the caller, as the answer says in ``a=max-message-size`` (W-11)."""
MAX_UNSENT = 1024 * 1024
"""Bytes of messages on their way; who sends more waits."""
PATIENCE = 10.0
"""Seconds a caller may take to make room for one message."""
FAREWELL = 1.0
"""Seconds a closing channel may take to deliver what was sent before."""


class Events:
    """The channel as events: what is sent before it is open waits for it, what is no event is refused, and
    what is too large for the caller is made smaller or named instead."""

    def __init__(self, dialect: Dialect, message_size: int, new_id: Callable[[], str]) -> None:
        self._dialect = dialect
        self._message_size = message_size
        self._new_id = new_id
        self._channel: RTCDataChannel | None = None
        self._moved = asyncio.Event()  # opened, room made, or closed
        self._over = False

    def attach(self, channel: RTCDataChannel, heard: Callable[[str | bytes], None], closed: Callable[[], None]) -> None:
        """The caller's channel is there, and open."""
        self._channel = channel
        channel.bufferedAmountLowThreshold = MAX_UNSENT // 2
        channel.on("bufferedamountlow", self._moved.set)
        channel.on("message", heard)
        channel.on("close", self.stop)
        channel.on("close", closed)
        self._moved.set()

    @property
    def attached(self) -> bool:
        return self._channel is not None

    def stop(self) -> None:
        """Lets nobody wait any longer: what is sent from now on is lost."""
        self._over = True
        self._moved.set()

    def read(self, message: str | bytes) -> list[Frame]:
        """Raises :class:`ProtocolError` for what is no event."""
        if isinstance(message, bytes):
            raise binary()
        if len(message) > MAX_MESSAGE:
            raise ProtocolError(
                "invalid_value",
                f"The message has {len(message)} characters, and a data channel carries {MAX_MESSAGE}: "
                "send images and long texts over a WebSocket to the same call.",
            )
        return self._dialect.decode(message)

    async def send(self, frame: Frame) -> None:
        """Raises ``TimeoutError`` when the caller makes no room in time."""
        while self._channel is None and not self._over:
            await self._move()
        for text in self._fitting(frame):
            async with asyncio.timeout(PATIENCE):
                while not self._over and self._channel is not None and self._channel.bufferedAmount > MAX_UNSENT:
                    await self._move()
            if self._channel is not None and self._channel.readyState == "open":
                self._channel.send(text)

    def refusal(self, error: ProtocolError) -> Frame:
        return refusal(error, self._new_id())

    async def close(self) -> None:
        """Closes the channel once what was sent has left, within :data:`FAREWELL` seconds."""
        if self._over or self._channel is None or self._channel.readyState != "open":
            return
        self._channel.close()
        try:
            async with asyncio.timeout(FAREWELL):
                while not self._over:
                    await self._move()
        except TimeoutError:
            pass

    async def _move(self) -> None:
        self._moved.clear()
        await self._moved.wait()

    def _fitting(self, frame: Frame) -> list[str]:
        texts = self._dialect.encode(frame)
        if all(self._fits(text) for text in texts):
            return texts
        texts = self._dialect.encode(Frame(frame.type, _without_audio(frame.data)))
        if all(self._fits(text) for text in texts):
            return texts
        too_large = ProtocolError(
            "event_too_large",
            f"A {frame.type} event is larger than the {self._message_size} bytes that your data channel takes in "
            "one message, so it was left out: listen over a WebSocket to the same call.",
            type="server_error",
        )
        return self._dialect.encode(self.refusal(too_large))

    def _fits(self, text: str) -> bool:
        limit = self._message_size  # 0: any size
        return not limit or len(text) * 4 <= limit or len(text.encode()) <= limit


def _without_audio(data: Mapping[str, Any]) -> dict[str, Any]:
    """An item's sound is the largest thing an event holds, and here it has been heard on the track (W-12)."""
    item = data.get("item")
    if not isinstance(item, Mapping):
        return dict(data)
    content = [{key: value for key, value in part.items() if key != "audio"} for part in item.get("content") or []]
    return {**data, "item": {**item, "content": content}}
