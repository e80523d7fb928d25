"""The beta dialect (E-45 to E-60): client events into GA, server events out of it."""

import json
from typing import Any

import pytest

from vivavoce.protocol.dialects.beta import Beta
from vivavoce.protocol.frame import APPEND, AUDIO_DELTA, Frame
from vivavoce.protocol.wire.errors import ProtocolError


def read(event: dict[str, Any], beta: Beta | None = None) -> dict[str, Any]:
    (frame,) = (beta or Beta()).decode(json.dumps(event))
    assert frame.type == frame.data["type"]
    return dict(frame.data)


def shown(event: dict[str, Any], beta: Beta | None = None, audio: bytes | None = None) -> dict[str, Any]:
    (text,) = (beta or Beta()).encode(Frame(event["type"], event, audio))
    return dict(json.loads(text))


def update(**session: Any) -> dict[str, Any]:
    return {"type": "session.update", "event_id": "mine", "session": session}


def refused(event: dict[str, Any]) -> tuple[str | None, str | None, str | None]:
    with pytest.raises(ProtocolError) as refusal:
        read(event)
    return refusal.value.code, refusal.value.param, refusal.value.event_id


GA_SESSION: dict[str, Any] = {
    "type": "realtime",
    "object": "realtime.session",
    "id": "sess_1",
    "model": "gpt-realtime",
    "expires_at": 3600,
    "output_modalities": ["audio"],
    "instructions": "Be brief.",
    "tools": [],
    "tool_choice": "auto",
    "max_output_tokens": "inf",
    "tracing": None,
    "truncation": "auto",
    "prompt": None,
    "include": None,
    "audio": {
        "input": {
            "format": {"type": "audio/pcm", "rate": 24000},
            "transcription": {"model": "whisper-1"},
            "noise_reduction": {"type": "near_field"},
            "turn_detection": None,
        },
        "output": {"format": {"type": "audio/pcmu"}, "voice": "alloy", "speed": 1.0},
    },
}


# Client to server -----------------------------------------------------------------------------------


def test_E49_to_E55_a_flat_session_becomes_a_nested_one():
    event = update(
        modalities=["text", "audio"],
        instructions="Be brief.",
        voice="alloy",
        speed=1.2,
        input_audio_format="g711_ulaw",
        output_audio_format="pcm16",
        input_audio_transcription={"model": "whisper-1"},
        input_audio_noise_reduction=None,
        turn_detection={"type": "server_vad", "threshold": 0.6},
        tools=[{"type": "function", "name": "f"}],
        tool_choice="auto",
        temperature=0.7,
        max_response_output_tokens=4096,
        client_secret={"expires_after": {"anchor": "created_at", "seconds": 60}},
    )
    assert read(event) == {
        "type": "session.update",
        "event_id": "mine",
        "session": {
            "type": "realtime",
            "output_modalities": ["audio"],
            "instructions": "Be brief.",
            "max_output_tokens": 4096,
            "tools": [{"type": "function", "name": "f"}],
            "tool_choice": "auto",
            "audio": {
                "input": {
                    "format": {"type": "audio/pcmu"},
                    "transcription": {"model": "whisper-1"},
                    "noise_reduction": None,
                    "turn_detection": {"type": "server_vad", "threshold": 0.6},
                },
                "output": {"voice": "alloy", "speed": 1.2, "format": {"type": "audio/pcm", "rate": 24000}},
            },
        },
    }


@pytest.mark.parametrize(
    ("flat", "nested"),
    [
        ({}, {}),
        ({"modalities": ["text"]}, {"output_modalities": ["text"]}),
        ({"modalities": ["audio", "text"]}, {"output_modalities": ["audio"]}),
        ({"modalities": ["audio"]}, {"output_modalities": ["audio"]}),
        ({"input_audio_format": "g711_alaw"}, {"audio": {"input": {"format": {"type": "audio/pcma"}}}}),
        ({"turn_detection": None}, {"audio": {"input": {"turn_detection": None}}}),
        ({"turn_detection": {"type": "none"}}, {"audio": {"input": {"turn_detection": None}}}),
        ({"nonsense": 1}, {"nonsense": 1}),  # for the session to refuse, by its name
        ({"modalities": 5, "turn_detection": 6}, {"output_modalities": 5, "audio": {"input": {"turn_detection": 6}}}),
        ({"temperature": 0.6, "client_secret": {}}, {}),
    ],
)
def test_only_what_is_sent_is_there(flat: dict[str, Any], nested: dict[str, Any]):
    assert read(update(**flat))["session"] == {"type": "realtime", **nested}


def test_a_client_that_writes_ga_in_spite_of_its_header_is_understood():
    ga = {"type": "realtime", "output_modalities": ["text"], "audio": {"output": {"voice": "verse"}}}
    assert read(update(**ga))["session"] == ga
    assert read(update(**ga, output_audio_format="pcm16"))["session"]["audio"]["output"] == {
        "voice": "verse",
        "format": {"type": "audio/pcm", "rate": 24000},
    }


@pytest.mark.parametrize("session", [None, "x", 5, []])
def test_a_session_that_is_none_is_the_sessions_to_refuse(session: Any):
    assert read({"type": "session.update", "session": session})["session"] == session
    assert read({"type": "transcription_session.update", "session": session})["session"] == session


def test_E51_a_format_that_nobody_knows():
    assert refused(update(input_audio_format="mp3")) == ("invalid_value", "session.input_audio_format", "mine")
    create = {"type": "response.create", "response": {"output_audio_format": "mp3"}}
    assert refused(create) == ("invalid_value", "response.output_audio_format", None)


def test_E54_temperature_stays_here_and_is_echoed():
    beta = Beta()
    assert shown({"type": "session.updated", "session": GA_SESSION}, beta)["session"]["temperature"] == 0.8
    read(update(temperature=1.1), beta)
    read(update(instructions="More."), beta)
    read({"type": "response.create", "response": {"temperature": 0.6}}, beta)
    assert shown({"type": "session.updated", "session": GA_SESSION}, beta)["session"]["temperature"] == 1.1
    assert shown({"type": "response.done", "response": {"id": "resp_1"}}, beta)["response"]["temperature"] == 1.1


def test_E54_a_temperature_out_of_bounds():
    assert refused(update(temperature=2)) == ("invalid_value", "session.temperature", "mine")
    assert refused(update(temperature="warm")) == ("invalid_type", "session.temperature", "mine")
    create = {"type": "response.create", "event_id": "e", "response": {"temperature": 0}}
    assert refused(create) == ("invalid_value", "response.temperature", "e")


def test_a_refused_update_leaves_the_temperature():
    beta = Beta()
    with pytest.raises(ProtocolError):
        read(update(temperature=1.0, output_audio_format="mp3"), beta)
    assert shown({"type": "session.updated", "session": GA_SESSION}, beta)["session"]["temperature"] == 0.8


def test_E57_transcription_session_update():
    session = {
        "input_audio_format": "pcm16",
        "input_audio_transcription": {"model": "gpt-4o-transcribe", "language": "en"},
        "turn_detection": {"type": "server_vad"},
        "input_audio_noise_reduction": {"type": "far_field"},
        "include": ["item.input_audio_transcription.logprobs"],
        "modalities": ["text"],
    }
    assert read({"type": "transcription_session.update", "session": session}) == {
        "type": "session.update",
        "session": {
            "type": "transcription",
            "include": ["item.input_audio_transcription.logprobs"],
            "audio": {
                "input": {
                    "format": {"type": "audio/pcm", "rate": 24000},
                    "transcription": {"model": "gpt-4o-transcribe", "language": "en"},
                    "turn_detection": {"type": "server_vad"},
                    "noise_reduction": {"type": "far_field"},
                }
            },
        },
    }


@pytest.mark.parametrize("tokens", ["max_output_tokens", "max_response_output_tokens"])
def test_E53_E56_response_create(tokens: str):
    response = {
        "modalities": ["text"],
        "instructions": "Rhyme.",
        "voice": "ash",
        "output_audio_format": "g711_ulaw",
        "temperature": 0.7,
        tokens: 100,
        "conversation": "none",
        "metadata": {"topic": "x"},
        "input": [
            {"type": "message", "role": "assistant", "content": [{"type": "text", "text": "Hi."}]},
            {"type": "item_reference", "id": "item_1"},
        ],
    }
    assert read({"type": "response.create", "response": response})["response"] == {
        "output_modalities": ["text"],
        "instructions": "Rhyme.",
        "audio": {"output": {"voice": "ash", "format": {"type": "audio/pcmu"}}},
        "max_output_tokens": 100,
        "conversation": "none",
        "metadata": {"topic": "x"},
        "input": [
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hi."}]},
            {"type": "item_reference", "id": "item_1"},
        ],
    }
    assert read({"type": "response.create"}) == {"type": "response.create"}


def test_E48_content_of_items_that_a_client_creates():
    def item(*content: Any) -> dict[str, Any]:
        return {"type": "message", "role": "user", "content": list(content)}

    def create(item: Any) -> Any:
        return read({"type": "conversation.item.create", "previous_item_id": None, "item": item})["item"]

    text, spoken = {"type": "text", "text": "a"}, {"type": "audio", "transcript": "b"}
    assert create(item(text, spoken)) == item(
        {"type": "output_text", "text": "a"}, {"type": "output_audio", "transcript": "b"}
    )
    same = item({"type": "input_text", "text": "c"}, {"type": "input_audio", "audio": "AAAA"})
    assert create(same) == same
    for nothing in (None, 5, {"content": "x"}, {"content": [1, {"type": []}]}):
        assert create(nothing) == nothing
    assert read({"type": "conversation.item.create"}) == {"type": "conversation.item.create"}


def test_audio_comes_in_as_bytes():
    (frame,) = Beta().decode('{"type": "input_audio_buffer.append", "audio": "AQI="}')
    assert (frame.type, frame.audio) == (APPEND, b"\1\2")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"type": 1}', '{"type": "input_audio_buffer.append", "audio": "?"}'])
def test_what_is_no_event_at_all(text: str):
    with pytest.raises(ProtocolError):
        Beta().decode(text)


# Server to client -----------------------------------------------------------------------------------


def test_the_flat_session_that_is_shown():
    assert shown({"type": "session.created", "event_id": "event_1", "session": GA_SESSION}) == {
        "type": "session.created",
        "event_id": "event_1",
        "session": {
            "object": "realtime.session",
            "id": "sess_1",
            "model": "gpt-realtime",
            "expires_at": 3600,
            "modalities": ["text", "audio"],
            "instructions": "Be brief.",
            "voice": "alloy",
            "speed": 1.0,
            "input_audio_format": "pcm16",
            "output_audio_format": "g711_ulaw",
            "input_audio_transcription": {"model": "whisper-1"},
            "input_audio_noise_reduction": {"type": "near_field"},
            "turn_detection": None,
            "tools": [],
            "tool_choice": "auto",
            "temperature": 0.8,
            "max_response_output_tokens": "inf",
            "tracing": None,
            "prompt": None,
            "include": None,
            "client_secret": None,
        },
    }


def test_text_alone_and_a_voice_of_ones_own():
    session = {**GA_SESSION, "output_modalities": ["text"], "audio": {"output": {"voice": {"id": "voice_1"}}}}
    flat = shown({"type": "session.updated", "session": session})["session"]
    assert (flat["modalities"], flat["voice"]) == (["text"], "voice_1")


def test_E47_E57_a_transcription_session_has_events_of_its_own():
    session = {
        "type": "transcription",
        "object": "realtime.transcription_session",
        "id": "sess_1",
        "include": None,
        "audio": {"input": GA_SESSION["audio"]["input"]},
    }
    for name in ("session.created", "session.updated"):
        event = shown({"type": name, "session": session})
        assert event == {
            "type": f"transcription_{name}",
            "session": {
                "object": "realtime.transcription_session",
                "id": "sess_1",
                "include": None,
                "input_audio_format": "pcm16",
                "input_audio_transcription": {"model": "whisper-1"},
                "input_audio_noise_reduction": {"type": "near_field"},
                "turn_detection": None,
                "client_secret": None,
            },
        }


@pytest.mark.parametrize(
    ("ga", "beta"),
    [
        ("response.output_text.delta", "response.text.delta"),
        ("response.output_text.done", "response.text.done"),
        ("response.output_audio.done", "response.audio.done"),
        ("response.output_audio_transcript.delta", "response.audio_transcript.delta"),
        ("response.output_audio_transcript.done", "response.audio_transcript.done"),
        ("response.content_part.added", "response.content_part.added"),
        ("response.function_call_arguments.done", "response.function_call_arguments.done"),
        ("output_audio_buffer.started", "output_audio_buffer.started"),
        ("input_audio_buffer.speech_started", "input_audio_buffer.speech_started"),
        ("response.mcp_call.completed", "response.mcp_call.completed"),
    ],
)
def test_E45_names(ga: str, beta: str):
    assert shown({"type": ga, "event_id": "event_1"}) == {"type": beta, "event_id": "event_1"}


def test_E45_audio_goes_out_as_base64():
    delta = shown({"type": AUDIO_DELTA, "item_id": "item_1"}, audio=b"\1\2")
    assert delta == {"type": "response.audio.delta", "item_id": "item_1", "delta": "AQI="}


def test_E46_an_item_is_told_once():
    item = {"type": "message", "role": "assistant", "content": [{"type": "output_audio", "transcript": "Hi."}]}
    event = {"type": "conversation.item.added", "previous_item_id": None, "item": item}
    assert shown(event) == {
        "type": "conversation.item.created",
        "previous_item_id": None,
        "item": {"type": "message", "role": "assistant", "content": [{"type": "audio", "transcript": "Hi."}]},
    }
    assert Beta().encode(Frame("conversation.item.done", {**event, "type": "conversation.item.done"})) == []


@pytest.mark.parametrize("name", ["input_audio_buffer.timeout_triggered", "input_audio_buffer.dtmf_event_received"])
def test_E47_events_of_ga_alone(name: str):
    assert Beta().encode(Frame(name, {"type": name})) == []


def test_E56_the_response_object():
    response = {
        "object": "realtime.response",
        "id": "resp_1",
        "status": "completed",
        "status_details": None,
        "output": [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hi."}]}],
        "conversation_id": "conv_1",
        "output_modalities": ["text"],
        "max_output_tokens": "inf",
        "audio": {"output": {"format": {"type": "audio/pcma"}, "voice": "alloy"}},
        "usage": {"total_tokens": 1},
        "metadata": None,
    }
    assert shown({"type": "response.done", "response": response})["response"] == {
        "object": "realtime.response",
        "id": "resp_1",
        "status": "completed",
        "status_details": None,
        "output": [{"type": "message", "role": "assistant", "content": [{"type": "text", "text": "Hi."}]}],
        "conversation_id": "conv_1",
        "modalities": ["text"],
        "max_output_tokens": "inf",
        "output_audio_format": "g711_alaw",
        "voice": "alloy",
        "temperature": 0.8,
        "usage": {"total_tokens": 1},
        "metadata": None,
    }


@pytest.mark.parametrize(
    ("ga", "beta"),
    [
        ("session.audio.input.turn_detection.threshold", "session.turn_detection.threshold"),
        ("session.audio.input.transcription.enabled", "session.input_audio_transcription.enabled"),
        ("session.audio.output.voice", "session.voice"),
        ("session.max_output_tokens", "session.max_response_output_tokens"),
        ("response.output_modalities", "response.modalities"),
        ("session.nonsense", "session.nonsense"),
        ("item.content[0].type", "item.content[0].type"),
        (None, None),
    ],
)
def test_an_error_names_the_field_that_the_client_sent(ga: str | None, beta: str | None):
    error = {"type": "invalid_request_error", "code": "x", "message": f"Wrong: '{ga}'.", "param": ga}
    told = shown({"type": "error", "error": error})["error"]
    assert (told["param"], told["message"]) == (beta, f"Wrong: '{beta}'.")
