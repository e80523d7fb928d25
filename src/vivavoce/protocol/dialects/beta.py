"""The dialect of the beta API, for clients of 2024 and 2025 (E-45 to E-60)."""

from collections.abc import Callable, Mapping
from typing import Any

from vivavoce.protocol.dialects.flat import (
    flat_error,
    flat_item,
    flat_response,
    flat_session,
    nested_item,
    nested_response,
    nested_session,
    nested_transcription,
)  # fmt: skip
from vivavoce.protocol.dialects.ga import Ga
from vivavoce.protocol.frame import Frame
from vivavoce.protocol.wire.errors import ProtocolError

__all__ = ["DEFAULT_TEMPERATURE", "Beta", "read_temperature"]

DEFAULT_TEMPERATURE = 0.8
LEAST_TEMPERATURE, MOST_TEMPERATURE = 0.6, 1.2

_NAMES = {
    "response.output_text.delta": "response.text.delta",
    "response.output_text.done": "response.text.done",
    "response.output_audio.delta": "response.audio.delta",
    "response.output_audio.done": "response.audio.done",
    "response.output_audio_transcript.delta": "response.audio_transcript.delta",
    "response.output_audio_transcript.done": "response.audio_transcript.done",
    "conversation.item.added": "conversation.item.created",
}
_UNKNOWN = {"conversation.item.done", "input_audio_buffer.timeout_triggered", "input_audio_buffer.dtmf_event_received"}
"""Events that the beta has not (E-46, E-47)."""


class Beta:
    """Remembers what GA has no place for, to echo it: the temperature (E-54)."""

    def __init__(self, temperature: float = DEFAULT_TEMPERATURE) -> None:
        self._ga = Ga()
        self._temperature = temperature
        self._read: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "session.update": self._update,
            "transcription_session.update": self._update_transcription,
            "conversation.item.create": self._create_item,
            "response.create": self._create_response,
        }
        self._shown: dict[str, Callable[[Any], Any]] = {
            "session": lambda session: flat_session(session, self._temperature),
            "response": lambda response: flat_response(response, self._temperature),
            "item": flat_item,
            "error": flat_error,
        }

    def decode(self, text: str | bytes) -> list[Frame]:
        return [self._to_ga(frame) for frame in self._ga.decode(text)]

    def encode(self, frame: Frame) -> list[str]:
        if frame.type in _UNKNOWN:
            return []
        data = {**frame.data, "type": self._name(frame)}
        for key in self._shown.keys() & data.keys():
            data[key] = self._shown[key](data[key])
        return self._ga.encode(Frame(frame.type, data, frame.audio))

    def _name(self, frame: Frame) -> str:
        if frame.type.startswith("session.") and frame.data["session"].get("type") == "transcription":
            return f"transcription_{frame.type}"
        return _NAMES.get(frame.type, frame.type)

    def _to_ga(self, frame: Frame) -> Frame:
        if (read := self._read.get(frame.type)) is None:
            return frame
        try:
            data = read(dict(frame.data))
        except ProtocolError as error:
            event_id = frame.data.get("event_id")
            error.event_id = event_id if isinstance(event_id, str) else None
            raise
        return Frame(data["type"], data)

    def _update(self, event: dict[str, Any]) -> dict[str, Any]:
        if isinstance(session := event.get("session"), Mapping):
            temperature = read_temperature(session, "session.temperature", self._temperature)
            event["session"] = nested_session(session)
            self._temperature = temperature
        return event

    def _update_transcription(self, event: dict[str, Any]) -> dict[str, Any]:
        if isinstance(session := event.get("session"), Mapping):
            event["session"] = nested_transcription(session)
        return {**event, "type": "session.update"}

    def _create_item(self, event: dict[str, Any]) -> dict[str, Any]:
        return {**event, "item": nested_item(event["item"])} if "item" in event else event

    def _create_response(self, event: dict[str, Any]) -> dict[str, Any]:
        if isinstance(response := event.get("response"), Mapping):
            read_temperature(response, "response.temperature", self._temperature)  # the right ones go no further
            event["response"] = nested_response(response)
        return event


def read_temperature(flat: Mapping[str, Any], at: str, otherwise: float = DEFAULT_TEMPERATURE) -> float:
    """``flat["temperature"]``, or ``otherwise`` where there is none. Raises :class:`ProtocolError` naming ``at``."""
    temperature = flat.get("temperature")
    if temperature is None:
        return otherwise
    if not isinstance(temperature, int | float) or isinstance(temperature, bool):
        raise ProtocolError("invalid_type", f"'{at}' is a number.", param=at)
    if not LEAST_TEMPERATURE <= temperature <= MOST_TEMPERATURE:
        words = f"'{at}' lies between {LEAST_TEMPERATURE} and {MOST_TEMPERATURE}."
        raise ProtocolError("invalid_value", words, param=at)
    return temperature
