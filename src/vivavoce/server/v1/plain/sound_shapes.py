"""What clients of the endpoints for sound send, and the formats that there are."""

from typing import Annotated, Any, Final, Literal, get_args

import msgspec
from msgspec import Meta

__all__ = ["FORMATS", "MEDIA", "Format", "Speech", "Transcription"]

Format = Literal["mp3", "opus", "aac", "flac", "wav", "pcm"]
FORMATS: Final = get_args(Format)
MEDIA: Final[dict[str, str]] = {
    "mp3": "audio/mpeg", "opus": "audio/ogg", "aac": "audio/aac", "flac": "audio/flac", "wav": "audio/wav",
    "pcm": "audio/pcm",
}  # fmt: skip


class Speech(msgspec.Struct, kw_only=True):
    input: Annotated[str, Meta(min_length=1, max_length=4096)]
    voice: Annotated[str, Meta(max_length=256)] | dict[str, Any] | None = None
    model: Annotated[str, Meta(max_length=256)] = ""
    """``agent:NAME`` speaks with an agent's voice."""
    response_format: Format = "mp3"
    speed: Annotated[float, Meta(ge=0.25, le=4.0)] | None = None
    stream_format: Literal["audio", "sse"] = "audio"
    agent: str | None = None


class Transcription(msgspec.Struct, kw_only=True):
    model: Annotated[str, Meta(max_length=256)] = ""
    language: Annotated[str, Meta(max_length=32)] | None = None
    prompt: Annotated[str, Meta(max_length=4096)] | None = None
    response_format: Literal["json", "text", "srt", "verbose_json", "vtt"] = "json"
    stream: bool = False
    agent: str | None = None
