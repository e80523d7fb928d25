"""``POST /v1/audio/transcriptions``: a recording, in words."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import msgspec
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from vivavoce.audio import HOUSE_RATE
from vivavoce.audio.resample import convert
from vivavoce.backends.plain import File, Passes
from vivavoce.engine.senses import Senses
from vivavoce.models.interfaces import Hints
from vivavoce.protocol.wire.errors import ProtocolError
from vivavoce.protocol.wire.shape import check
from vivavoce.server.service import Service
from vivavoce.server.v1.plain import lengths
from vivavoce.server.v1.plain.asking import Asked, asked
from vivavoce.server.v1.plain.cutting import LONGEST, Piece, pieces
from vivavoce.server.v1.plain.events import EventStream, event
from vivavoce.server.v1.plain.passed_chat import whole
from vivavoce.server.v1.plain.sound import MAX_SECONDS, TooLong, UnknownSound, decoded, seconds
from vivavoce.server.v1.plain.sound_shapes import Transcription
from vivavoce.server.v1.plain.subtitles import Segment, srt, vtt
from vivavoce.server.v1.plain.visit import Visit, visited

__all__ = ["transcriptions"]

MAX_FIELDS = 32
_TIMED = {"verbose_json", "srt", "vtt"}


async def transcriptions(service: Service, request: Request) -> Response:
    return await visited(_transcriptions, service, request)


async def _transcriptions(visit: Visit, request: Request) -> Response:
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise ProtocolError("invalid_content_type", "Send a form (multipart/form-data) with a part 'file'.")
    coming = request.form(max_files=1, max_fields=MAX_FIELDS)
    form = await visit.read(visit.stack.enter_async_context(coming))
    file = form.get("file")
    if not isinstance(file, UploadFile):
        raise ProtocolError("missing_required_parameter", "The form has no file in a part 'file'.", param="file")
    wish = _read(form)
    wanted = asked(visit.service, visit.principal, wish.model, {}, wish.agent)
    visit.thread.belongs_to(wanted.agent)
    backend = visit.service.backend
    if isinstance(backend, Passes):
        return await _passed(visit, backend, wanted, wish, form, file)
    return await _recognised(visit, visit.senses, wanted, wish, file)


def _read(form: FormData) -> Transcription:
    fields: dict[str, Any] = {name: value for name, value in form.items() if isinstance(value, str)}
    if "stream" in fields:
        fields["stream"] = fields["stream"].lower() in ("true", "1")
    return check({name: value for name, value in fields.items() if value != ""}, Transcription)


# The recogniser of this process ----------------------------------------------------------------------


async def _recognised(visit: Visit, senses: Senses, wanted: Asked, wish: Transcription, file: UploadFile) -> Response:
    stt = senses.stt
    await visit.pays(stt.name, wanted.agent)
    pcm = await visit.unless_gone(asyncio.to_thread(_sound, file, stt.rate))
    length = len(pcm) / 2 / stt.rate
    found: list[Segment] = []
    visit.stack.push_async_callback(_settle, visit, stt.name, found, length)
    cut = wish.stream or wish.response_format in _TIMED or length > LONGEST
    parts = await visit.unless_gone(asyncio.to_thread(_parts, pcm, senses)) if cut else [Piece(0.0, length)]
    segments = _segments(senses, pcm, parts, Hints(wish.language, wish.prompt), found)
    if wish.stream:
        return EventStream(_told(segments, found, length))
    await visit.unless_gone(_all(segments))
    return _shaped(wish, found, length)


def _sound(file: UploadFile, rate: int) -> bytes:
    """Raises :class:`ProtocolError`."""
    try:
        return decoded(file.file, rate)
    except UnknownSound:
        words = "This is no sound that is known here: send wav, mp3, flac, ogg, webm, mp4 or m4a."
        raise ProtocolError("invalid_value", words, param="file") from None
    except TooLong:
        words = f"A recording lasts {MAX_SECONDS // 60} minutes at most; send it in parts."
        raise ProtocolError("invalid_value", words, param="file") from None


def _parts(pcm: bytes, senses: Senses) -> list[Piece]:
    return pieces(convert(pcm, senses.stt.rate, HOUSE_RATE), senses.vad)


async def _segments(
    senses: Senses, pcm: bytes, parts: Sequence[Piece], hints: Hints, found: list[Segment]
) -> AsyncIterator[Segment]:
    stt = senses.stt
    for part in parts:
        piece = pcm[round(part.start * stt.rate) * 2 : round(part.end * stt.rate) * 2]
        if text := (await stt.transcribe(piece, hints)).text.strip():
            found.append(Segment(part.start, part.end, text))
            yield found[-1]


async def _all(segments: AsyncIterator[Segment]) -> None:
    async for _ in segments:
        pass


async def _told(segments: AsyncIterator[Segment], found: Sequence[Segment], length: float) -> AsyncIterator[bytes]:
    async for segment in segments:
        space = " " if len(found) > 1 else ""
        yield event({"type": "transcript.text.delta", "delta": space + segment.text})
    yield event({"type": "transcript.text.done", "text": _text(found), "usage": _duration(length)})


def _shaped(wish: Transcription, found: Sequence[Segment], length: float) -> Response:
    text = _text(found)
    match wish.response_format:
        case "text":
            return PlainTextResponse(text + "\n")
        case "srt":
            return PlainTextResponse(srt(found))
        case "vtt":
            return Response(vtt(found), media_type="text/vtt")
        case "verbose_json":
            segments = [{"id": index, **each._asdict()} for index, each in enumerate(found)]
            told = {"task": "transcribe", "language": wish.language or "", "duration": round(length, 2), "text": text}
            return JSONResponse({**told, "segments": segments, "usage": _duration(length)})
    return JSONResponse({"text": text, "usage": _duration(length)})


def _text(found: Sequence[Segment]) -> str:
    return " ".join(segment.text for segment in found)


async def _settle(visit: Visit, model: str, found: Sequence[Segment], length: float) -> None:
    await _note(visit, model, _text(found), _duration(length))


# The recogniser of another server --------------------------------------------------------------------


async def _passed(
    visit: Visit, backend: Passes, wanted: Asked, wish: Transcription, form: FormData, file: UploadFile
) -> Response:
    model = wanted.model or visit.service.options.plain_models["stt"]
    await visit.pays(model, wanted.agent)
    body: dict[str, Any] = {}
    for name, value in form.multi_items():
        if isinstance(value, str) and name not in ("agent", "model"):
            body.setdefault(name, []).append(value)
    sound = File(file.file, file.filename or "speech", file.content_type or "application/octet-stream")
    body |= {"model": model, "file": sound}
    length = await visit.unless_gone(asyncio.to_thread(_length, file))
    told = _Told()
    visit.stack.push_async_callback(_settle_passed, visit, model, told, length)
    passed = await visit.passed(backend, "/audio/transcriptions", body)
    answer = await visit.unless_gone(whole(passed))
    told.read(answer, wish)
    return Response(answer, headers={"Content-Type": passed.kind})


class _Told:
    """What the upstream's answer says of itself."""

    text = ""
    usage: Mapping[str, Any] | None = None

    def read(self, answer: bytes, wish: Transcription) -> None:
        if wish.response_format == "text":
            self.text = answer.decode(errors="replace").strip()
            return
        try:
            told = msgspec.json.decode(answer)
        except msgspec.DecodeError:
            return  # subtitles, or events
        if isinstance(told, dict):
            self.text, self.usage = str(told.get("text") or ""), told.get("usage")


def _length(file: UploadFile) -> float:
    """What is no sound here may be one there; then nobody knows how long it is."""
    try:
        return seconds(file.file)
    except (UnknownSound, TooLong):
        return 0.0
    finally:
        file.file.seek(0)


async def _settle_passed(visit: Visit, model: str, told: _Told, length: float) -> None:
    usage = told.usage or lengths.heard(visit.service.options.prices.find(model), length)
    await _note(visit, model, told.text, {} if visit.refused else usage)


# Both ------------------------------------------------------------------------------------------------


async def _note(visit: Visit, model: str, words: str, usage: Mapping[str, Any]) -> None:
    if words:
        await visit.thread.hear(words)
    await visit.charge("transcription", model, usage)


def _duration(length: float) -> dict[str, Any]:
    return {"type": "duration", "seconds": round(length, 3)}
