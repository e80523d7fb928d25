"""``POST /v1/audio/speech``: a text, spoken, as it is made."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from io import BytesIO
from typing import Annotated, Any, Literal, cast

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from vivavoce.audio import HOUSE_RATE
from vivavoce.audio.resample import Resampler
from vivavoce.backends.plain import Passed, Passes
from vivavoce.engine.clauses import Clauses
from vivavoce.models.interfaces import Tts
from vivavoce.protocol.wire.errors import ProtocolError
from vivavoce.protocol.wire.shape import check
from vivavoce.server.service import Service
from vivavoce.server.v1.client_secrets import read_json
from vivavoce.server.v1.plain.asking import Asked, asked
from vivavoce.server.v1.plain.sound import MEDIA, Encoder, Format, TooLong, UnknownSound, seconds
from vivavoce.server.v1.plain.visit import Visit, visited

__all__ = ["Speech", "speech"]

MAX_MEASURED = 16 * 1024 * 1024
"""Bytes of an upstream's sound that are kept to see how long it was."""


class Speech(msgspec.Struct, kw_only=True):
    input: Annotated[str, Meta(min_length=1, max_length=4096)]
    voice: Annotated[str, Meta(max_length=256)] | dict[str, Any] | None = None
    model: Annotated[str, Meta(max_length=256)] = ""
    """``agent:NAME`` speaks with an agent's voice."""
    response_format: Format = "mp3"
    speed: Annotated[float, Meta(ge=0.25, le=4.0)] | None = None
    stream_format: Literal["audio", "sse"] = "audio"
    agent: str | None = None


async def speech(service: Service, request: Request) -> Response:
    return await visited(_speech, service, request)


async def _speech(visit: Visit, request: Request) -> Response:
    raw = check(await visit.read(read_json(request)), dict[str, Any])
    wish = check(raw, Speech)
    output = {name: value for name, value in (("voice", wish.voice), ("speed", wish.speed)) if value is not None}
    session = {"audio": {"output": output}} if output else {}
    wanted = asked(visit.service, visit.principal, wish.model, session, wish.agent)
    visit.thread.belongs_to(wanted.agent)
    await visit.thread.speak(wish.input)
    backend = visit.service.backend
    if isinstance(backend, Passes):
        return await _passed(visit, backend, wanted, wish, raw)
    return await _spoken(visit, visit.senses.tts, wanted, wish)


# The voice of this process ---------------------------------------------------------------------------


async def _spoken(visit: Visit, tts: Tts, wanted: Asked, wish: Speech) -> Response:
    if wish.stream_format != "audio":
        raise ProtocolError("unsupported_parameter", "Here speech comes as 'audio' only.", param="stream_format")
    speed = wanted.speed or 1.0
    if speed > 1.5:
        raise ProtocolError("invalid_value", "The voice here speaks at a speed of 0.25 to 1.5.", param="speed")
    await visit.pays(tts.name, wanted.agent)
    making = _Making(tts, str(wanted.voice or visit.service.options.voice or "alloy"), speed)
    visit.stack.push_async_callback(_settle, visit, tts.name, making)
    sound = making.sound(wish.input)
    visit.stack.push_async_callback(sound.aclose)
    first = await visit.unless_gone(_next(sound))
    return StreamingResponse(
        _encoded(first, sound, Encoder(wish.response_format, HOUSE_RATE)), media_type=MEDIA[wish.response_format]
    )


class _Making:
    def __init__(self, tts: Tts, voice: str, speed: float) -> None:
        self._tts, self._voice, self._speed = tts, voice, speed
        self.samples = 0
        """Of 24 kHz, made so far."""

    async def sound(self, text: str) -> AsyncGenerator[bytes, None]:
        """24 kHz PCM, a clause after the other."""
        clauses = Clauses()
        for clause in [*clauses.push(text), clauses.finish()]:
            resampler = Resampler(self._tts.rate, HOUSE_RATE)
            spoken = cast(AsyncGenerator[bytes, None], self._tts.speak(clause.strip(), self._voice, self._speed))
            try:
                async for chunk in spoken:
                    yield self._made(resampler.push(chunk))
            finally:
                await spoken.aclose()
            yield self._made(resampler.finish())

    def _made(self, pcm: bytes) -> bytes:
        self.samples += len(pcm) // 2
        return pcm


async def _next(sound: AsyncIterator[bytes]) -> bytes:
    return await anext(sound, b"")


async def _encoded(first: bytes, sound: AsyncIterator[bytes], encoder: Encoder) -> AsyncIterator[bytes]:
    yield await asyncio.to_thread(encoder.push, first)
    async for pcm in sound:
        if pcm and (ready := await asyncio.to_thread(encoder.push, pcm)):
            yield ready
    yield await asyncio.to_thread(encoder.finish)


async def _settle(visit: Visit, model: str, making: _Making) -> None:
    await visit.charge("speech", model, _duration(making.samples / HOUSE_RATE))


# The voice of another server -------------------------------------------------------------------------


async def _passed(visit: Visit, backend: Passes, wanted: Asked, wish: Speech, raw: Mapping[str, Any]) -> Response:
    model = wanted.model or visit.service.options.plain_models["tts"]
    await visit.pays(model, wanted.agent)
    if wanted.agent and wanted.agent.locked and "instructions" in raw and not wanted.may("instructions"):
        words = "The owner of this agent has fixed 'instructions'; leave it out."
        raise ProtocolError("field_locked", words, param="instructions")
    body = {name: value for name, value in raw.items() if name != "agent"}
    body |= {"model": model, "voice": wanted.voice or visit.service.options.voice or "alloy"}
    if wanted.speed is not None:
        body["speed"] = wanted.speed
    heard = bytearray()
    visit.stack.push_async_callback(_measure, visit, model, wish, heard)
    passing = backend.passed("POST", "/audio/speech", upstream_key=visit.principal.upstream_key, body=body)
    passed = await visit.unless_gone(visit.stack.enter_async_context(passing))
    return StreamingResponse(_listened(passed, heard), media_type=passed.kind)


async def _listened(passed: Passed, heard: bytearray) -> AsyncIterator[bytes]:
    async for chunk in passed.chunks:
        if len(heard) < MAX_MEASURED:
            heard += chunk
        yield chunk


async def _measure(visit: Visit, model: str, wish: Speech, heard: bytearray) -> None:
    """The upstream tells no usage with the sound: it is charged by its length."""
    if wish.stream_format == "sse":
        await visit.charge("speech", model, None)
        return
    try:
        pcm = wish.response_format == "pcm"
        length = len(heard) / 2 / HOUSE_RATE if pcm else await asyncio.to_thread(seconds, BytesIO(heard))
    except (UnknownSound, TooLong):
        length = 0.0
    await visit.charge("speech", model, _duration(length))


def _duration(length: float) -> dict[str, Any]:
    return {"type": "duration", "seconds": round(length, 3)}
