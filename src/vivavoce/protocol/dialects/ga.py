"""The dialect of the generally available API (2025-08 on): one JSON object a text frame (H-10)."""

from collections.abc import Iterable
from itertools import chain
from typing import Any

import msgspec
import pybase64

from vivavoce.protocol.frame import APPEND, AUDIO_DELTA, OURS, Frame
from vivavoce.protocol.wire.errors import ProtocolError

__all__ = ["Ga"]

MAX_APPEND_BASE64 = 15 * 1024 * 1024
"""Characters of base64 in one append (E-03)."""

MAX_DEPTH = 64
"""How deep an event may be nested. What is deeper could be read and not be written again."""
MAX_VALUES = 500_000
"""Commas and backslashes in one event: what takes long to read is not its length but what it is made of."""

_AUDIO_KEY = {APPEND: "audio", AUDIO_DELTA: "delta"}

_decoder = msgspec.json.Decoder()
_encoder = msgspec.json.Encoder()


class Ga:
    """Decodes what either side of the API sends and encodes for either, so the client library and the
    upstream use it too."""

    def decode(self, text: str | bytes) -> list[Frame]:
        if len(text) > MAX_VALUES:
            _check_values(text)
        try:
            data: Any = _decoder.decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise ProtocolError("invalid_event", f"The event is not valid JSON: {error}.") from None
        if type(data) is not dict:
            raise ProtocolError("invalid_event", "An event is a JSON object with a 'type'.")
        kind = data.get("type")
        if type(kind) is not str:
            raise ProtocolError("invalid_event", "The event has no 'type' (a string).", param="type")
        key = _AUDIO_KEY.get(kind)
        if key is None or type(payload := data.get(key)) is not str:
            _check_shape(kind, data)
            return [Frame(kind, data)]  # a missing or mistyped payload is the session's to refuse
        del data[key]
        try:
            return [Frame(kind, data, _audio(payload, key))]
        except ProtocolError as error:
            error.event_id = event_id if type(event_id := data.get("event_id")) is str else None
            raise

    def encode(self, frame: Frame) -> list[str]:
        text = _encoder.encode(frame.data).decode()
        if frame.audio is None:
            return [text]
        # Put in by hand: in base64 there is nothing to escape, and nobody need look for it.
        return [f'{text[:-1]},"{_AUDIO_KEY[frame.type]}":"{pybase64.b64encode_as_string(frame.audio)}"}}']


def _check_values(text: str | bytes) -> None:
    comma, backslash = (",", "\\") if isinstance(text, str) else (b",", b"\\")
    if text.count(comma) + text.count(backslash) > MAX_VALUES:  # type: ignore[arg-type]
        raise ProtocolError("invalid_event", f"The event holds too much: {MAX_VALUES} values are the most.")


def _check_shape(kind: str, data: dict[str, Any]) -> None:
    if kind in OURS:
        raise ProtocolError("invalid_value", f"Invalid value: '{kind}' is no event.", param="type")
    level = _nested(data.values())
    for _ in range(MAX_DEPTH):
        if not level:
            return
        level = _nested(chain.from_iterable(node.values() if type(node) is dict else node for node in level))
    raise ProtocolError("invalid_event", f"The event is nested deeper than {MAX_DEPTH} levels.")


def _nested(values: Iterable[Any]) -> list[Any]:
    return [value for value in values if type(value) is dict or type(value) is list]


def _audio(payload: str, key: str) -> bytes:
    if len(payload) > MAX_APPEND_BASE64:
        raise ProtocolError(
            "invalid_value",
            f"'{key}' has {len(payload)} characters of base64; at most {MAX_APPEND_BASE64} fit in one event.",
            param=key,
        )
    try:
        return pybase64.b64decode(payload, validate=True)
    except ValueError:
        raise ProtocolError("invalid_value", f"'{key}' is not valid base64.", param=key) from None
