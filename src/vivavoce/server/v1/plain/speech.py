"""``POST /v1/audio/speech``: a text, spoken, as it is made."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any, cast

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from vivavoce.audio import HOUSE_RATE
from vivavoce.audio.resample import Resampler
from vivavoce.backends.plain import Passes
from vivavoce.engine.clauses import Clauses
from vivavoce.models.interfaces import Tts
from vivavoce.protocol.wire.errors import ProtocolError
from vivavoce.protocol.wire.shape import check
from vivavoce.server.service import Service
from vivavoce.server.v1.client_secrets import read_json
from vivavoce.server.v1.plain import lengths
from vivavoce.server.v1.plain.asking import Asked, asked
from vivavoce.server.v1.plain.passed_speech import passed_speech
from vivavoce.server.v1.plain.sound import Encoder
from vivavoce.server.v1.plain.sound_shapes import MEDIA, Speech
from vivavoce.server.v1.plain.visit import Visit, visited

__all__ = ["speech"]


async def speech(service: Service, request: Request) -> Response:
    return await visited(_speech, service, request)


async def _speech(visit: Visit, request: Request) -> Response:
    raw = check(await visit.read(read_json(request)), dict[str, Any])
    wish = check(raw, Speech)
    output = {name: value for name, value in (("voice", wish.voice), ("speed", wish.speed)) if value is not None}
    session = {"audio": {"output": output}} if output else {}
    wanted = asked(visit.service, visit.principal, wish.model, session, wish.agent)
    visit.thread.belongs_to(wanted.agent)
    backend = visit.service.backend
    if isinstance(backend, Passes):
        return await passed_speech(visit, backend, wanted, wish.input, wish.response_format, raw)
    return await _spoken(visit, visit.senses.tts, wanted, wish)


async def _spoken(visit: Visit, tts: Tts, wanted: Asked, wish: Speech) -> Response:
    if wish.stream_format != "audio":
        raise ProtocolError("unsupported_parameter", "Here speech comes as 'audio' only.", param="stream_format")
    speed = wanted.speed or 1.0
    if speed > 1.5:
        raise ProtocolError("invalid_value", "The voice here speaks at a speed of 0.25 to 1.5.", param="speed")
    await visit.pays(tts.name, wanted.agent)
    making = _Making(tts, str(wanted.voice or visit.service.options.voice or "alloy"), speed)
    visit.stack.push_async_callback(_settle, visit, tts.name, wish.input, making)
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


async def _settle(visit: Visit, model: str, text: str, making: _Making) -> None:
    seconds = making.samples / HOUSE_RATE
    await visit.spoke(text, model, lengths.spoken(visit.service.options.prices.find(model), text, seconds), seconds)
