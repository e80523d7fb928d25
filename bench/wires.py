"""How sound goes over a WebSocket: the Realtime API, or binary messages as the peers like them best."""

import json
from typing import Protocol

import pybase64
from websockets.asyncio.client import ClientConnection

__all__ = ["Raw", "Realtime", "Wire"]


class Wire(Protocol):
    rate: int
    """Of what is sent, in samples a second."""

    def path(self) -> str: ...

    async def begin(self, socket: ClientConnection) -> None:
        """What is said before the first sound."""

    def frame(self, pcm: bytes) -> str | bytes:
        """A message with this sound in it."""

    def is_sound(self, message: bytes) -> bool:
        """Whether a message brings some of the answer's."""

    def is_cut(self, message: bytes) -> bool:
        """Whether a message says that the answer was interrupted."""


class Raw:
    """16-bit PCM each way. Text says that an answer was cut."""

    rate = 16_000

    def path(self) -> str:
        return "/"

    async def begin(self, socket: ClientConnection) -> None:
        pass

    def frame(self, pcm: bytes) -> bytes:
        return pcm

    def is_sound(self, message: bytes) -> bool:
        return len(message) > len(CUT) and any(message)  # some peers send silence while nothing is said

    def is_cut(self, message: bytes) -> bool:
        return message == CUT


CUT = b"cut"


class Realtime:
    """24 kHz PCM as base64 in JSON."""

    rate = 24_000

    def __init__(self, silence_ms: int) -> None:
        self._silence_ms = silence_ms

    def path(self) -> str:
        return "/v1/realtime?model=gpt-realtime"

    async def begin(self, socket: ClientConnection) -> None:
        detection = {"type": "server_vad", "silence_duration_ms": self._silence_ms}
        sound = {"format": {"type": "audio/pcm", "rate": self.rate}}
        session = {"type": "realtime", "audio": {"input": {**sound, "turn_detection": detection}, "output": sound}}
        await socket.send(json.dumps({"type": "session.update", "session": session}))
        while b'"session.updated"' not in await socket.recv(decode=False):
            pass

    def frame(self, pcm: bytes) -> str:
        audio = pybase64.b64encode_as_string(pcm)
        return f'{{"type":"input_audio_buffer.append","audio":"{audio}"}}'

    def is_sound(self, message: bytes) -> bool:
        return b'"response.output_audio.delta"' in message

    def is_cut(self, message: bytes) -> bool:
        return b'"response.done"' in message and b'"cancelled"' in message
