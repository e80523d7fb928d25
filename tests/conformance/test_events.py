"""Client and server events, items, and the beta's spelling of them (E)."""

import base64
import json
from typing import Any

import pytest

from tests.conformance.rows import row
from tests.conformance.scenes import everything_said, mcp_session
from tests.engine.support import senses, session
from tests.protocol.hand import Hand, Told
from tests.support.clients import GA_EVENTS
from tests.support.fake_models import FakeLlm, says
from tests.support.virtual_time import virtual_time
from vivavoce.models.interfaces import Call, CallArguments
from vivavoce.protocol.dialects.beta import Beta
from vivavoce.protocol.dialects.ga import MAX_APPEND_BASE64, Ga
from vivavoce.protocol.frame import Frame
from vivavoce.protocol.session.commands import Retrieve, Start
from vivavoce.protocol.session.parts import Arguments, AudioPart, CallPart, Done, Failed, TextPart
from vivavoce.protocol.wire.errors import ProtocolError

SECOND = AudioPart(bytes(48_000), 24_000)
TRANSCRIPTION = "conversation.item.input_audio_transcription"


def answered(hand: Hand, *parts: Any, **response: Any) -> Told:
    created = hand.respond(**response)
    number = created.one("response.created")["response"]["id"]
    return Told([*created, *hand.model(number, *parts)])


def fields(event: dict[str, Any]) -> set[str]:
    return set(event) - {"type", "event_id"}


# Client events --------------------------------------------------------------------------------------


@row("E-01")
def test_a_clients_event_id_comes_back_in_its_error_alone():
    hand = Hand()
    assert hand.say("response.cancel", event_id="mine").error["event_id"] == "mine"
    assert "mine" not in json.dumps(hand.say("session.update", event_id="mine", session={"type": "realtime"}).events)
    assert hand.say("response.cancel", event_id="x" * 512).error["code"] == "response_cancel_not_active"
    assert hand.say("response.cancel", event_id="x" * 513).refusal == ("invalid_value", "event_id")


@row("E-02")
def test_an_update_needs_its_session_and_its_type():
    hand = Hand()
    assert hand.say("session.update").refusal == ("missing_required_parameter", "session")
    assert hand.say("session.update", session={}).refusal == ("missing_required_parameter", "session.type")


@row("E-03")
@virtual_time
async def test_an_append_is_heard_and_not_acknowledged():
    append = {"type": "input_audio_buffer.append", "audio": base64.b64encode(bytes(9600)).decode()}
    (frame,) = Ga().decode(json.dumps(append))
    assert frame.audio == bytes(9600)
    with pytest.raises(ProtocolError, match="at most"):
        Ga().decode(json.dumps({**append, "audio": "A" * (MAX_APPEND_BASE64 + 1)}))
    async with session(senses()) as hand:
        await hand.line.send(frame)
        await hand.say("input_audio_buffer.commit")
        await hand.until("conversation.item.done")
    assert hand.types[:2] == ["session.created", "input_audio_buffer.committed"]


@row("E-04", "E-05", "E-07", "E-08")
def test_each_event_has_its_answer():
    hand = Hand()
    hand.audio(200)
    assert hand.say("input_audio_buffer.commit").types[0] == "input_audio_buffer.committed"
    assert hand.say("input_audio_buffer.clear").types == ["input_audio_buffer.cleared"]
    retrieved = hand.say("conversation.item.retrieve", item_id="item_1").command(Retrieve)
    assert retrieved.event["type"] == "conversation.item.retrieved"
    assert hand.say("conversation.item.delete", item_id="item_1").types == ["conversation.item.deleted"]


@row("E-06")
def test_where_an_item_goes():
    hand = Hand()
    hand.create("b", id="b")
    hand.create("a", id="a", previous_item_id="root")
    hand.create("c", id="c", previous_item_id=None)
    assert hand.create("ab", id="ab", previous_item_id="a").events[0]["previous_item_id"] == "a"
    assert hand.create("x", previous_item_id="nobody").refusal == ("invalid_value", "previous_item_id")
    items = hand.respond().command(Start).context.items
    assert [item.id for item in items] == ["a", "ab", "b", "c"]


@row("E-09")
def test_a_cut_by_item_index_and_ms():
    hand = Hand()
    answered(hand, TextPart("One two."), SECOND, Done())
    told = hand.say("conversation.item.truncate", item_id="item_1", content_index=0, audio_end_ms=500)
    assert told.types == ["conversation.item.truncated"]


@row("E-10")
def test_every_override_of_a_response_is_taken():
    hand = Hand()
    told = hand.respond(
        conversation="none",
        input=[],
        instructions="Mine.",
        output_modalities=["text"],
        audio={"output": {"format": {"type": "audio/pcma"}, "voice": "ash"}},
        tools=[{"type": "function", "name": "f"}],
        tool_choice="required",
        max_output_tokens=9,
        metadata={"k": "v"},
        reasoning={"effort": "low"},
        parallel_tool_calls=False,
    )
    context = told.command(Start).context
    assert (context.instructions, context.modality, context.voice, context.max_output_tokens) == (
        "Mine.", "text", "ash", 9,
    )  # fmt: skip
    assert (context.items, context.tool_choice, context.tools[0].name) == ((), "required", "f")


@row("E-11")
def test_a_cancel_without_an_id_means_the_default_response():
    hand = Hand()
    hand.respond()
    hand.respond(conversation="none")
    assert hand.say("response.cancel").one("response.done")["response"]["id"] == "resp_1"
    assert hand.say("response.cancel").error["code"] == "response_cancel_not_active"


@row("E-12")
def test_clearing_the_output_is_for_webrtc_alone():
    assert Hand().say("output_audio_buffer.clear").refusal == ("invalid_value", "type")
    assert Hand(media=True).say("output_audio_buffer.clear") == []


@row("E-14")
def test_what_is_no_event_is_named_and_the_session_goes_on():
    hand = Hand()
    assert hand.say("nonsense").refusal == ("invalid_value", "type")
    assert hand.say("nonsense").error["type"] == "invalid_request_error"
    for text in ("{", "[]", "{}", '{"type":7}'):
        with pytest.raises(ProtocolError) as wrong:
            Ga().decode(text)
        assert wrong.value.code == "invalid_event"
    assert hand.update().types == ["session.updated"]


# Server events --------------------------------------------------------------------------------------


@row("E-15", "E-19", "E-33")
def test_every_event_has_an_id_and_a_name_of_the_ga_api():
    events = everything_said()
    assert all(isinstance(event["event_id"], str) and event["event_id"] for event in events)
    names = {event["type"] for event in events}
    assert names <= GA_EVENTS
    assert not names & {"conversation.item.created", "response.cancelled", "response.output_item.created"}


@row("E-16")
def test_the_session_is_told():
    hand = Hand()
    assert hand.created.one("session.created")["session"] == hand.session.view()
    assert hand.update().one("session.updated")["session"] == hand.session.view()


@row("E-18")
def test_added_and_done_carry_the_item_and_what_it_follows():
    hand = Hand()
    hand.create("a", id="a")
    for event in hand.create("b", id="b").events:
        assert fields(event) == {"item", "previous_item_id"}
        assert (event["previous_item_id"], event["item"]["id"]) == ("a", "b")


@row("E-20")
def test_the_answers_to_item_operations():
    hand = Hand()
    answered(hand, TextPart("One two."), SECOND, Done())
    truncated = hand.say("conversation.item.truncate", item_id="item_1", content_index=0, audio_end_ms=500).events[0]
    assert fields(truncated) == {"item_id", "content_index", "audio_end_ms"}
    assert fields(hand.say("conversation.item.retrieve", item_id="item_1").command(Retrieve).event) == {"item"}
    assert fields(hand.say("conversation.item.delete", item_id="item_1").events[0]) == {"item_id"}


@row("E-21")
def test_the_events_of_a_transcription():
    hand = Hand(audio={"input": {"transcription": {"model": "whisper-1"}}})
    hand.turn()
    delta, completed = hand.heard("item_1", "hello").events
    assert fields(delta) == {"item_id", "content_index", "delta"}
    assert fields(completed) == {"item_id", "content_index", "transcript", "usage"}
    hand.turn()
    (failed,) = hand.unheard("item_2", "Too loud.").events
    assert fields(failed) == {"item_id", "content_index", "error"}
    assert failed["error"].keys() >= {"type", "code", "message"}


@row("E-22", "E-23")
def test_the_events_of_the_input_buffer():
    hand = Hand()
    hand.silence(960)
    told = hand.turn()
    started, stopped = told.one("input_audio_buffer.speech_started"), told.one("input_audio_buffer.speech_stopped")
    assert (fields(started), fields(stopped)) == ({"audio_start_ms", "item_id"}, {"audio_end_ms", "item_id"})
    assert (started["audio_start_ms"], stopped["audio_end_ms"]) == (660, 1696)  # speech at 960, 300 ms of padding
    assert type(started["audio_start_ms"]) is int
    assert fields(told.one("input_audio_buffer.committed")) == {"item_id", "previous_item_id"}
    assert fields(hand.say("input_audio_buffer.clear").events[0]) == set()


@row("E-24")
def test_the_events_of_the_output_buffer():
    hand = Hand(media=True)
    told = answered(hand, TextPart("One."), SECOND)
    assert fields(told.one("output_audio_buffer.started")) == {"response_id"}
    cleared = hand.say("output_audio_buffer.clear").one("output_audio_buffer.cleared")
    assert cleared["response_id"] == "resp_1"
    names = answered(Hand(), TextPart("One."), SECOND, Done()).types
    assert not [name for name in names if name.startswith("output_audio_buffer")]


@row("E-25", "E-26", "E-27", "E-28")
def test_the_events_of_a_response():
    told = answered(Hand(), TextPart("One."), SECOND, Done())
    where = {"response_id", "item_id", "output_index", "content_index"}
    expected = {
        "response.created": {"response"},
        "response.output_item.added": {"response_id", "output_index", "item"},
        "response.content_part.added": {*where, "part"},
        "response.output_audio_transcript.delta": {*where, "delta"},
        "response.output_audio.delta": {*where, "delta"},
        "response.output_audio.done": where,
        "response.output_audio_transcript.done": {*where, "transcript"},
        "response.content_part.done": {*where, "part"},
        "response.output_item.done": {"response_id", "output_index", "item"},
        "response.done": {"response"},
    }
    assert {name: fields(told.one(name)) for name in expected} == expected
    told = answered(Hand(), TextPart("One."), Done(), output_modalities=["text"])
    assert fields(told.one("response.output_text.delta")) == {*where, "delta"}
    assert fields(told.one("response.output_text.done")) == {*where, "text"}


@row("E-29")
def test_the_events_of_a_function_call():
    told = answered(Hand(), CallPart("f", "call_9"), Arguments("{}"), Done())
    where = {"response_id", "item_id", "output_index", "call_id"}
    assert fields(told.one("response.function_call_arguments.delta")) == {*where, "delta"}
    done = told.one("response.function_call_arguments.done")
    assert fields(done) == {*where, "name", "arguments"}
    assert (done["name"], done["call_id"], done["arguments"]) == ("f", "call_9", "{}")


@row("E-30")
def test_the_events_of_mcp():
    told = mcp_session()
    where = {"response_id", "item_id", "output_index"}
    expected = {
        "mcp_list_tools.in_progress": {"item_id"},
        "mcp_list_tools.completed": {"item_id"},
        "response.mcp_call_arguments.delta": {*where, "delta", "obfuscation"},
        "response.mcp_call_arguments.done": {*where, "arguments"},
        "response.mcp_call.in_progress": {"item_id", "output_index"},
        "response.mcp_call.completed": {"item_id", "output_index"},
    }
    assert {name: fields(told.all(name)[0]) for name in expected} == expected


@row("E-31")
def test_limits_are_told():
    told = answered(Hand(limits=True), TextPart("One."), Done())
    (limits,) = told.all("rate_limits.updated")
    assert limits["rate_limits"]
    for limit in limits["rate_limits"]:
        assert limit["name"] in ("requests", "tokens")
        assert 0 <= limit["remaining"] <= limit["limit"]
        assert limit["reset_seconds"] >= 0


@row("E-32")
def test_an_error_has_two_ids():
    told = Hand().say("response.cancel", event_id="mine")
    assert told.error.keys() == {"type", "code", "message", "param", "event_id"}
    assert told.events[0]["event_id"] != "mine" == told.error["event_id"]


# Items ----------------------------------------------------------------------------------------------


@row("E-34", "E-39")
@pytest.mark.parametrize(
    ("role", "content", "shown"),
    [
        ("system", {"type": "input_text", "text": "x"}, None),
        ("user", {"type": "input_text", "text": "x"}, None),
        ("user", {"type": "input_audio", "audio": "AAAA"}, {"type": "input_audio", "transcript": None}),
        ("user", {"type": "input_image", "image_url": "data:image/png;base64,AA", "detail": "low"}, None),
        ("user", {"type": "input_image", "image_url": "data:image/gif;base64,AA"}, "refused"),
        ("assistant", {"type": "output_text", "text": "x"}, None),
        ("assistant", {"type": "output_audio", "transcript": "x"}, {"type": "output_text", "text": "x"}),
        ("assistant", {"type": "input_text", "text": "x"}, "refused"),
        ("user", {"type": "output_text", "text": "x"}, "refused"),
        ("system", {"type": "input_audio", "audio": "AAAA"}, "refused"),
    ],
)
def test_what_a_message_may_hold(role, content, shown):
    told = Hand().say("conversation.item.create", item={"type": "message", "role": role, "content": [content]})
    if shown == "refused":
        assert told.error["code"] == "invalid_value"
    else:
        assert told.events[0]["item"]["content"] == [shown or content]


@row("E-35")
def test_an_output_needs_its_call():
    hand = Hand()
    output = {"type": "function_call_output", "call_id": "call_9", "output": "noon"}
    assert hand.say("conversation.item.create", item=output).refusal == ("invalid_value", "item.call_id")
    call = {"type": "function_call", "call_id": "call_9", "name": "f", "arguments": "{}"}
    assert hand.say("conversation.item.create", item=call).types == [
        "conversation.item.added",
        "conversation.item.done",
    ]
    shown = hand.say("conversation.item.create", item=output).events[0]["item"]
    assert shown.items() >= output.items()


@row("E-36")
def test_mcp_items():
    told = mcp_session(approve=True)
    done = {event["item"]["type"]: event["item"] for event in told.all("conversation.item.done")}
    assert done["mcp_list_tools"].keys() >= {"id", "server_label", "tools"}
    assert done["mcp_call"].keys() >= {"id", "server_label", "name", "arguments", "output", "approval_request_id"}
    assert done["mcp_approval_request"].keys() >= {"id", "server_label", "name", "arguments"}
    assert done["mcp_approval_response"].keys() >= {"id", "approval_request_id", "approve"}
    failed = mcp_session(fails=True).all("conversation.item.done")
    (call,) = [event["item"] for event in failed if event["item"]["type"] == "mcp_call"]
    assert call["error"]["type"] in ("protocol_error", "tool_execution_error", "http_error")


@row("E-37")
def test_a_reference_stands_only_in_a_responses_input():
    hand = Hand()
    hand.create("x", id="a")
    reference = {"type": "item_reference", "id": "a"}
    refused = hand.say("conversation.item.create", item={**reference, "id": "b"})
    assert refused.refusal == ("invalid_value", "item.type")
    assert len(hand.respond(input=[reference]).command(Start).context.items) == 1


@row("E-38")
def test_an_item_and_its_id():
    hand = Hand()
    shown = hand.create("x", id="mcp_approval_" + "x" * 60).events[1]["item"]
    assert (shown["object"], shown["status"]) == ("realtime.item", "completed")
    assert shown["id"] == "mcp_approval_" + "x" * 60
    assert hand.create("x").events[0]["item"]["id"] == "item_1"
    assert hand.create("x", id="item_1").refusal == ("invalid_value", "item.id")
    message = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "x"}]}
    told = hand.say("conversation.item.create", item={**message, "status": "in_progress", "object": "realtime.item"})
    assert told.events[0]["item"]["status"] == "completed"


@row("E-40", "E-41")
@pytest.mark.parametrize("modality", ["audio", "text"])
def test_parts_and_contents_are_called_differently(modality):
    told = answered(Hand(), TextPart("One."), Done(), output_modalities=[modality])
    assert {event["part"]["type"] for event in told.events if "part" in event} == {modality}
    (content,) = told.one("response.output_item.done")["item"]["content"]
    assert content["type"] == f"output_{modality}"
    retrieved = Hand()
    answered(retrieved, TextPart("One."), Done(), output_modalities=[modality])
    item = retrieved.say("conversation.item.retrieve", item_id="item_1").command(Retrieve).event["item"]
    assert item["content"] == [content]


@row("E-42")
@virtual_time
async def test_audio_is_in_retrieved_items_alone():
    async with session(senses(llm=FakeLlm(says("Hello.")))) as hand:
        await hand.say("response.create")
        done = await hand.until("response.done")
        item_id = done["response"]["output"][0]["id"]
        await hand.say("conversation.item.retrieve", item_id=item_id)
        retrieved = await hand.until("conversation.item.retrieved")
    assert base64.b64decode(retrieved["item"]["content"][0]["audio"]) == hand.sound()
    others = [frame.data for frame in hand.seen if "item" in frame.data and not frame.type.endswith("retrieved")]
    assert others
    assert all("audio" not in content for event in others for content in event["item"].get("content", ()))


@row("E-43")
def test_a_transcript_is_null_until_it_is_known_and_the_item_is_not_sent_again():
    hand = Hand(audio={"input": {"transcription": {"model": "whisper-1"}}})
    told = hand.turn()
    for name in ("conversation.item.added", "conversation.item.done"):
        assert told.one(name)["item"]["content"] == [{"type": "input_audio", "transcript": None}]
    assert not [name for name in hand.heard("item_1", "hello").types if name.startswith("conversation.item.a")]
    retrieved = hand.say("conversation.item.retrieve", item_id="item_1").command(Retrieve)
    assert retrieved.event["item"]["content"][0]["transcript"] == "hello"


@row("E-44")
@virtual_time
async def test_ids_have_the_prefixes_of_the_api():
    async with session(senses(llm=FakeLlm([*says("One."), Call("f"), CallArguments("{}")]))) as hand:
        await hand.say("response.create")
        done = (await hand.until("response.done"))["response"]
    message, call = done["output"]
    ids = {"resp_": done["id"], "conv_": done["conversation_id"], "item_": message["id"], "call_": call["call_id"]}
    assert all(id.startswith(prefix) and len(id) <= 32 for prefix, id in ids.items())
    assert all(frame.data["event_id"].startswith("event_") for frame in hand.seen)


# The beta -------------------------------------------------------------------------------------------


def to_beta(told: Told, beta: Beta | None = None) -> list[dict[str, Any]]:
    beta = beta or Beta()
    return [json.loads(text) for each in told if isinstance(each, Frame) for text in beta.encode(each)]


def from_beta(event: dict[str, Any], beta: Beta | None = None) -> dict[str, Any]:
    (frame,) = (beta or Beta()).decode(json.dumps(event))
    return dict(frame.data)


@row("E-45", "E-46", "E-47", "E-48", "E-59", "E-60")
def test_a_beta_answer_in_the_order_and_the_names_that_its_clients_know():
    shown = to_beta(answered(Hand(), TextPart("One."), SECOND, Done()))
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
        "response.done",
    ]
    assert all(event["event_id"] for event in shown)
    assert shown[3]["part"] == {"type": "audio", "transcript": ""}
    assert shown[-2]["item"]["content"] == [{"type": "audio", "transcript": "One."}]
    text = to_beta(answered(Hand(), TextPart("One."), Done(), output_modalities=["text"]))
    assert [event["type"] for event in text][3:6] == [
        "response.content_part.added",
        "response.text.delta",
        "response.text.done",
    ]
    assert text[-2]["item"]["content"] == [{"type": "text", "text": "One."}]


@row("E-60")
def test_a_beta_call_begins_with_empty_arguments():
    shown = to_beta(answered(Hand(), CallPart("f"), Done()))
    assert shown[1]["item"]["arguments"] == ""


FLAT = {
    "modalities": ["text", "audio"],
    "voice": "alloy",
    "input_audio_format": "g711_ulaw",
    "output_audio_format": "pcm16",
    "input_audio_transcription": {"model": "whisper-1"},
    "input_audio_noise_reduction": {"type": "near_field"},
    "turn_detection": None,
    "speed": 1.25,
    "max_response_output_tokens": 100,
    "temperature": 0.7,
    "client_secret": {"value": "ek_x"},
    "tools": [{"type": "function", "name": "f", "strict": True}],
}


@row("E-49", "E-50", "E-51", "E-52", "E-53", "E-54", "E-55")
def test_a_flat_session_becomes_one_of_ga_and_comes_back_flat():
    beta, hand = Beta(), Hand()
    nested = from_beta({"type": "session.update", "session": FLAT}, beta)["session"]
    assert nested["type"] == "realtime"
    assert nested["output_modalities"] == ["audio"]
    assert nested["audio"] == {
        "input": {
            "format": {"type": "audio/pcmu"},
            "transcription": {"model": "whisper-1"},
            "noise_reduction": {"type": "near_field"},
            "turn_detection": None,
        },
        "output": {"format": {"type": "audio/pcm", "rate": 24000}, "voice": "alloy", "speed": 1.25},
    }
    assert nested["max_output_tokens"] == 100
    assert not {"temperature", "client_secret"} & nested.keys()
    (updated,) = to_beta(hand.say("session.update", session=nested), beta)
    shown = updated["session"]
    assert set(shown["modalities"]) == {"text", "audio"}
    kept = FLAT.keys() - {"modalities", "client_secret", "tools"}
    assert {key: shown[key] for key in kept} == {key: FLAT[key] for key in kept}


@row("E-51")
@pytest.mark.parametrize(
    ("flat", "nested"),
    [
        ("pcm16", {"type": "audio/pcm", "rate": 24000}),
        ("g711_ulaw", {"type": "audio/pcmu"}),
        ("g711_alaw", {"type": "audio/pcma"}),
    ],
)
def test_formats(flat, nested):
    update = from_beta({"type": "session.update", "session": {"output_audio_format": flat}})
    assert update["session"]["audio"]["output"]["format"] == nested


@row("E-53", "E-56")
def test_the_parameters_of_a_beta_response():
    beta, hand = Beta(), Hand()
    for name in ("max_response_output_tokens", "max_output_tokens"):
        flat = {"modalities": ["text"], "voice": "ash", "output_audio_format": "g711_alaw", "temperature": 0.9, name: 7}
        nested = from_beta({"type": "response.create", "response": flat}, beta)["response"]
        assert nested == {
            "output_modalities": ["text"],
            "audio": {"output": {"voice": "ash", "format": {"type": "audio/pcma"}}},
            "max_output_tokens": 7,
        }
    shown = to_beta(hand.respond(**nested), beta)[0]["response"]
    assert (shown["modalities"], shown["voice"], shown["output_audio_format"]) == (["text"], "ash", "g711_alaw")


@row("E-57")
def test_a_beta_transcription_session():
    beta, hand = Beta(), Hand(kind="transcription")
    flat = {"input_audio_format": "pcm16", "input_audio_transcription": {"model": "whisper-1"}, "turn_detection": None}
    nested = from_beta({"type": "transcription_session.update", "session": flat}, beta)
    assert (nested["type"], nested["session"]["type"]) == ("session.update", "transcription")
    (updated,) = to_beta(hand.say("session.update", session=nested["session"]), beta)
    assert updated["type"] == "transcription_session.updated"
    assert updated["session"]["input_audio_transcription"] == {"model": "whisper-1"}


@row("E-58")
def test_a_strict_tool_is_no_error():
    assert Hand().update(tools=[{"type": "function", "name": "f", "strict": True}]).types == ["session.updated"]


@row("E-38")
def test_a_failed_response_has_incomplete_items():
    told = answered(Hand(), TextPart("One."), Failed("model_error", "no"))
    assert told.one("response.output_item.done")["item"]["status"] == "incomplete"
