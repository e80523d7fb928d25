"""Speech that another server makes: passed on as it comes, and listened to, since its cost is seldom told with it."""

import asyncio
import binascii
from base64 import b64decode
from collections.abc import AsyncIterator, Mapping
from io import BytesIO
from typing import Any

import msgspec
from starlette.responses import Response, StreamingResponse

from vivavoce.audio import HOUSE_RATE
from vivavoce.backends.plain import Passed, Passes
from vivavoce.models.remote.sse import Events, TooLong
from vivavoce.protocol.wire.errors import ProtocolError
from vivavoce.server.v1.plain import lengths, sound
from vivavoce.server.v1.plain.asking import Asked
from vivavoce.server.v1.plain.visit import Visit

__all__ = ["passed_speech"]

MAX_KEPT = 16 * 1024 * 1024
"""Bytes of sound that are kept to see how long it was; 4096 characters take a few minutes."""


async def passed_speech(
    visit: Visit, backend: Passes, wanted: Asked, text: str, format: str, raw: Mapping[str, Any]
) -> Response:
    model = wanted.model or visit.service.options.plain_models["tts"]
    await visit.pays(model, wanted.agent)
    if "instructions" in raw and not wanted.may("instructions"):
        words = "The owner of this agent has fixed 'instructions'; leave it out."
        raise ProtocolError("field_locked", words, param="instructions")
    body = {name: value for name, value in raw.items() if name != "agent"}
    body |= {"model": model, "voice": wanted.voice or visit.service.options.voice or "alloy"}
    if wanted.speed is not None:
        body["speed"] = wanted.speed
    listening = _Listening(format)
    visit.stack.push_async_callback(_settle, visit, model, text, listening)
    passed = await visit.passed(backend, "/audio/speech", body)
    return StreamingResponse(_passed_on(passed, listening), headers={"Content-Type": passed.kind})


async def _passed_on(passed: Passed, listening: "_Listening") -> AsyncIterator[bytes]:
    hear = listening.event if "text/event-stream" in passed.kind else listening.sound
    async for chunk in passed.chunks:
        hear(chunk)
        yield chunk


class _Listening:
    """What came, as sound or as events with sound in them."""

    def __init__(self, format: str) -> None:
        self._format = format
        self._heard = bytearray()
        self._events = Events()
        self.usage: dict[str, Any] | None = None

    def sound(self, chunk: bytes) -> None:
        if len(self._heard) < MAX_KEPT:
            self._heard += chunk

    def event(self, chunk: bytes) -> None:
        try:
            for data in self._events.push(chunk):
                self._told(msgspec.json.decode(data))
        except (TooLong, msgspec.DecodeError, binascii.Error, TypeError, ValueError):
            return  # it is the client's to understand

    def seconds(self) -> float:
        """How long it was; takes a processor's time."""
        if self._format == "pcm":
            return len(self._heard) / 2 / HOUSE_RATE
        try:
            return sound.seconds(BytesIO(self._heard))
        except (sound.UnknownSound, sound.TooLong):
            return 0.0

    def _told(self, event: Mapping[str, Any]) -> None:
        if event.get("type") == "speech.audio.delta":
            self.sound(b64decode(event["audio"]))
        elif event.get("type") == "speech.audio.done" and isinstance(used := event.get("usage"), Mapping):
            self.usage = lengths.tokens_of(int(used["input_tokens"]), int(used["output_tokens"]))


async def _settle(visit: Visit, model: str, text: str, listening: _Listening) -> None:
    seconds = await asyncio.to_thread(listening.seconds)
    price = visit.service.options.prices.find(model)
    told = listening.usage if price is not None and not price.minute else None
    await visit.spoke(text, model, told or lengths.spoken(price, text, seconds), seconds)
