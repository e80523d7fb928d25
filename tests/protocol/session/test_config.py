"""How a session's configuration begins, merges, and what it refuses (section 3 of the checklist)."""

import pytest

from tests.protocol.hand import Hand
from vivavoce.protocol.session.config import Defaults, initial
from vivavoce.protocol.session.parts import AudioPart, Done, TextPart
from vivavoce.protocol.wire.errors import ProtocolError


def session(hand):
    return hand.session.view()


def test_a_realtime_session_begins_with_every_default():
    assert session(Hand()) == {
        "type": "realtime",
        "object": "realtime.session",
        "id": "sess_1",
        "model": "gpt-realtime",
        "expires_at": 3600,
        "output_modalities": ["audio"],
        "instructions": Defaults().instructions,
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
                "transcription": None,
                "noise_reduction": None,
                "turn_detection": {
                    "type": "server_vad",
                    "threshold": 0.5,
                    "prefix_padding_ms": 300,
                    "silence_duration_ms": 200,
                    "idle_timeout_ms": None,
                    "create_response": True,
                    "interrupt_response": True,
                },
            },
            "output": {"format": {"type": "audio/pcm", "rate": 24000}, "voice": "marin", "speed": 1.0},
        },
    }


def test_a_transcription_session_has_no_model_no_output_and_no_tools():
    shown = session(Hand(kind="transcription"))
    assert shown.keys() == {"type", "object", "id", "expires_at", "audio", "include"}
    assert (shown["type"], shown["object"]) == ("transcription", "realtime.transcription_session")
    assert shown["audio"].keys() == {"input"}


def test_an_update_changes_what_it_names_at_any_depth_and_nothing_else():
    hand = Hand()
    before = session(hand)
    hand.update(tracing="auto")
    assert session(hand) == {**before, "tracing": "auto"}
    hand.update(audio={"output": {"voice": "ash"}})
    assert session(hand)["audio"]["output"] == {**before["audio"]["output"], "voice": "ash"}
    assert session(hand)["audio"]["input"] == before["audio"]["input"]


def test_turn_detection_of_the_same_type_merges_and_another_type_starts_anew():
    hand = Hand()
    hand.hearing(turn_detection={"type": "server_vad", "threshold": 0.8})
    hand.hearing(turn_detection={"type": "server_vad", "silence_duration_ms": 700})
    detection = session(hand)["audio"]["input"]["turn_detection"]
    assert (detection["threshold"], detection["silence_duration_ms"]) == (0.8, 700)
    hand.hearing(turn_detection={"type": "semantic_vad", "create_response": False})
    assert session(hand)["audio"]["input"]["turn_detection"] == {
        "type": "semantic_vad",
        "eagerness": "auto",
        "create_response": False,
        "interrupt_response": True,
    }
    hand.hearing(turn_detection={"type": "server_vad"})
    assert session(hand)["audio"]["input"]["turn_detection"]["threshold"] == 0.5


def test_empty_and_null_clear():
    hand = Hand(
        instructions="Be brief.",
        tools=[{"type": "function", "name": "f"}],
        audio={
            "input": {
                "transcription": {"model": "whisper-1", "language": "de"},
                "noise_reduction": {"type": "near_field"},
            }
        },
    )
    hand.update(
        instructions="",
        tools=[],
        audio={"input": {"transcription": None, "noise_reduction": None, "turn_detection": None}},
    )
    shown = session(hand)
    assert (shown["instructions"], shown["tools"]) == ("", [])
    heard = shown["audio"]["input"]
    assert (heard["transcription"], heard["noise_reduction"], heard["turn_detection"]) == (None, None, None)


def test_the_strength_of_noise_reduction_stays_when_it_is_left_out():
    hand = Hand(audio={"input": {"noise_reduction": {"type": "near_field", "strength": 0.5}}})
    hand.hearing(noise_reduction={"type": "far_field"})
    assert session(hand)["audio"]["input"]["noise_reduction"] == {"type": "far_field", "strength": 0.5}


def test_one_session_updated_with_all_of_it_and_without_the_clients_event_id():
    hand = Hand()
    told = hand.say("session.update", event_id="mine", session={"type": "realtime", "instructions": "Hm."})
    assert told.types == ["session.updated"]
    updated = told.one("session.updated")
    assert updated["session"] == session(hand)
    assert updated["event_id"] != "mine"


def test_the_model_of_a_session_stays():
    hand = Hand()
    assert hand.update(model="gpt-realtime-2.1").types == ["session.updated"]
    assert session(hand)["model"] == "gpt-realtime"


IN = "session.audio.input"


def heard(**settings):
    return {"audio": {"input": settings}}


def server_vad(**settings):
    return heard(turn_detection={"type": "server_vad", **settings})


def semantic_vad(**settings):
    return heard(turn_detection={"type": "semantic_vad", **settings})


WRONG = [
    ({"instructions": "x", "voice": "alloy"}, "unknown_parameter", "session.voice"),
    ({"modalities": ["text"]}, "unknown_parameter", "session.modalities"),
    (heard(sample_rate=1), "unknown_parameter", f"{IN}.sample_rate"),
    (heard(turn_detection={}), "missing_required_parameter", f"{IN}.turn_detection.type"),
    (heard(turn_detection={"type": "none"}), "invalid_value", f"{IN}.turn_detection.type"),
    (server_vad(threshold=1.5), "invalid_value", f"{IN}.turn_detection.threshold"),
    (server_vad(idle_timeout_ms=4999), "invalid_value", f"{IN}.turn_detection.idle_timeout_ms"),
    (server_vad(create_response="yes"), "invalid_type", f"{IN}.turn_detection.create_response"),
    (semantic_vad(threshold=0.5), "unknown_parameter", f"{IN}.turn_detection.threshold"),
    (semantic_vad(eagerness="keen"), "invalid_value", f"{IN}.turn_detection.eagerness"),
    (heard(transcription={"model": "whisper-1", "delay": "forever"}), "invalid_value", f"{IN}.transcription.delay"),
    (heard(transcription={"model": 1}), "invalid_type", f"{IN}.transcription.model"),
    (heard(format={"type": "audio/pcm", "rate": 16000}), "invalid_value", f"{IN}.format.rate"),
    (heard(format="pcm16"), "invalid_type", f"{IN}.format"),
    (heard(noise_reduction={"type": "mid_field"}), "invalid_value", f"{IN}.noise_reduction.type"),
    ({"audio": {"output": {"format": {"type": "audio/opus"}}}}, "invalid_value", "session.audio.output.format.type"),
    ({"audio": {"output": {"speed": 1.6}}}, "invalid_value", "session.audio.output.speed"),
    ({"output_modalities": ["text", "audio"]}, "invalid_value", "session.output_modalities"),
    ({"output_modalities": ["video"]}, "invalid_value", "session.output_modalities[0]"),
    ({"instructions": 7}, "invalid_type", "session.instructions"),
    ({"instructions": None}, "invalid_type", "session.instructions"),
    ({"tools": [{"type": "function"}]}, "missing_required_parameter", "session.tools[0].name"),
    ({"tools": [{"type": "plumbing", "name": "f"}]}, "invalid_value", "session.tools[0].type"),
    ({"tool_choice": "never"}, "invalid_value", "session.tool_choice"),
    ({"max_output_tokens": 4097}, "invalid_value", "session.max_output_tokens"),
    ({"max_output_tokens": "many"}, "invalid_value", "session.max_output_tokens"),
    (
        {"truncation": {"type": "retention_ratio", "retention_ratio": 2}},
        "invalid_value",
        "session.truncation.retention_ratio",
    ),
    ({"reasoning": {"effort": "heroic"}}, "invalid_value", "session.reasoning.effort"),
    ({"include": ["everything"]}, "invalid_value", "session.include[0]"),
    ({"tracing": "sometimes"}, "invalid_value", "session.tracing"),
    ({"prompt": {"id": "pmpt_1"}}, "invalid_value", "session.prompt"),
]


@pytest.mark.parametrize(("wrong", "code", "param"), WRONG, ids=[f"{code} {param}" for _, code, param in WRONG])
def test_what_is_wrong_is_named_and_nothing_of_the_update_holds(wrong, code, param):
    hand = Hand()
    before = session(hand)
    assert hand.update(**{"include": [], **wrong}).refusal == (code, param)
    assert session(hand) == before


def test_messages_name_the_field():
    hand = Hand()
    assert hand.update(voice="x").error["message"] == "Unknown parameter: 'session.voice'."
    told = hand.say("session.update", session={"instructions": "x"})
    assert told.refusal == ("missing_required_parameter", "session.type")
    assert told.error["message"] == "Missing required parameter: 'session.type'."


@pytest.mark.parametrize(("kind", "other"), [("realtime", "transcription"), ("transcription", "realtime")])
def test_a_session_keeps_its_type(kind, other):
    hand = Hand(kind=kind)
    told = hand.say("session.update", session={"type": other})
    assert told.refusal == ("invalid_value", "session.type")
    assert session(hand)["type"] == kind


def test_a_transcription_session_refuses_what_only_conversations_have():
    assert Hand(kind="transcription").update(instructions="x").refusal == ("unknown_parameter", "session.instructions")


def test_the_voice_is_free_until_the_assistant_has_sounded_and_then_stays():
    hand = Hand()
    assert hand.update(audio={"output": {"voice": "ash"}}).types == ["session.updated"]
    hand.respond()
    hand.model("resp_1", TextPart("Hello."), AudioPart(bytes(4800), 2400), Done())
    told = hand.update(instructions="New.", audio={"output": {"voice": "alloy"}})
    assert told.refusal == ("cannot_update_voice", "session.audio.output.voice")
    assert session(hand)["audio"]["output"]["voice"] == "ash"
    assert session(hand)["instructions"] != "New."
    assert hand.update(instructions="New.", audio={"output": {"voice": "ash"}}).types == ["session.updated"]


def test_text_alone_does_not_lock_the_voice():
    hand = Hand(output_modalities=["text"])
    hand.respond()
    hand.model("resp_1", TextPart("Hello."), Done())
    assert hand.update(audio={"output": {"voice": "alloy"}}).types == ["session.updated"]


def test_tracing_is_kept_once_it_is_on():
    hand = Hand()
    assert hand.update(tracing=None).types == ["session.updated"]
    assert hand.update(tracing={"workflow_name": "w"}).types == ["session.updated"]
    assert hand.update(tracing={"workflow_name": "w"}).types == ["session.updated"]
    assert hand.update(tracing="auto").refusal == ("invalid_value", "session.tracing")
    assert hand.update(tracing=None).refusal == ("invalid_value", "session.tracing")
    assert session(hand)["tracing"] == {"workflow_name": "w"}


def test_a_custom_voice_is_kept_as_it_was_given():
    hand = Hand(audio={"output": {"voice": {"id": "voice_1"}}})
    assert session(hand)["audio"]["output"]["voice"] == {"id": "voice_1"}
    created = hand.respond().one("response.created")
    assert created["response"]["audio"]["output"]["voice"] == "voice_1"


def test_a_configuration_given_before_the_session_applies_over_the_defaults():
    given = initial(
        {"type": "realtime", "model": "any", "instructions": "Hm.", "audio": {"output": {"voice": "sage"}}}, Defaults()
    )
    shown = session(Hand(config=given))
    assert (shown["instructions"], shown["audio"]["output"]["voice"]) == ("Hm.", "sage")
    assert shown["audio"]["input"] == session(Hand())["audio"]["input"]
    with pytest.raises(ProtocolError) as wrong:
        initial({"type": "realtime", "voice": "sage"}, Defaults())
    assert wrong.value.param == "session.voice"


def test_false_is_taken_for_null_as_one_client_sends_it_and_true_for_nothing():
    hand = Hand()
    updated = hand.hearing(turn_detection=False).one("session.updated")
    assert updated["session"]["audio"]["input"]["turn_detection"] is None
    assert hand.hearing(turn_detection=True).refusal == ("invalid_value", "session.audio.input")
