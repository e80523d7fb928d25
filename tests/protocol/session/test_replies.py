"""Responses: how they begin, what they are made of, how they end."""

import pytest

from tests.protocol.hand import Hand, Told
from vivavoce.protocol.session.commands import Cancel, Start
from vivavoce.protocol.session.parts import Arguments, AudioPart, CallPart, Done, Failed, TextPart, Usage
from vivavoce.protocol.session.underway import MAX_RESPONSES
from vivavoce.protocol.wire.config import CustomVoice, FunctionChoice, Pcma, Pcmu

SOUND = AudioPart(bytes(4800), 2400)

OPENED = ["response.output_item.added", "conversation.item.added"]
CLOSED = ["response.output_item.done", "conversation.item.done"]


def responding(*, media: bool = False, **response) -> tuple[Hand, Told]:
    hand = Hand(media=media)
    return hand, hand.respond(**response)


# Text and audio -------------------------------------------------------------------------------------


def test_a_text_answer():
    hand, told = responding(output_modalities=["text"])
    assert told.names == ["response.created", "Start"]
    told = hand.model("resp_1", TextPart("It is "), TextPart("noon."), Done())
    assert told.names == [
        *OPENED,
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        *CLOSED,
        "response.done",
    ]
    assert told.one("response.content_part.added")["part"] == {"type": "text", "text": ""}
    assert told.one("response.content_part.done")["part"] == {"type": "text", "text": "It is noon."}
    assert told.one("response.output_text.done")["text"] == "It is noon."
    item = told.one("response.output_item.done")["item"]
    assert item == told.one("conversation.item.done")["item"]
    assert (item["status"], item["content"]) == ("completed", [{"type": "output_text", "text": "It is noon."}])
    done = told.one("response.done")["response"]
    assert (done["status"], done["status_details"], done["output"]) == ("completed", None, [item])


def test_a_spoken_answer():
    hand, _ = responding()
    told = hand.model("resp_1", TextPart("It is "), SOUND, TextPart("noon."), SOUND, Done())
    assert told.names == [
        *OPENED,
        "response.content_part.added",
        "response.output_audio_transcript.delta",
        "response.output_audio.delta",
        "response.output_audio_transcript.delta",
        "response.output_audio.delta",
        "response.output_audio.done",
        "response.output_audio_transcript.done",
        "response.content_part.done",
        *CLOSED,
        "response.done",
    ]
    assert told.one("response.content_part.added")["part"] == {"type": "audio", "transcript": ""}
    assert told.one("response.output_item.added")["item"]["content"] == []
    assert told.one("response.done")["response"]["output"][0]["content"] == [
        {"type": "output_audio", "transcript": "It is noon."}
    ]


def test_the_response_object_is_whole_from_the_start():
    created = responding(metadata={"k": "v"})[1].one("response.created")["response"]
    assert created == {
        "object": "realtime.response",
        "id": "resp_1",
        "status": "in_progress",
        "status_details": None,
        "output": [],
        "conversation_id": "conv_1",
        "output_modalities": ["audio"],
        "max_output_tokens": "inf",
        "audio": {"output": {"format": {"type": "audio/pcm", "rate": 24000}, "voice": "marin"}},
        "usage": None,
        "metadata": {"k": "v"},
    }


def test_an_answer_of_nothing():
    hand, _ = responding()
    told = hand.model("resp_1", Done())
    assert told.names == ["response.done"]
    assert told.one("response.done")["response"]["output"] == []


# Calls ----------------------------------------------------------------------------------------------


def test_a_call():
    hand, _ = responding()
    told = hand.model("resp_1", CallPart("clock", "call_9"), Arguments('{"zone":'), Arguments('"UTC"}'), Done())
    assert told.names == [
        *OPENED,
        "response.function_call_arguments.delta",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        *CLOSED,
        "response.done",
    ]
    added, done = told.one("response.output_item.added")["item"], told.one("response.output_item.done")["item"]
    assert (added["status"], added["name"], added["call_id"], added["arguments"]) == (
        "in_progress",
        "clock",
        "call_9",
        "",
    )
    assert (done["status"], done["arguments"]) == ("completed", '{"zone":"UTC"}')
    finished = told.one("response.function_call_arguments.done")
    assert (finished["name"], finished["call_id"], finished["arguments"]) == ("clock", "call_9", '{"zone":"UTC"}')
    assert "content_index" not in finished


def test_a_message_and_several_calls_in_one_response():
    hand, _ = responding()
    told = hand.model("resp_1", TextPart("One moment."), SOUND, CallPart("a"), Arguments("{}"), CallPart("b"), Done())
    added = told.all("response.output_item.added")
    assert [event["output_index"] for event in added] == [0, 1, 2]
    assert [event["item"]["type"] for event in added] == ["message", "function_call", "function_call"]
    assert [event["item"]["status"] for event in told.all("response.output_item.done")] == ["completed"] * 3
    calls = [event["item"]["call_id"] for event in added[1:]]
    assert len(set(calls)) == 2
    done = told.one("response.done")["response"]
    assert [item["type"] for item in done["output"]] == ["message", "function_call", "function_call"]


def test_words_after_a_call_are_another_message():
    hand, _ = responding(output_modalities=["text"])
    told = hand.model("resp_1", TextPart("a"), CallPart("f"), TextPart("b"), Done())
    texts = [event["item"].get("content") for event in told.all("response.output_item.done")]
    assert texts == [[{"type": "output_text", "text": "a"}], None, [{"type": "output_text", "text": "b"}]]


def test_the_output_of_a_call_answers_nothing_by_itself():
    hand, _ = responding()
    hand.model("resp_1", CallPart("clock", "call_9"), Done())
    output = {"type": "function_call_output", "call_id": "call_9", "output": "noon"}
    told = hand.say("conversation.item.create", item=output)
    assert told.names == ["conversation.item.added", "conversation.item.done"]
    context = hand.respond().command(Start).context
    assert [item.type for item in context.items] == ["function_call", "function_call_output"]


# Endings --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", ["max_output_tokens", "content_filter"])
def test_an_answer_that_is_cut_is_incomplete_and_closed_all_the_same(reason):
    hand, _ = responding()
    told = hand.model("resp_1", TextPart("Once upon"), SOUND, Done(reason))
    assert told.one("response.output_audio_transcript.done")["transcript"] == "Once upon"
    assert told.one("response.output_item.done")["item"]["status"] == "incomplete"
    done = told.one("response.done")["response"]
    assert (done["status"], done["status_details"]) == ("incomplete", {"type": "incomplete", "reason": reason})


def test_an_answer_that_fails_says_why_and_costs_nothing():
    hand, _ = responding()
    told = hand.model("resp_1", TextPart("Once"), Failed("model_error", "It fell over."))
    done = told.one("response.done")["response"]
    assert done["status"] == "failed"
    assert done["status_details"] == {
        "type": "failed",
        "error": {"type": "server_error", "code": "model_error", "message": "It fell over."},
    }
    assert done["usage"]["total_tokens"] == 0
    assert told.one("response.output_item.done")["item"]["status"] == "incomplete"
    assert hand.respond().names == ["response.created", "Start"]


def test_cancelling_closes_what_was_open():
    hand, _ = responding()
    hand.model("resp_1", TextPart("It is"), SOUND)
    told = hand.say("response.cancel")
    assert told.names == [
        "Cancel",
        "response.output_audio.done",
        "response.output_audio_transcript.done",
        "response.content_part.done",
        *CLOSED,
        "response.done",
    ]
    assert told.one("response.output_item.done")["item"]["status"] == "incomplete"
    done = told.one("response.done")["response"]
    assert done["status"] == "cancelled"
    assert done["status_details"] == {"type": "cancelled", "reason": "client_cancelled"}
    assert done["usage"]["output_tokens"] > 0
    assert hand.model("resp_1", TextPart(" late"), SOUND, Done()) == []


def test_cancelling_before_anything_was_made():
    hand, _ = responding()
    told = hand.say("response.cancel")
    assert told.names == ["Cancel", "response.done"]
    assert told.one("response.done")["response"]["output"] == []


def test_cancelling_what_is_not_there_is_forgiven_with_a_code():
    hand, _ = responding()
    assert hand.say("response.cancel", response_id="resp_9").error["code"] == "response_cancel_not_active"
    hand.say("response.cancel")
    for _ in range(2):
        told = hand.say("response.cancel", event_id="mine")
        assert (told.error["code"], told.error["event_id"]) == ("response_cancel_not_active", "mine")


# Interruption and turns -----------------------------------------------------------------------------


def test_who_speaks_over_an_answer_ends_it():
    hand, _ = responding()
    hand.model("resp_1", TextPart("It is"), SOUND)
    told = hand.voice(64)
    assert told.names[:2] == ["input_audio_buffer.speech_started", "Cancel"]
    assert told.one("response.done")["response"]["status_details"] == {"type": "cancelled", "reason": "turn_detected"}
    assert hand.voice(320).names == []


def test_with_interruption_off_the_answer_goes_on_and_one_more_is_owed():
    hand = Hand()
    hand.hearing(turn_detection={"type": "server_vad", "interrupt_response": False})
    hand.respond()
    hand.model("resp_1", TextPart("It is"), SOUND)
    for _ in range(3):
        assert "response.created" not in hand.turn().names
    told = hand.model("resp_1", Done())
    assert told.names[-3:] == ["response.done", "response.created", "Start"]
    assert len(told.command(Start).context.items) == 4
    assert hand.model("resp_2", Done()).names == ["response.done"]


def test_an_owed_answer_follows_a_cancelled_one_too():
    hand = Hand()
    hand.hearing(turn_detection={"type": "server_vad", "interrupt_response": False})
    hand.respond()
    hand.turn()
    assert hand.say("response.cancel").names[-2:] == ["response.created", "Start"]


def test_a_second_answer_in_the_conversation_is_refused():
    hand, _ = responding()
    told = hand.say("response.create", event_id="mine")
    assert (told.error["code"], told.error["event_id"]) == ("conversation_already_has_active_response", "mine")
    assert "resp_1" in told.error["message"]


# Out of band ----------------------------------------------------------------------------------------


def test_out_of_band_says_nothing_of_conversation_items_and_keeps_none():
    hand, told = responding(conversation="none", output_modalities=["text"], metadata={"for": "topic"})
    assert told.one("response.created")["response"]["conversation_id"] is None
    told = hand.model("resp_1", TextPart("Weather."), Done())
    assert not [name for name in told.names if name.startswith("conversation.")]
    done = told.one("response.done")["response"]
    assert (done["metadata"], done["conversation_id"]) == ({"for": "topic"}, None)
    item_id = done["output"][0]["id"]
    assert hand.say("conversation.item.retrieve", item_id=item_id).error["code"] == "item_retrieve_invalid_item_id"
    assert hand.respond().command(Start).context.items == ()


def test_out_of_band_runs_beside_the_conversation_and_is_not_interrupted():
    hand, _ = responding()
    assert hand.respond(conversation="none").names == ["response.created", "Start"]
    hand.model("resp_2", TextPart("x"))
    told = hand.voice(64)
    assert told.command(Cancel).response_id == "resp_1"
    assert hand.model("resp_2", Done()).one("response.done")["response"]["status"] == "completed"


def test_out_of_band_can_be_cancelled_by_name_only():
    hand, _ = responding(conversation="none")
    assert hand.say("response.cancel").error["code"] == "response_cancel_not_active"
    assert hand.say("response.cancel", response_id="resp_1").names == ["Cancel", "response.done"]


def test_there_is_a_bound_on_responses_out_of_band():
    hand = Hand()
    for _ in range(MAX_RESPONSES):
        hand.respond(conversation="none")
    assert hand.respond(conversation="none").error["code"] == "rate_limit_exceeded"


# What one response may have for itself --------------------------------------------------------------


def test_overrides_hold_for_one_response():
    hand = Hand(instructions="Session.", tools=[{"type": "function", "name": "s"}])
    told = hand.respond(
        instructions="Mine.",
        tools=[{"type": "function", "name": "f"}],
        tool_choice={"type": "function", "name": "f"},
        max_output_tokens=7,
        audio={"output": {"voice": {"id": "voice_1"}, "format": {"type": "audio/pcmu"}}},
    )
    context = told.command(Start).context
    assert context.instructions == "Mine."
    assert [tool.name for tool in context.tools] == ["f"]
    assert context.tool_choice == FunctionChoice(name="f")
    assert (context.max_output_tokens, context.voice, context.format) == (7, "voice_1", Pcmu())
    shown = told.one("response.created")["response"]
    assert shown["max_output_tokens"] == 7
    assert shown["audio"]["output"] == {"format": {"type": "audio/pcmu"}, "voice": "voice_1"}
    hand.model("resp_1", Done())
    context = hand.respond().command(Start).context
    assert (context.instructions, context.max_output_tokens, context.voice) == ("Session.", None, "marin")
    assert [tool.name for tool in context.tools] == ["s"]


def test_the_session_gives_what_a_response_does_not():
    hand = Hand(audio={"output": {"format": {"type": "audio/pcma"}, "voice": "ash", "speed": 1.25}}, tool_choice="none")
    context = hand.respond().command(Start).context
    assert (context.format, context.voice, context.speed, context.tool_choice) == (Pcma(), "ash", 1.25, "none")
    assert not isinstance(context.voice, CustomVoice)


def test_input_takes_the_place_of_the_conversation():
    hand = Hand()
    hand.create("in the conversation")
    raw = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "raw"}]}
    told = hand.respond(conversation="none", input=[{"type": "item_reference", "id": "item_1"}, raw])
    words = [item.content[0].words for item in told.command(Start).context.items]
    assert words == ["in the conversation", "raw"]
    assert hand.respond(conversation="none", input=[]).command(Start).context.items == ()
    assert len(hand.respond(conversation="none", input=None).command(Start).context.items) == 1


def test_input_with_the_conversation_puts_the_output_there():
    hand, told = responding(input=[], output_modalities=["text"])
    assert told.one("response.created")["response"]["conversation_id"] == "conv_1"
    assert "conversation.item.added" in hand.model("resp_1", TextPart("x"), Done()).names


@pytest.mark.parametrize(
    ("wrong", "code", "param"),
    [
        ({"modalities": ["text"]}, "unknown_parameter", "response.modalities"),
        ({"conversation": "other"}, "invalid_value", "response.conversation"),
        ({"output_modalities": ["text", "audio"]}, "invalid_value", "response.output_modalities"),
        ({"metadata": {"k": 1}}, "invalid_type", "response.metadata"),
        ({"metadata": {str(n): "v" for n in range(17)}}, "invalid_value", "response.metadata"),
        ({"max_output_tokens": 0}, "invalid_value", "response.max_output_tokens"),
        ({"input": [{"type": "item_reference", "id": "item_9"}]}, "item_retrieve_invalid_item_id", None),
        ({"input": [{"type": "message", "role": "user", "content": []}]}, "invalid_value", "response.input[0].content"),
    ],
)
def test_a_wrong_response_is_refused_and_none_begins(wrong, code, param):
    hand = Hand()
    assert hand.respond(**wrong).refusal == (code, param)
    assert hand.respond().names == ["response.created", "Start"]


def test_a_conversation_that_is_too_long_and_may_not_be_cut_is_an_error_also_where_nobody_asked():
    hand = Hand(truncation="disabled")
    hand.create("word " * 30_000)
    assert hand.respond().error["code"] == "context_length_exceeded"
    told = hand.turn()
    assert told.names[-2:] == ["Transcribe", "error"]
    assert told.one("error")["error"]["event_id"] is None
    hand.update(truncation="auto")
    assert hand.respond().command(Start).context.items[0].id == "item_2"


# Usage ----------------------------------------------------------------------------------------------


def test_usage_counts_audio_by_the_rates_of_the_api_and_text_as_the_model_did():
    hand = Hand()
    hand.audio(1000)
    hand.say("input_audio_buffer.commit")
    hand.create("some text")
    hand.respond()
    told = hand.model("resp_1", TextPart("Yes."), AudioPart(bytes(48_000), 24_000), Done("stop", Usage(40, 3, 16)))
    assert told.one("response.done")["response"]["usage"] == {
        "total_tokens": 40 + 10 + 3 + 20,
        "input_tokens": 50,
        "output_tokens": 23,
        "input_token_details": {
            "text_tokens": 40,
            "audio_tokens": 10,
            "image_tokens": 0,
            "cached_tokens": 16,
            "cached_tokens_details": {"text_tokens": 16, "audio_tokens": 0, "image_tokens": 0},
        },
        "output_token_details": {"text_tokens": 3, "audio_tokens": 20},
    }


def test_usage_is_estimated_where_the_model_does_not_count_and_grows_with_the_conversation():
    hand = Hand(output_modalities=["text"], instructions="")
    counts = []
    for number in range(3):
        hand.create("twelve chars")
        hand.respond()
        told = hand.model(f"resp_{number + 1}", TextPart("four"), Done())
        counts.append(told.one("response.done")["response"]["usage"]["input_tokens"])
    assert counts == [3, 3 + 1 + 3, 3 + 1 + 3 + 1 + 3]


def test_what_the_model_cached_is_part_of_the_input():
    hand, _ = responding(output_modalities=["text"])
    told = hand.model("resp_1", Done("stop", Usage(10, 1, 99)))
    assert told.one("response.done")["response"]["usage"]["input_token_details"]["cached_tokens"] == 10
