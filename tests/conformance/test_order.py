"""What follows what (O)."""

import asyncio
import json
from typing import Any

import pytest
from websockets.asyncio.client import connect

from tests.conformance.live import ended, event
from tests.conformance.rows import row
from tests.conformance.scenes import FORECAST, SERVER, mcp_session
from tests.engine.support import senses, session
from tests.protocol.hand import Hand
from tests.support.backends import ScriptedBackend
from tests.support.fake_models import FakeLlm, FakeStt, FakeTts, says
from tests.support.serving import serving
from tests.support.virtual_time import virtual_time
from vivavoce.backends.builtin import Builtin
from vivavoce.backends.interface import BackendError
from vivavoce.protocol.frame import Closed
from vivavoce.protocol.session.commands import CallMcp, Cancel, Close, ListMcp, Retrieve, Start, Trim
from vivavoce.protocol.session.mcp import McpFailure
from vivavoce.protocol.session.parts import Arguments, AudioPart, CallPart, Done, Failed, TextPart

SECOND = AudioPart(bytes(48_000), 24_000)
TRANSCRIPTION = "conversation.item.input_audio_transcription"
COMMITTED = ["input_audio_buffer.committed", "conversation.item.added", "conversation.item.done"]
MESSAGE_ADDED = ["response.output_item.added", "conversation.item.added", "response.content_part.added"]
ITEM_DONE = ["response.output_item.done", "conversation.item.done"]
AUDIO_DONE = ["response.output_audio.done", "response.output_audio_transcript.done", "response.content_part.done"]


def answering(*parts: Any, media: bool = False, **response: Any) -> Hand:
    hand = Hand(media=media)
    hand.respond(**response)
    hand.model("resp_1", *parts)
    return hand


def transcript_of(hand: Hand, item_id: str) -> Any:
    event = hand.say("conversation.item.retrieve", item_id=item_id).command(Retrieve).event
    return event["item"]["content"][0]["transcript"]


# Connecting -----------------------------------------------------------------------------------------


@row("O-01", "O-02")
async def test_session_created_comes_first_and_nothing_sent_before_it_is_lost():
    async with serving(Builtin(senses(), lambda: 0.0)) as served, connect(served.ws) as socket:
        for number in range(3):
            update = {"type": "session.update", "session": {"type": "realtime", "instructions": str(number)}}
            await socket.send(json.dumps(update))
        told = [await event(socket) for _ in range(4)]
    assert [each["type"] for each in told] == ["session.created", *["session.updated"] * 3]
    assert [each["session"]["instructions"] for each in told[1:]] == ["0", "1", "2"]


@row("O-03")
def test_an_update_is_answered():
    assert Hand().update().types == ["session.updated"]


# Text -----------------------------------------------------------------------------------------------


@row("O-05")
def test_an_item_runs_nothing():
    hand = Hand()
    hand.create("a", id="a")
    told = hand.create("b")
    assert told.names == ["conversation.item.added", "conversation.item.done"]
    assert {(each["item"]["status"], each["previous_item_id"]) for each in told.events} == {("completed", "a")}


@row("O-06")
def test_a_text_answer():
    hand = Hand(output_modalities=["text"])
    told = hand.respond()
    created = told.one("response.created")["response"]
    assert (created["status"], created["output"], created["usage"]) == ("in_progress", [], None)
    told = hand.model("resp_1", TextPart("It is "), TextPart("noon."), Done())
    assert told.types == [
        *MESSAGE_ADDED,
        "response.output_text.delta",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        *ITEM_DONE,
        "response.done",
    ]
    added = told.one("response.output_item.added")["item"]
    assert (added["status"], added["content"]) == ("in_progress", [])
    assert told.one("conversation.item.added")["item"] == added
    done = told.one("response.done")["response"]
    assert (done["status"], done["output"]) == ("completed", [told.one("response.output_item.done")["item"]])
    assert done["usage"]["total_tokens"] > 0


@row("O-07")
def test_limits_follow_the_end_of_a_response():
    hand = Hand(limits=True)
    assert "rate_limits.updated" not in hand.respond().types
    told = hand.model("resp_1", TextPart("One."), SECOND, Done())
    assert told.types[-2:] == ["response.done", "rate_limits.updated"]


@row("O-08")
@pytest.mark.parametrize("modality", ["text", "audio"])
def test_deltas_add_up(modality):
    hand = Hand(output_modalities=[modality])
    hand.respond()
    told = hand.model("resp_1", TextPart("It "), TextPart("is "), TextPart("noon."), Done())
    kind, key = ("output_text", "text") if modality == "text" else ("output_audio_transcript", "transcript")
    said = "".join(each["delta"] for each in told.all(f"response.{kind}.delta"))
    assert said == told.one(f"response.{kind}.done")[key] == "It is noon."
    assert told.one("response.content_part.done")["part"][key] == said
    items = [told.one(name)["item"] for name in ITEM_DONE] + told.one("response.done")["response"]["output"]
    assert [item["content"][0][key] for item in items] == [said] * 3


@row("O-09")
def test_indices_count_from_nothing():
    hand = Hand(output_modalities=["text"])
    hand.respond()
    told = hand.model("resp_1", TextPart("a"), CallPart("f"), TextPart("b"), CallPart("g"), Done())
    assert [each["output_index"] for each in told.all("response.output_item.added")] == [0, 1, 2, 3]
    assert [each["output_index"] for each in told.all("response.output_text.delta")] == [0, 2]
    assert {each["content_index"] for each in told.events if "content_index" in each} == {0}


# Audio ----------------------------------------------------------------------------------------------


@row("O-10", "O-11")
def test_a_spoken_answer():
    hand = Hand()
    hand.respond()
    told = hand.model("resp_1", TextPart("It is "), SECOND, TextPart("noon."), SECOND, Done())
    assert told.types == [
        *MESSAGE_ADDED,
        *["response.output_audio_transcript.delta", "response.output_audio.delta"] * 2,
        *AUDIO_DONE,
        *ITEM_DONE,
        "response.done",
    ]
    assert told.one("response.content_part.added")["part"] == {"type": "audio", "transcript": ""}
    assert told.one("response.content_part.done")["part"] == {"type": "audio", "transcript": "It is noon."}


@row("O-12")
@virtual_time
async def test_an_answer_is_made_faster_than_it_sounds():
    tts = FakeTts(word_ms=1000, delay=0.01, chunk_delay=0.001)
    async with session(senses(llm=FakeLlm(says("One two three four five.")), tts=tts)) as hand:
        begun = asyncio.get_running_loop().time()
        await hand.say("response.create")
        await hand.until("response.done")
        assert asyncio.get_running_loop().time() - begun < 1
    assert len(hand.sound()) == 5 * 48_000


# Turns ----------------------------------------------------------------------------------------------


@row("O-13", "O-14")
def test_a_spoken_turn():
    hand = Hand()
    told = hand.turn()
    assert told.types == [
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        *COMMITTED,
        "response.created",
    ]
    ids = [each.get("item_id") or each["item"]["id"] for each in told.events[:-1]]
    assert len(set(ids)) == 1
    assert told.one("conversation.item.done")["item"]["content"] == [{"type": "input_audio", "transcript": None}]
    again = Hand()
    again.voice(64)
    again.create("between")
    assert again.silence(0) == []
    assert again.turn().one("input_audio_buffer.committed")["item_id"] == "item_1"


@row("O-15")
@pytest.mark.parametrize(
    "steps", [[], [TextPart("One.")], [TextPart("One."), SECOND, Done()]], ids=["before", "during", "after"]
)
def test_transcription_runs_beside_the_answer(steps):
    hand = Hand(audio={"input": {"transcription": {"model": "whisper-1"}}})
    hand.turn()
    hand.model("resp_1", *steps)
    assert hand.heard("item_1", "hello").types == [f"{TRANSCRIPTION}.delta", f"{TRANSCRIPTION}.completed"]
    if Done() not in steps:
        assert hand.model("resp_1", Done()).types[-1] == "response.done"


@row("O-16")
def test_transcriptions_complete_in_any_order():
    hand = Hand(audio={"input": {"transcription": {"model": "whisper-1"}}})
    hand.turn()
    hand.turn()
    (later,) = {each["item_id"] for each in hand.heard("item_2", "second").events}
    (earlier,) = {each["item_id"] for each in hand.heard("item_1", "first").events}
    assert (later, earlier) == ("item_2", "item_1")


@row("O-17", "O-18")
def test_how_a_transcription_ends():
    hand = Hand(audio={"input": {"transcription": {"model": "whisper-1"}}})
    hand.turn()
    delta, completed = hand.heard("item_1", "hello there").events
    assert delta["delta"] == completed["transcript"] == "hello there"
    hand.turn()
    silent = hand.heard("item_2", "").one(f"{TRANSCRIPTION}.completed")
    assert silent["transcript"] == ""
    hand.turn()
    assert hand.unheard("item_3", "Too loud.").types == [f"{TRANSCRIPTION}.failed"]
    assert hand.model("resp_3", TextPart("What?"), Done()).one("response.done")["response"]["status"] == "completed"


@row("O-19")
def test_a_commit_by_hand_ends_the_turn():
    hand = Hand()
    item_id = hand.voice(320).one("input_audio_buffer.speech_started")["item_id"]
    told = hand.say("input_audio_buffer.commit")
    assert told.types == COMMITTED
    assert told.one("input_audio_buffer.committed")["item_id"] == item_id
    assert hand.silence(960) == []


@row("O-20", "O-22")
def test_push_to_talk():
    hand = Hand(audio={"input": {"turn_detection": None}})
    hand.audio(500)
    assert hand.say("input_audio_buffer.clear").types == ["input_audio_buffer.cleared"]
    assert hand.voice(512) == []
    told = hand.say("input_audio_buffer.commit", event_id="mine")
    assert told.types == COMMITTED
    assert "mine" not in json.dumps(told.events)
    assert hand.wait(100) == []
    assert hand.respond().types == ["response.created"]


@row("O-21")
@pytest.mark.parametrize(("ms", "said"), [(0, "0.00ms"), (99, "99.00ms")])
def test_too_little_to_commit(ms, said):
    hand = Hand(audio={"input": {"turn_detection": None}})
    hand.audio(ms)
    told = hand.say("input_audio_buffer.commit", event_id="mine")
    assert (told.error["code"], told.error["event_id"]) == ("input_audio_buffer_commit_empty", "mine")
    assert "100ms" in told.error["message"]
    assert said in told.error["message"]
    hand.audio(100)
    assert hand.say("input_audio_buffer.commit").types == COMMITTED


@row("O-23")
def test_push_to_talk_on_webrtc():
    hand = Hand(media=True, audio={"input": {"turn_detection": None}})
    hand.audio(2000)
    hand.say("input_audio_buffer.clear")
    hand.audio(300)
    told = hand.say("input_audio_buffer.commit")
    assert told.types == COMMITTED
    assert told.commands(Trim) == []
    hand.audio(500)
    hand.say("input_audio_buffer.clear")
    assert hand.say("input_audio_buffer.commit").error["code"] == "input_audio_buffer_commit_empty"


# Function calls -------------------------------------------------------------------------------------


@row("O-24", "O-25")
def test_a_function_call():
    hand = Hand()
    hand.respond()
    told = hand.model("resp_1", CallPart("clock"), Arguments('{"zone":'), Arguments('"UTC"}'), Done())
    assert told.types == [
        "response.output_item.added",
        "conversation.item.added",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        *ITEM_DONE,
        "response.done",
    ]
    added, done = told.one("response.output_item.added")["item"], told.one("response.output_item.done")["item"]
    assert (added["status"], added["name"], added["arguments"]) == ("in_progress", "clock", "")
    assert (done["status"], done["arguments"], done["call_id"]) == ("completed", '{"zone":"UTC"}', added["call_id"])
    assert told.one("response.done")["response"]["output"] == [done]


@row("O-26", "O-28")
def test_an_output_comes_when_it_comes_and_answers_nothing():
    hand = answering(CallPart("clock", "call_9"), Done())
    hand.turn()
    output = {"type": "function_call_output", "call_id": "call_9", "output": "noon"}
    told = hand.say("conversation.item.create", item=output)
    assert told.names == ["conversation.item.added", "conversation.item.done"]
    hand.say("response.cancel")
    items = hand.respond().command(Start).context.items
    assert [item.type for item in items] == ["function_call", "message", "function_call_output"]


@row("O-27")
def test_a_message_and_calls_in_one_response():
    hand = Hand()
    hand.respond()
    told = hand.model("resp_1", TextPart("Wait."), SECOND, CallPart("f"), CallPart("g"), Done())
    assert [each["item"]["type"] for each in told.all("response.output_item.done")] == [
        "message", "function_call", "function_call",
    ]  # fmt: skip
    output = {"type": "function_call_output", "call_id": "call_nobody", "output": ""}
    assert hand.say("conversation.item.create", item=output).refusal == ("invalid_value", "item.call_id")
    assert len(hand.respond().command(Start).context.items) == 3


# Out of band ----------------------------------------------------------------------------------------


@row("O-29")
def test_out_of_band():
    hand = Hand(output_modalities=["text"])
    created = hand.respond(conversation="none", metadata={"topic": "1"}).one("response.created")["response"]
    told = hand.model("resp_1", TextPart("x"), Done())
    done = told.one("response.done")["response"]
    for response in (created, done):
        assert (response["conversation_id"], response["metadata"]) == (None, {"topic": "1"})
    assert not [name for name in told.types if name.startswith("conversation.")]
    item_id = done["output"][0]["id"]
    assert hand.say("conversation.item.retrieve", item_id=item_id).error["code"] == "item_retrieve_invalid_item_id"


@row("O-30", "O-31")
def test_input_replaces_the_context():
    hand = Hand(instructions="Session.")
    hand.create("said", id="a")
    raw = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "raw"}]}
    given = [{"type": "item_reference", "id": "a"}, raw]
    told = hand.respond(input=given, instructions="Mine.", tools=[{"type": "function", "name": "f"}])
    context = told.command(Start).context
    assert [item.content[0].words for item in context.items] == ["said", "raw"]
    assert (context.instructions, len(context.tools)) == ("Mine.", 1)
    assert told.one("response.created")["response"]["conversation_id"] == "conv_1"
    assert "conversation.item.added" in hand.model("resp_1", TextPart("x"), Done()).types
    assert hand.respond(conversation="none", input=[]).command(Start).context.items == ()
    context = hand.respond(conversation="none", input=None).command(Start).context
    assert (len(context.items), context.instructions, context.tools) == (2, "Session.", ())


@row("O-32", "O-33")
def test_out_of_band_runs_beside():
    hand = Hand()
    hand.respond()
    told = hand.say("response.create", event_id="mine")
    assert (told.error["code"], told.error["event_id"]) == ("conversation_already_has_active_response", "mine")
    assert hand.respond(conversation="none").types == ["response.created"]
    told = hand.voice(64)
    assert told.one("response.done")["response"]["id"] == "resp_1"
    assert hand.model("resp_2", Done()).one("response.done")["response"]["status"] == "completed"


# Interruption ---------------------------------------------------------------------------------------


@row("O-34")
def test_speech_over_an_answer():
    hand = answering(TextPart("It is"), SECOND)
    told = hand.voice(64)
    assert told.types == ["input_audio_buffer.speech_started", *AUDIO_DONE, *ITEM_DONE, "response.done"]
    assert {told.one(name)["item"]["status"] for name in ITEM_DONE} == {"incomplete"}
    done = told.one("response.done")["response"]
    assert (done["status"], done["status_details"]) == ("cancelled", {"type": "cancelled", "reason": "turn_detected"})
    assert hand.model("resp_1", TextPart(" late"), SECOND) == []


@row("O-35")
def test_what_was_heard_is_kept():
    hand = answering(TextPart("One two three four. "), SECOND, TextPart("Five."), SECOND, Done())
    told = hand.say("conversation.item.truncate", item_id="item_1", content_index=0, audio_end_ms=500)
    assert told.names == ["Trim", "conversation.item.truncated"]
    assert told.command(Trim).samples == 12_000
    assert transcript_of(hand, "item_1") == "One two"


@row("O-36", "O-42")
def test_a_cancel():
    hand = answering(TextPart("It is"), SECOND)
    told = hand.say("response.cancel")
    assert told.types == [*AUDIO_DONE, *ITEM_DONE, "response.done"]
    assert told.one("response.done")["response"]["status_details"]["reason"] == "client_cancelled"
    assert hand.say("response.cancel", event_id="mine").error["code"] == "response_cancel_not_active"
    hand.respond()
    told = hand.say("response.cancel")
    assert told.types == ["response.done"]
    assert told.one("response.done")["response"]["output"] == []


@row("O-37")
def test_an_idle_user():
    hand = Hand(audio={"input": {"turn_detection": {"type": "server_vad", "idle_timeout_ms": 5000}}})
    hand.respond()
    hand.model("resp_1", TextPart("Hello?"), SECOND, Done())
    hand.silence(960)
    told = hand.wait(10)
    assert told.types == ["input_audio_buffer.timeout_triggered", *COMMITTED, "response.created"]
    ids = {each.get("item_id") or each["item"]["id"] for each in told.events[:-1]}
    assert len(ids) == 1


@row("O-38", "O-43")
def test_how_a_response_ends_otherwise():
    for reason in ("max_output_tokens", "content_filter"):
        hand = answering(TextPart("It is"), SECOND)
        told = hand.model("resp_1", Done(reason))
        assert told.types == [*AUDIO_DONE, *ITEM_DONE, "response.done"]
        done = told.one("response.done")["response"]
        assert (done["status"], done["status_details"]) == ("incomplete", {"type": "incomplete", "reason": reason})
        assert done["output"][0]["status"] == "incomplete"
    hand = answering(TextPart("It is"), SECOND)
    failed = hand.model("resp_1", Failed("model_error", "It fell over.")).one("response.done")["response"]
    assert (failed["status"], failed["usage"]["total_tokens"]) == ("failed", 0)
    assert failed["status_details"]["error"].keys() == {"type", "code", "message"}


@row("O-39")
def test_on_webrtc_the_server_cuts_by_itself():
    hand = answering(TextPart("One two three four."), SECOND, media=True)
    hand.played("item_1", 500)
    told = hand.voice(64)
    assert told.names[0] == "FlushPlayback"
    assert told.types[-2:] == ["output_audio_buffer.cleared", "conversation.item.truncated"]
    assert told.one("conversation.item.truncated")["audio_end_ms"] == 500
    assert transcript_of(hand, "item_1") == "One two"


@row("O-40")
def test_on_webrtc_a_client_cancels_and_clears():
    hand = answering(TextPart("One two three four."), SECOND, media=True)
    hand.played("item_1", 500)
    assert hand.say("response.cancel").types[-1] == "response.done"
    assert hand.say("output_audio_buffer.clear").types == ["output_audio_buffer.cleared", "conversation.item.truncated"]


@row("O-41")
def test_where_a_cut_may_be():
    for ms, kept in ((999, 999), (1000, 1000), (1001, 1000), (1100, 1000)):
        hand = answering(TextPart("One."), SECOND, Done())
        told = hand.say("conversation.item.truncate", item_id="item_1", content_index=0, audio_end_ms=ms)
        assert told.one("conversation.item.truncated")["audio_end_ms"] == kept
    hand = answering(TextPart("One."), SECOND, Done())
    message = hand.say("conversation.item.truncate", item_id="item_1", content_index=0, audio_end_ms=1101).error[
        "message"
    ]
    assert "1000ms" in message
    assert "1101ms" in message
    hand.create("x", id="mine")
    error = hand.say("conversation.item.truncate", item_id="mine", content_index=0, audio_end_ms=0).error
    assert error["code"] is None
    assert "Only model output audio" in error["message"]


# Items ----------------------------------------------------------------------------------------------


@row("O-44")
def test_unknown_items():
    hand = Hand()
    for operation, more in (("delete", {}), ("retrieve", {}), ("truncate", {"content_index": 0, "audio_end_ms": 0})):
        told = hand.say(f"conversation.item.{operation}", item_id="nobody", **more)
        assert told.refusal == (f"item_{operation}_invalid_item_id", None)
        assert "nobody" in told.error["message"]


@row("O-45")
def test_after_a_delete():
    hand = Hand()
    for name in "abc":
        hand.create(name, id=name)
    hand.say("conversation.item.delete", item_id="c")
    assert hand.create("d", id="d").events[0]["previous_item_id"] == "b"
    assert hand.create("c", id="c").types == ["conversation.item.added", "conversation.item.done"]


# Transcription sessions -----------------------------------------------------------------------------


@row("O-46")
@virtual_time
async def test_a_transcription_session():
    given = senses(stt=FakeStt("hello there"))
    config = {"type": "transcription", "audio": {"input": {"transcription": {"model": "whisper-1"}}}}
    async with session(given, config=config) as hand:
        await hand.speak(600, silence_ms=300)
        await hand.until(f"{TRANSCRIPTION}.completed")
        await hand.say("response.create")
        assert (await hand.until("error"))["error"]["type"] == "invalid_request_error"
    assert hand.types == [
        "session.created",
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        *COMMITTED,
        f"{TRANSCRIPTION}.delta",
        f"{TRANSCRIPTION}.completed",
        "error",
    ]
    assert hand.seen[0].data["session"]["type"] == "transcription"


# Errors and the end ---------------------------------------------------------------------------------


@row("O-49")
def test_an_error_names_what_caused_it_and_ends_nothing():
    hand = Hand()
    told = hand.say("conversation.item.delete", item_id="nobody", event_id="mine")
    assert told.names == ["error"]
    assert told.error["event_id"] == "mine"
    assert hand.say("conversation.item.delete", item_id="nobody").error["event_id"] is None
    assert hand.create("x").types == ["conversation.item.added", "conversation.item.done"]


@row("O-50")
def test_the_codes_that_clients_match():
    hand = answering(TextPart("One."), SECOND)
    cut = {"item_id": "nobody", "content_index": 0, "audio_end_ms": 0}
    wrong: list[tuple[str, str, dict[str, Any]]] = [
        ("invalid_value", "nonsense", {}),
        ("invalid_type", "session.update", {"session": 7}),
        ("unknown_parameter", "session.update", {"session": {"type": "realtime", "modalities": ["text"]}}),
        ("missing_required_parameter", "session.update", {"session": {}}),
        ("input_audio_buffer_commit_empty", "input_audio_buffer.commit", {}),
        ("conversation_already_has_active_response", "response.create", {}),
        ("response_cancel_not_active", "response.cancel", {"response_id": "resp_9"}),
        ("cannot_update_voice", "session.update",
         {"session": {"type": "realtime", "audio": {"output": {"voice": "ash"}}}}),
        ("item_truncate_invalid_item_id", "conversation.item.truncate", cut),
        ("item_delete_invalid_item_id", "conversation.item.delete", {"item_id": "nobody"}),
        ("item_retrieve_invalid_item_id", "conversation.item.retrieve", {"item_id": "nobody"}),
    ]  # fmt: skip
    for code, event_type, fields in wrong:
        assert hand.say(event_type, **fields).error["code"] == code


@row("O-51")
@virtual_time
async def test_after_an_hour():
    async with session(senses()) as hand:
        told = await hand.until("error")
        assert asyncio.get_running_loop().time() == pytest.approx(3600, abs=1)
        with pytest.raises(Closed) as closed:
            await hand.line.receive()
    assert (told["error"]["code"], told["error"]["event_id"]) == ("session_expired", None)
    assert "60 minutes" in told["error"]["message"]
    assert closed.value.code == 1001
    assert "60 minutes" in closed.value.reason


@row("O-52")
async def test_what_ends_a_session_at_its_start():
    refused = BackendError.of(400, "No such model.", code="invalid_model", type="invalid_request_error")
    async with serving(ScriptedBackend(failing=refused)) as served, connect(served.ws) as socket:
        told = await event(socket)
        assert (told["type"], told["error"]["code"], told["error"]["event_id"]) == ("error", "invalid_model", None)
        assert await ended(socket) == (4000, "invalid_request_error.invalid_model")


# MCP ------------------------------------------------------------------------------------------------


@row("O-53")
@pytest.mark.parametrize("fails", [False, True])
def test_tools_are_listed(fails):
    hand = Hand()
    told = hand.update(tools=[SERVER])
    assert told.names == ["session.updated", "mcp_list_tools.in_progress", "conversation.item.added", "ListMcp"]
    assert told.command(ListMcp).tool.server_label == "weather"
    hand.session.mcp_listed("weather", McpFailure("http_error", "gone", 404) if fails else [FORECAST])
    told = hand.told()
    assert told.types == ["conversation.item.done", f"mcp_list_tools.{'failed' if fails else 'completed'}"]
    tools = told.one("conversation.item.done")["item"]["tools"]
    assert tools == ([] if fails else [FORECAST])


@row("O-54")
def test_who_knows_the_tools():
    hand = Hand()
    hand.update(tools=[SERVER])
    assert hand.respond().command(Start).context.mcp == ()
    hand.model("resp_1", Done())
    hand.session.mcp_listed("weather", [FORECAST])
    hand.told()
    assert [tool.name for tool in hand.respond().command(Start).context.mcp] == ["forecast"]
    assert hand.update(tools=[{"type": "mcp", "server_label": "weather"}]).types == ["session.updated"]


@row("O-55", "O-57")
def test_an_mcp_call():
    called = [
        "response.output_item.added",
        "conversation.item.added",
        "response.mcp_call_arguments.delta",
        "response.mcp_call_arguments.done",
    ]
    went_on = [
        *MESSAGE_ADDED,
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        *ITEM_DONE,
        "response.done",
    ]
    told = mcp_session()
    begun = told.types.index("response.created") + 1
    assert told.types[begun:] == [
        *called,
        "response.mcp_call.in_progress",
        "response.mcp_call.completed",
        *ITEM_DONE,
        *went_on,
    ]
    told = mcp_session(approve=True)
    asked = ["response.output_item.added", "conversation.item.added", *ITEM_DONE]
    assert told.types[begun:] == [
        *called,
        *asked,
        "conversation.item.added",
        "conversation.item.done",
        "response.mcp_call.in_progress",
        "response.mcp_call.completed",
        *ITEM_DONE,
        *went_on,
    ]
    assert "response.mcp_call.failed" in mcp_session(fails=True).types


@row("O-57")
def test_a_rejected_call_does_not_run_and_the_answer_goes_on():
    told = mcp_session(approve=False)
    assert told.commands(CallMcp) == []
    assert told.one("response.done")["response"]["status"] == "completed"
    assert told.types.count("response.created") == 1


@row("O-56")
def test_wrong_mcp_definitions():
    url = {"server_url": "https://weather.example/mcp"}
    for wrong in (
        [SERVER, SERVER],
        [{"type": "mcp", "server_label": "other"}],
        [{"type": "mcp", "server_label": "other", **url, "connector_id": "connector_gmail"}],
        [{"type": "mcp", "server_label": "other", "connector_id": "connector_nobody"}],
        [{"type": "mcp", "server_label": "other", **url, "authorization": "x", "headers": {"Authorization": "y"}}],
        [{"type": "mcp", "server_label": "o", "connector_id": "connector_gmail", "headers": {"Authorization": "y"}}],
    ):
        told = Hand().update(tools=wrong)
        assert told.error["code"] == "invalid_value"
        assert told.error["param"].startswith("session.tools[")


@row("O-58")
def test_mcp_tools_of_one_response():
    hand = Hand()
    told = hand.respond(tools=[SERVER], tool_choice="required")
    assert told.types[:2] == ["response.created", "mcp_list_tools.in_progress"]
    assert told.commands(Start) == []
    hand.session.mcp_listed("weather", [FORECAST])
    told = hand.told()
    assert [tool.name for tool in told.command(Start).context.mcp] == ["forecast"]
    assert hand.session.view()["tools"] == []


@row("O-34")
def test_a_cancel_goes_to_the_models_before_the_events_that_tell_of_it():
    told = answering(TextPart("It is"), SECOND).voice(64)
    assert told.command(Cancel) == Cancel("resp_1")
    assert told.names.index("Cancel") < told.names.index("response.done")


@row("O-51")
def test_the_close_comes_after_the_word():
    hand = Hand()
    told = hand.wait(3601)
    assert told.names == ["error", "Close"]
    assert told.command(Close).code == 1001
