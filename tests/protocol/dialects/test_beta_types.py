"""Whatever a session has to say is, in the beta dialect, what OpenAI's own types for the beta expect."""

import json
from typing import Annotated, Any

from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.beta.realtime.realtime_server_event import RealtimeServerEvent
from openai.types.beta.realtime.session_created_event import SessionCreatedEvent
from openai.types.beta.realtime.transcription_session_updated_event import TranscriptionSessionUpdatedEvent
from pydantic import Field, TypeAdapter

from tests.protocol.hand import Hand, Told
from vivavoce.protocol.dialects.beta import Beta
from vivavoce.protocol.frame import Frame
from vivavoce.protocol.session.commands import Start
from vivavoce.protocol.session.parts import Arguments, AudioPart, CallPart, Done, Failed, Part, TextPart

_events: TypeAdapter[Any] = TypeAdapter(Annotated[RealtimeServerEvent, Field(discriminator="type")])

PARTS: list[Part] = [
    TextPart("Hello there."),
    AudioPart(b"\0\0" * 480, 480),
    CallPart("weather"),
    Done(),
    Done("max_output_tokens"),
    Failed("rate_limit_exceeded", "Too much."),
]

UPDATES: list[dict[str, Any]] = [
    {"modalities": ["text"]},
    {"modalities": ["text", "audio"], "voice": "echo", "speed": 1.5},
    {"input_audio_format": "g711_ulaw", "output_audio_format": "g711_alaw", "temperature": 0.6},
    {"input_audio_transcription": {"model": "whisper-1"}, "input_audio_noise_reduction": {"type": "near_field"}},
    {"turn_detection": None},
    {"turn_detection": {"type": "semantic_vad", "eagerness": "low"}},
    {"turn_detection": {"type": "server_vad"}, "tracing": "auto"},
    {"tools": [{"type": "function", "name": "weather", "parameters": {}}], "max_response_output_tokens": 100},
    {"turn_detection": {"type": "server_vad", "threshold": 7}},
    {"instructions": 5},
]

EVENTS: list[dict[str, Any]] = [
    *({"type": "session.update", "session": session} for session in UPDATES),
    {"type": "response.create"},
    {"type": "response.create", "response": {"modalities": ["text"], "conversation": "none", "metadata": {"a": "b"}}},
    {"type": "response.cancel"},
    {"type": "input_audio_buffer.commit"},
    {"type": "input_audio_buffer.clear"},
    {
        "type": "conversation.item.create",
        "item": {"type": "message", "role": "assistant", "content": [{"type": "text", "text": "Hi."}]},
    },
    {"type": "conversation.item.create", "item": {"id": "a", "type": "function_call", "name": "f", "arguments": "{}"}},
    {"type": "conversation.item.retrieve", "item_id": "a"},
    {"type": "conversation.item.delete", "item_id": "a"},
    {"type": "conversation.item.truncate", "item_id": "item_2", "content_index": 0, "audio_end_ms": 10},
    {"type": "who knows"},
]


class Stage:
    """A session of the core with a client of the beta on one side and models on the other."""

    def __init__(self) -> None:
        self.hand, self.beta = Hand(), Beta()
        self.running: list[str] = []
        self.shown: list[dict[str, Any]] = []
        self._show(self.hand.created)

    def client(self, event: dict[str, Any]) -> None:
        for frame in self.beta.decode(json.dumps(event)):
            data = dict(frame.data)
            self._show(self.hand.say(data.pop("type"), **data))

    def sound(self, voiced: bool) -> None:
        self._show(self.hand.voice(320) if voiced else self.hand.silence(320))

    def model(self, part: Part) -> None:
        if self.running:
            if isinstance(part, CallPart):
                self._show(self.hand.model(self.running[0], part, Arguments('{"city":'), Arguments('"Paris"}')))
            else:
                self._show(self.hand.model(self.running[0], part))

    def _show(self, told: Told) -> None:
        for each in told:
            if isinstance(each, Start):
                self.running.append(each.response_id)
            if isinstance(each, Frame):
                self.shown += map(json.loads, self.beta.encode(each))
                if each.type == "response.done":
                    self.running.remove(each.data["response"]["id"])


steps = st.one_of(
    st.sampled_from(EVENTS).map(lambda event: ("client", event)),
    st.booleans().map(lambda voiced: ("sound", voiced)),
    st.sampled_from(PARTS).map(lambda part: ("model", part)),
)


@settings(deadline=None, max_examples=60)
@given(st.lists(steps, max_size=30))
def test_every_event_is_one_of_the_betas(script: list[tuple[str, Any]]):
    stage = Stage()
    for what, value in script:
        getattr(stage, what)(value)
    for event in stage.shown:
        _events.validate_python(event)


def test_E60_the_chain_that_the_reference_client_needs():
    stage = Stage()
    stage.client({"type": "response.create"})
    for part in (TextPart("Hi."), AudioPart(b"\0\0" * 480, 480), CallPart("weather"), Done()):
        stage.model(part)
    first, *shown = stage.shown
    SessionCreatedEvent.model_validate(first)
    assert [event["type"] for event in shown] == [
        "response.created",
        "response.output_item.added",
        "conversation.item.created",
        "response.content_part.added",
        "response.audio_transcript.delta",
        "response.audio.delta",
        "response.audio.done",
        "response.audio_transcript.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.output_item.added",
        "conversation.item.created",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "response.output_item.done",
        "response.done",
    ]
    assert all(event["event_id"] for event in shown)
    assert shown[3]["part"] == {"type": "audio", "transcript": ""}
    assert shown[10]["item"]["arguments"] == ""


def test_a_transcription_session():
    hand, beta = Hand(kind="transcription"), Beta()
    update = {"input_audio_transcription": {"model": "whisper-1"}, "input_audio_format": "g711_ulaw"}
    (frame,) = beta.decode(json.dumps({"type": "transcription_session.update", "session": update}))
    (updated,) = hand.say("session.update", session=frame.data["session"])
    assert isinstance(updated, Frame)
    (text,) = beta.encode(updated)
    event = json.loads(text)
    assert event["session"].pop("client_secret") is None  # the types want one; their text says it is not there
    event["session"]["client_secret"] = {"value": "ek_1", "expires_at": 1}
    session = TranscriptionSessionUpdatedEvent.model_validate(event).session
    assert session.input_audio_format == "g711_ulaw"
    assert session.input_audio_transcription
    assert session.input_audio_transcription.model == "whisper-1"
