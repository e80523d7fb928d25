"""The flat objects of the beta API, and the nested ones of GA that they stand for (E-48 to E-58): sessions, responses,
items, and the paths that errors name.

What the tables do not name is the same in both, or is somebody's mistake, and passes as it is: the session
knows best what to say about it.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from vivavoce.protocol.wire.errors import ProtocolError
from vivavoce.protocol.wire.overlay import laid_over

__all__ = [
    "BETA_ONLY", "flat_error", "flat_item", "flat_path", "flat_response", "flat_session", "nested_item",
    "nested_response", "nested_session", "nested_transcription",
]  # fmt: skip

Json = Mapping[str, Any]

# Values that are spelt differently ------------------------------------------------------------------

_FORMATS: dict[str, dict[str, Any]] = {
    "pcm16": {"type": "audio/pcm", "rate": 24000},
    "g711_ulaw": {"type": "audio/pcmu"},
    "g711_alaw": {"type": "audio/pcma"},
}
_FORMAT_NAMES = {format["type"]: name for name, format in _FORMATS.items()}


def _same(value: Any) -> Any:
    return value


def _format(name: Any) -> Any:
    if isinstance(name, str) and name not in _FORMATS:
        known = ", ".join(f"'{each}'" for each in _FORMATS)
        raise ProtocolError("invalid_value", f"Invalid value: '{name}'. Supported values are: {known}.")
    return _FORMATS[name] if isinstance(name, str) else name


def _format_name(format: Any) -> Any:
    return _FORMAT_NAMES.get(format["type"], format) if isinstance(format, Mapping) else format


def _one_modality(modalities: Any) -> Any:
    """GA speaks or writes; in beta whoever speaks writes as well (E-49)."""
    both = isinstance(modalities, list) and len(modalities) == 2 and set(map(str, modalities)) == {"text", "audio"}
    return ["audio"] if both else modalities


def _modalities(modality: Any) -> Any:
    return ["text", "audio"] if modality == ["audio"] else modality


def _detection(detection: Any) -> Any:
    """Azure's documents write ``{"type": "none"}`` where OpenAI's write null."""
    return None if detection == {"type": "none"} else detection


def _voice_name(voice: Any) -> Any:
    return voice["id"] if isinstance(voice, Mapping) else voice


# Fields that have moved -----------------------------------------------------------------------------


class _Moved(NamedTuple):
    flat: str
    path: str
    nest: Callable[[Any], Any] = _same
    flatten: Callable[[Any], Any] = _same


_SPOKEN = (
    _Moved("modalities", "output_modalities", _one_modality, _modalities),
    _Moved("voice", "audio.output.voice", flatten=_voice_name),
    _Moved("output_audio_format", "audio.output.format", _format, _format_name),
)
_SESSION = (
    *_SPOKEN,
    _Moved("speed", "audio.output.speed"),
    _Moved("max_response_output_tokens", "max_output_tokens"),
    _Moved("input_audio_format", "audio.input.format", _format, _format_name),
    _Moved("input_audio_transcription", "audio.input.transcription"),
    _Moved("input_audio_noise_reduction", "audio.input.noise_reduction"),
    _Moved("turn_detection", "audio.input.turn_detection", _detection),
)
_BY_FLAT = {moved.flat: moved for moved in _SESSION}
_DROPPED = {"temperature", "client_secret"}
"""What GA has no place for (E-54, E-55)."""

BETA_ONLY = frozenset(_BY_FLAT) | _DROPPED
"""Keys of a session that only a client of the beta sends."""

_GA_ONLY = {"type", "truncation", "reasoning", "parallel_tool_calls"}
_CONTENT = {"text": "output_text", "audio": "output_audio"}
_FLAT_CONTENT = {ga: beta for beta, ga in _CONTENT.items()}

# To GA ----------------------------------------------------------------------------------------------


def nested_session(flat: Json) -> dict[str, Any]:
    """Raises :class:`ProtocolError` for a value that GA has no word for."""
    return {"type": "realtime", **_nested(flat, "session")}


def nested_transcription(flat: Json) -> dict[str, Any]:
    """The same of a transcription session, whose ``modalities`` say nothing (E-57, H-39)."""
    return {"type": "transcription", **_nested({key: flat[key] for key in flat if key != "modalities"}, "session")}


def nested_response(flat: Json) -> dict[str, Any]:
    """The parameters of ``response.create`` (E-56)."""
    nested = _nested(flat, "response")
    if isinstance(items := nested.get("input"), list):
        nested["input"] = [nested_item(item) for item in items]
    return nested


def nested_item(item: Any) -> Any:
    return _with_content(item, _CONTENT)


# To beta --------------------------------------------------------------------------------------------


def flat_session(session: Json, temperature: float) -> dict[str, Any]:
    """``client_secret`` is null in events; who mints a key puts it in its place."""
    flat = _flattened(session, _SESSION)
    if session.get("type") != "transcription":
        flat["temperature"] = temperature
    return {**flat, "client_secret": None}


def flat_response(response: Json, temperature: float) -> dict[str, Any]:
    """Its ``max_output_tokens`` has that name in both (E-53)."""
    output = [flat_item(item) for item in response.get("output") or []]
    return {**_flattened(response, _SPOKEN), "output": output, "temperature": temperature}


def flat_item(item: Json) -> Json:
    flat: Json = _with_content(item, _FLAT_CONTENT)
    return flat


def flat_path(path: str) -> str:
    """Where a beta client finds the field that GA has at ``path``."""
    at, _, rest = path.partition(".")
    if at not in ("session", "response"):
        return path
    for moved in _SESSION:
        if rest == moved.path or rest.startswith(moved.path + "."):
            return f"{at}.{moved.flat}{rest[len(moved.path) :]}"
    return path


def flat_error(error: Json) -> Json:
    """The path of the field at fault, in ``param`` and where the message names it."""
    if not isinstance(path := error.get("param"), str) or (flat := flat_path(path)) == path:
        return error
    return {**error, "param": flat, "message": str(error.get("message", "")).replace(path, flat)}


# ----------------------------------------------------------------------------------------------------


def _nested(flat: Json, at: str) -> dict[str, Any]:
    nested = {key: value for key, value in flat.items() if key not in BETA_ONLY}
    for moved in (_BY_FLAT[key] for key in flat if key in _BY_FLAT):
        try:
            value = moved.nest(flat[moved.flat])
        except ProtocolError as error:
            error.param = f"{at}.{moved.flat}"
            raise
        nested = laid_over(nested, _under(moved.path, value))
    return nested


def _under(path: str, value: Any) -> dict[str, Any]:
    for name in reversed(path.split(".")):
        value = {name: value}
    wrapped: dict[str, Any] = value
    return wrapped


def _flattened(nested: Json, moves: tuple[_Moved, ...]) -> dict[str, Any]:
    heads = {moved.path.partition(".")[0] for moved in moves}
    flat = {key: value for key, value in nested.items() if key not in heads and key not in _GA_ONLY}
    for moved in moves:
        value: Any = nested
        for name in moved.path.split("."):
            value = value.get(name, _ABSENT) if isinstance(value, Mapping) else _ABSENT
        if value is not _ABSENT:
            flat[moved.flat] = moved.flatten(value)
    return flat


_ABSENT = object()


def _with_content(item: Any, names: Mapping[str, str]) -> Any:
    """``item`` with each part of its content under its other name."""
    content = item.get("content") if isinstance(item, Mapping) else None
    if not isinstance(content, list):
        return item
    return {**item, "content": [_renamed(part, names) for part in content]}


def _renamed(part: Any, names: Mapping[str, str]) -> Any:
    kind = part.get("type") if isinstance(part, Mapping) else None
    return {**part, "type": names[kind]} if isinstance(kind, str) and kind in names else part
