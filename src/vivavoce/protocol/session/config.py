"""The configuration of a session: its defaults, how an update merges into it, and what may not change.

One value, a full :class:`RealtimeConfig` or :class:`TranscriptionConfig` without an ``UNSET`` in it,
replaced as a whole by each accepted update (S-42: all of an update or nothing).
"""

from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from vivavoce.protocol.wire.config import (
    Audio,
    AudioInput,
    AudioOutput,
    Pcm,
    Prompt,
    RealtimeConfig,
    SemanticVad,
    ServerVad,
    TranscriptionAudio,
    TranscriptionConfig,
    TurnDetection,
)  # fmt: skip
from vivavoce.protocol.wire.errors import ProtocolError
from vivavoce.protocol.wire.shape import check

__all__ = ["Config", "Defaults", "Settings", "defaults", "echo", "initial", "merge", "refuse_prompt", "updated"]

Config = RealtimeConfig | TranscriptionConfig

S = TypeVar("S", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True)
class Defaults:
    """What the server gives where the client says nothing."""

    instructions: str = "You are a helpful voice assistant. Answer briefly, in plain spoken sentences."
    voice: str = "marin"
    silence_duration_ms: int = 200
    """The documents say 500, the wire says 200 (S-07)."""
    eagerness: Literal["low", "medium", "high"] | None = None
    """With it, meaning decides when a turn is over, and not that silence alone."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a session is born with and keeps."""

    session_id: str
    model: str
    expires_at: int
    """Unix seconds (S-01)."""
    tells_limits: bool = False
    """Whether ``rate_limits.updated`` follows each response."""


_SERVER_VAD = ServerVad(
    threshold=0.5,
    prefix_padding_ms=300,
    silence_duration_ms=200,
    idle_timeout_ms=None,
    create_response=True,
    interrupt_response=True,
)
_SEMANTIC_VAD = SemanticVad(eagerness="auto", create_response=True, interrupt_response=True)
_BLANK: dict[type, msgspec.Struct] = {ServerVad: _SERVER_VAD, SemanticVad: _SEMANTIC_VAD}
"""What the parts a patch leaves out become when their object was not there before, or was of another
type (S-38)."""


def defaults(kind: str, given: Defaults) -> Config:
    """S-02 to S-08 for ``realtime``, S-44 for ``transcription``."""
    vad: TurnDetection = msgspec.structs.replace(_SERVER_VAD, silence_duration_ms=given.silence_duration_ms)
    if given.eagerness is not None:
        vad = msgspec.structs.replace(_SEMANTIC_VAD, eagerness=given.eagerness)
    hearing = AudioInput(format=Pcm(), transcription=None, noise_reduction=None, turn_detection=vad)
    if kind == "transcription":
        return TranscriptionConfig(audio=TranscriptionAudio(input=hearing), include=None)
    return RealtimeConfig(
        output_modalities=["audio"],
        instructions=given.instructions,
        tools=[],
        tool_choice="auto",
        max_output_tokens="inf",
        tracing=None,
        truncation="auto",
        prompt=None,
        audio=Audio(input=hearing, output=AudioOutput(format=Pcm(), voice=given.voice, speed=1.0)),
        include=None,
    )


def merge(base: S, patch: S) -> S:
    """``base`` with every field that ``patch`` has. Objects of the same type merge field by field, at
    any depth; everything else, lists included, is replaced (S-37, S-38)."""
    changes = {}
    for name in patch.__struct_fields__:
        new = getattr(patch, name)
        if new is UNSET:
            continue
        if isinstance(new, msgspec.Struct):
            old = getattr(base, name)
            new = merge(old if type(old) is type(new) else _BLANK.get(type(new), new), new)
        changes[name] = new
    return msgspec.structs.replace(base, **changes)


def initial(body: Any, given: Defaults, at: str = "session") -> Config:
    """The configuration that a ``session`` object (of an ephemeral key or a call) asks for. Raises
    :class:`ProtocolError`."""
    patch: Config = check(body, Config, at)  # type: ignore[arg-type]
    _refuse_unusable(patch)
    kind = "transcription" if isinstance(patch, TranscriptionConfig) else "realtime"
    return merge(defaults(kind, given), _without_model(patch))


def updated(current: Config, patch: Config, *, voice_locked: bool) -> Config:
    """``current`` after a ``session.update``. Raises :class:`ProtocolError`, and then nothing of it holds.

    ``voice_locked``: assistant audio has been made in this session (S-15)."""
    if type(patch) is not type(current):
        raise ProtocolError(
            "invalid_value",
            "A session's type cannot change once it is open; open another session for the other type.",
            param="session.type",
        )
    _refuse_unusable(patch)
    new = merge(current, _without_model(patch))
    if isinstance(current, RealtimeConfig) and isinstance(new, RealtimeConfig):
        if voice_locked and _voice(new) != _voice(current):
            raise ProtocolError(
                "cannot_update_voice",
                "Cannot update a conversation's voice if assistant audio is present.",
                param="session.audio.output.voice",
            )
        if current.tracing is not None and new.tracing != current.tracing:
            raise ProtocolError(
                "invalid_value", "Tracing cannot change once it is on for a session.", param="session.tracing"
            )
    return new


def echo(config: Config, settings: Settings) -> dict[str, Any]:
    """The session object as the wire shows it, with every key, null or not (S-09)."""
    body: dict[str, Any] = msgspec.to_builtins(config)
    if isinstance(config, TranscriptionConfig):
        head = {"type": "transcription", "object": "realtime.transcription_session", "id": settings.session_id}
        return {**head, "expires_at": settings.expires_at, **body}
    for tool in body["tools"]:  # a credential goes in and never comes out
        for secret in ("authorization", "headers"):
            tool.pop(secret, None)
    head = {"type": "realtime", "object": "realtime.session", "id": settings.session_id, "model": settings.model}
    return {**head, "expires_at": settings.expires_at, **body}


def _voice(config: RealtimeConfig) -> Any:
    return config.audio.output.voice  # type: ignore[union-attr]


def _without_model(patch: Config) -> Config:
    """A session keeps the model it was opened with; agents SDKs send one all the same (S-16)."""
    return msgspec.structs.replace(patch, model=UNSET) if isinstance(patch, RealtimeConfig) else patch


def _refuse_unusable(patch: Config) -> None:
    if isinstance(patch, RealtimeConfig):
        refuse_prompt(patch.prompt, "session.prompt")


def refuse_prompt(prompt: Prompt | UnsetType | None, param: str) -> None:
    """Raises for a prompt that is not here (S-34)."""
    if prompt:
        raise ProtocolError(
            "invalid_value",
            "Stored prompts are kept at OpenAI and cannot be read here; send their text as 'instructions'.",
            param=param,
        )
