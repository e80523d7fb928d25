"""The user's words: what is told of them, and what they cost."""

import pytest

from tests.protocol.hand import Hand
from vivavoce.protocol.session.commands import Start, Transcribe

EVENT = "conversation.item.input_audio_transcription"


def listening(model: str | None = "whisper-1", **session) -> Hand:
    asked = None if model is None else {"model": model, "language": "en"}
    return Hand(audio={"input": {"transcription": asked}}, **session)


def test_the_words_come_as_one_delta_and_are_completed():
    hand = listening()
    assert hand.turn().command(Transcribe).hints.language == "en"  # type: ignore[union-attr]
    told = hand.heard("item_1", "hello there")
    assert told.types == [f"{EVENT}.delta", f"{EVENT}.completed"]
    delta, completed = told.events
    assert (delta["item_id"], delta["content_index"], delta["delta"]) == ("item_1", 0, "hello there")
    assert (completed["transcript"], completed["content_index"]) == ("hello there", 0)


def test_silence_is_completed_too():
    hand = listening()
    hand.turn()
    told = hand.heard("item_1", "")
    assert told.types == [f"{EVENT}.completed"]
    assert told.events[0]["transcript"] == ""


def test_a_failure_is_its_own_event_and_stops_no_answer():
    hand = listening()
    hand.turn()
    told = hand.unheard("item_1", "Too loud.")
    assert told.types == [f"{EVENT}.failed"]
    assert told.events[0]["error"]["message"] == "Too loud."
    assert hand.say("response.cancel").types[-1] == "response.done"


@pytest.mark.parametrize(
    ("model", "usage"),
    [
        ("whisper-1", {"type": "duration", "seconds": 1}),
        ("gpt-realtime-whisper", {"type": "duration", "seconds": 1}),
        (
            "gpt-4o-mini-transcribe",
            {
                "type": "tokens",
                "total_tokens": 11,
                "input_tokens": 8,
                "input_token_details": {"text_tokens": 0, "audio_tokens": 8},
                "output_tokens": 3,
            },
        ),
    ],
)
def test_what_it_costs(model, usage):
    hand = listening(model)
    hand.turn()  # 736 ms
    assert hand.heard("item_1", "hello there").events[-1]["usage"] == usage


def test_what_was_asked_for_when_the_audio_came_holds_for_it():
    hand = listening("gpt-4o-transcribe")
    hand.turn()
    hand.hearing(transcription=None)
    assert hand.heard("item_1", "hello").events[-1]["usage"]["type"] == "tokens"
    hand.turn()
    assert hand.heard("item_2", "hello") == []


def test_unasked_the_words_are_for_the_mind_alone():
    hand = listening(None)
    told = hand.turn()
    assert hand.heard("item_1", "hello") == []
    (item,) = told.command(Start).context.items
    assert item.content[0].words == "hello"
    retrieved = hand.say("conversation.item.retrieve", item_id="item_1")
    assert retrieved[0].event["item"]["content"][0]["transcript"] is None  # type: ignore[union-attr]


def test_words_come_when_they_come():
    hand = listening()
    hand.turn()
    hand.say("response.cancel")
    hand.turn()
    assert hand.heard("item_2", "second").events[-1]["item_id"] == "item_2"
    assert hand.heard("item_1", "first").events[-1]["item_id"] == "item_1"


def test_words_of_an_item_that_is_gone_are_for_nobody():
    hand = listening()
    hand.turn()
    hand.say("conversation.item.delete", item_id="item_1")
    assert hand.heard("item_1", "hello") == []
    hand.create("x", id="item_1")
    assert hand.heard("item_1", "hello") == []
