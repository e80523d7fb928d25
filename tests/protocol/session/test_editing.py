"""What a client does to the conversation."""

import pytest

from tests.protocol.hand import Hand
from vivavoce.protocol.session.commands import Cancel, Forget, Import, Retrieve, Start, Trim
from vivavoce.protocol.session.parts import AudioPart, CallPart, Done, TextPart

SECOND = AudioPart(bytes(48_000), 24_000)
TEXT = [{"type": "input_text", "text": "x"}]


def order(hand: Hand) -> list[str]:
    return [item.id for item in hand.respond(conversation="none").command(Start).context.items]


def item(**fields):
    return {"type": "message", "role": "user", "content": TEXT, **fields}


# Create ---------------------------------------------------------------------------------------------


def test_an_item_is_added_and_done():
    hand = Hand()
    told = hand.create("hello")
    assert told.names == ["conversation.item.added", "conversation.item.done"]
    for event in told.events:
        assert event["previous_item_id"] is None
        assert event["item"] == {
            "id": "item_1",
            "object": "realtime.item",
            "type": "message",
            "status": "completed",
            "role": "user",
            "content": [{"type": "input_text", "text": "hello"}],
        }


def test_items_go_where_they_are_put():
    hand = Hand()
    hand.create("b", id="b")
    assert hand.create("c", id="c").events[0]["previous_item_id"] == "b"
    assert hand.create("a", id="a", previous_item_id="root").events[0]["previous_item_id"] is None
    assert hand.create("d", id="d", previous_item_id="b").events[0]["previous_item_id"] == "b"
    assert hand.create("e", id="e", previous_item_id=None).events[0]["previous_item_id"] == "c"
    assert order(hand) == ["a", "b", "d", "c", "e"]


@pytest.mark.parametrize(
    ("given", "code", "param"),
    [
        ({"item": item(), "previous_item_id": "nobody"}, "invalid_value", "previous_item_id"),
        ({"item": item(id="there")}, "invalid_value", "item.id"),
        ({"item": item(role="robot")}, "invalid_value", "item.role"),
        ({"item": item(content=[])}, "invalid_value", "item.content"),
        ({"item": item(content=[{"type": "text", "text": "x"}])}, "invalid_value", "item.content[0].type"),
        ({"item": item(role="assistant")}, "invalid_value", "item.content[0].type"),
        ({"item": item(role="system", content=[{"type": "input_image", "image_url": "data:image/png;base64,AA"}])},
         "invalid_value", "item.content[0].type"),
        ({"item": item(content=[{"type": "input_image", "image_url": "https://example.com/x.png"}])},
         "invalid_value", "item.content[0].image_url"),
        ({"item": item(surprise=1)}, "unknown_parameter", "item.surprise"),
        ({"item": {"type": "reasoning"}}, "invalid_value", "item.type"),
        ({"item": {"type": "item_reference", "id": "other"}}, "invalid_value", "item.type"),
        ({"item": {"type": "function_call", "arguments": "{}"}}, "missing_required_parameter", "item.name"),
        ({"item": {"type": "function_call_output", "call_id": "no", "output": "x"}}, "invalid_value", "item.call_id"),
        ({}, "missing_required_parameter", "item"),
    ],
)  # fmt: skip
def test_an_item_that_is_wrong_is_not_added(given, code, param):
    hand = Hand()
    hand.create("x", id="there")
    assert hand.say("conversation.item.create", **given).refusal == (code, param)
    assert order(hand) == ["there"]


def test_the_id_of_a_turn_under_way_is_taken():
    hand = Hand()
    item_id = hand.voice(64).one("input_audio_buffer.speech_started")["item_id"]
    assert hand.create("x", id=item_id).refusal == ("invalid_value", "item.id")


def test_a_history_with_calls_is_put_back():
    hand = Hand()
    call = {"type": "function_call", "id": "a", "name": "f", "arguments": "{}", "call_id": "call_9"}
    hand.say("conversation.item.create", item=call)
    output = {"type": "function_call_output", "id": "b", "call_id": "call_9", "output": "noon"}
    told = hand.say("conversation.item.create", item=output)
    assert told.events[0]["item"] == {**output, "object": "realtime.item", "status": "completed"}
    hand.create("It is noon.", "assistant")
    assert len(order(hand)) == 3


def test_assistant_audio_is_put_in_as_its_words():
    told = Hand().say(
        "conversation.item.create", item=item(role="assistant", content=[{"type": "output_audio", "transcript": "Hm."}])
    )
    assert told.events[0]["item"]["content"] == [{"type": "output_text", "text": "Hm."}]


def test_an_image_is_shown_as_it_came():
    image = {"type": "input_image", "image_url": "data:image/png;base64,AA", "detail": "low"}
    assert Hand().say("conversation.item.create", item=item(content=[image])).events[0]["item"]["content"] == [image]


def test_a_recording_is_imported_and_not_echoed():
    hand = Hand(audio={"input": {"transcription": {"model": "whisper-1"}}})
    told = hand.say("conversation.item.create", item=item(content=[{"type": "input_audio", "audio": "AAAAAAAA"}]))
    assert told.names == ["conversation.item.added", "conversation.item.done", "Import"]
    assert told.events[0]["item"]["content"] == [{"type": "input_audio", "transcript": None}]
    assert (told.command(Import).item_id, told.command(Import).audio) == ("item_1", "AAAAAAAA")
    assert hand.heard("item_1", "hello").one("conversation.item.input_audio_transcription.completed")


def test_a_recordings_words_are_told_only_on_request():
    hand = Hand()
    hand.say("conversation.item.create", item=item(content=[{"type": "input_audio", "audio": "AAAAAAAA"}]))
    assert hand.heard("item_1", "hello") == []
    (given,) = hand.respond().command(Start).context.items
    assert given.content[0].words == "hello"


# Retrieve and delete --------------------------------------------------------------------------------


def test_retrieve_has_the_item_and_says_where_its_audio_belongs():
    hand = Hand()
    hand.respond()
    hand.model("resp_1", TextPart("Hello."), SECOND, Done())
    told = hand.say("conversation.item.retrieve", item_id="item_1")
    command = told.command(Retrieve)
    assert told.names == ["Retrieve"]
    assert (command.item_id, command.audio_parts) == ("item_1", (0,))
    assert command.event["type"] == "conversation.item.retrieved"
    assert command.event["item"]["content"] == [{"type": "output_audio", "transcript": "Hello."}]


def test_an_item_can_be_retrieved_while_it_is_made():
    hand = Hand()
    hand.respond()
    hand.model("resp_1", CallPart("f"))
    assert (
        hand.say("conversation.item.retrieve", item_id="item_1").command(Retrieve).event["item"]["status"]
        == "in_progress"
    )


def test_what_is_deleted_is_gone_and_its_id_is_free():
    hand = Hand()
    for name in "abc":
        hand.create(name, id=name)
    told = hand.say("conversation.item.delete", item_id="c")
    assert told.names == ["conversation.item.deleted", "Forget"]
    assert told.command(Forget).item_id == "c"
    assert hand.create("d", id="d").events[0]["previous_item_id"] == "b"
    assert hand.create("c again", id="c").events[0]["previous_item_id"] == "d"
    assert order(hand) == ["a", "b", "d", "c"]


def test_an_item_that_is_deleted_while_it_is_made_is_not_done():
    hand = Hand()
    hand.respond()
    hand.model("resp_1", TextPart("Hello."))
    hand.say("conversation.item.delete", item_id="item_1")
    told = hand.model("resp_1", Done())
    assert "conversation.item.done" not in told.names
    assert told.one("response.done")["response"]["output"][0]["id"] == "item_1"


@pytest.mark.parametrize("operation", ["retrieve", "delete", "truncate"])
def test_an_unknown_item(operation):
    extra = {"content_index": 0, "audio_end_ms": 0} if operation == "truncate" else {}
    told = Hand().say(f"conversation.item.{operation}", item_id="nobody", event_id="mine", **extra)
    assert told.refusal == (f"item_{operation}_invalid_item_id", None)
    assert "nobody" in told.error["message"]
    assert told.error["event_id"] == "mine"


# Truncate -------------------------------------------------------------------------------------------


def answered() -> Hand:
    hand = Hand()
    hand.respond()
    hand.model("resp_1", TextPart("One two three four. "), SECOND, TextPart("Five six."), SECOND, Done())
    return hand


def cut(hand: Hand, ms: int):
    return hand.say("conversation.item.truncate", item_id="item_1", content_index=0, audio_end_ms=ms)


def words(hand: Hand) -> str:
    event = hand.say("conversation.item.retrieve", item_id="item_1").command(Retrieve).event
    return str(event["item"]["content"][0]["transcript"])


@pytest.mark.parametrize(
    ("ms", "left"),
    [
        (0, ""),
        (100, ""),
        (200, "One"),
        (500, "One two"),
        (1000, "One two three four."),
        (1500, "One two three four. Five"),
        (2000, "One two three four. Five six."),
    ],
)
def test_a_cut_keeps_what_was_heard(ms, left):
    hand = answered()
    told = cut(hand, ms)
    assert told.names == ["Trim", "conversation.item.truncated"]
    assert told.command(Trim) == Trim("item_1", ms * 24)
    assert told.one("conversation.item.truncated")["audio_end_ms"] == ms
    assert words(hand) == left


@pytest.mark.parametrize(("ms", "kept"), [(2001, 2000), (2100, 2000)])
def test_a_cut_a_little_past_the_end_is_one_at_the_end(ms, kept):
    assert cut(answered(), ms).one("conversation.item.truncated")["audio_end_ms"] == kept


def test_a_cut_far_past_the_end_is_an_error_that_gives_both_lengths():
    error = cut(answered(), 2101).error
    assert "2000ms" in error["message"]
    assert "2101ms" in error["message"]


def test_a_second_cut_never_brings_words_back():
    hand = answered()
    for ms, left in [(500, "One two"), (499, "One two"), (300, "One"), (100, "")]:
        cut(hand, ms)
        assert words(hand) == left
    assert cut(hand, 501 + 100).error["code"] == "invalid_value"


def test_only_the_assistants_audio_can_be_cut():
    hand = Hand()
    hand.turn()
    error = cut(hand, 0).error
    assert error["code"] is None
    assert "Only model output audio" in error["message"]


def test_an_interrupted_answer_is_cut_to_what_was_heard():
    hand = Hand()
    hand.respond()
    hand.model("resp_1", TextPart("One two three four. "), SECOND)
    assert hand.voice(64).command(Cancel)
    assert cut(hand, 500).types == ["conversation.item.truncated"]
    assert words(hand) == "One two"
