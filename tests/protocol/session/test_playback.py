"""A media track: what was heard, and what is told of it."""

from tests.protocol.hand import Hand
from vivavoce.protocol.session.commands import FlushPlayback, Trim
from vivavoce.protocol.session.parts import AudioPart, Done, TextPart

SECOND = AudioPart(bytes(48_000), 24_000)


def speaking(*parts) -> Hand:
    hand = Hand(media=True)
    hand.respond()
    hand.model("resp_1", *(parts or (TextPart("One two three four."), SECOND)))
    return hand


def test_a_sound_starts_once_and_stops_when_all_was_heard():
    hand = Hand(media=True)
    hand.respond()
    told = hand.model("resp_1", TextPart("One."), SECOND, SECOND)
    assert told.names.count("output_audio_buffer.started") == 1
    assert told.names.index("response.content_part.added") < told.names.index("output_audio_buffer.started")
    assert told.one("output_audio_buffer.started")["response_id"] == "resp_1"
    assert hand.played("item_1", 1000) == []
    assert "output_audio_buffer.stopped" not in hand.model("resp_1", Done()).names
    assert hand.session.busy
    assert hand.played("item_1", 2000, drained=True).names == ["output_audio_buffer.stopped"]
    assert not hand.session.busy


def test_an_answer_that_is_made_more_slowly_than_it_sounds_stops_after_its_end():
    hand = speaking()
    assert hand.played("item_1", 1000, drained=True) == []
    assert hand.model("resp_1", Done()).names[-2:] == ["response.done", "output_audio_buffer.stopped"]


def test_on_a_websocket_the_client_plays():
    hand = Hand()
    hand.respond()
    told = hand.model("resp_1", TextPart("One."), SECOND, Done())
    assert not [name for name in told.names if name.startswith("output_audio_buffer")]
    assert hand.played("item_1", 500, drained=True) == []
    told = hand.say("output_audio_buffer.clear")
    assert told.refusal == ("invalid_value", "type")


def test_who_speaks_over_the_sound_silences_it_first_and_keeps_what_was_heard():
    hand = speaking()
    hand.played("item_1", 500)
    told = hand.voice(64)
    assert told.names[:3] == ["FlushPlayback", "input_audio_buffer.speech_started", "Cancel"]
    assert told.names[-4:] == ["response.done", "output_audio_buffer.cleared", "Trim", "conversation.item.truncated"]
    assert told.command(FlushPlayback).item_id == "item_1"
    assert told.command(Trim) == Trim("item_1", 12_000)
    truncated = told.one("conversation.item.truncated")
    assert (truncated["item_id"], truncated["audio_end_ms"]) == ("item_1", 500)
    retrieved = hand.say("conversation.item.retrieve", item_id="item_1")
    assert retrieved[0].event["item"]["content"][0]["transcript"] == "One two"  # type: ignore[union-attr]


def test_an_answer_that_is_made_and_still_sounds_is_silenced_too():
    hand = speaking()
    hand.model("resp_1", Done())
    told = hand.voice(64)
    assert told.names == [
        "FlushPlayback",
        "input_audio_buffer.speech_started",
        "output_audio_buffer.cleared",
        "Trim",
        "conversation.item.truncated",
    ]


def test_what_was_heard_to_its_end_is_not_cut():
    hand = speaking()
    hand.model("resp_1", Done())
    hand.played("item_1", 1000, drained=True)
    assert hand.voice(64).names == ["input_audio_buffer.speech_started"]


def test_with_interruption_off_the_sound_goes_on():
    hand = speaking()
    hand.hearing(turn_detection={"type": "server_vad", "interrupt_response": False})
    assert hand.voice(64).names == ["input_audio_buffer.speech_started"]


def test_a_client_cancels_and_clears():
    hand = speaking()
    hand.played("item_1", 250)
    assert hand.say("response.cancel").names[-1] == "response.done"
    told = hand.say("output_audio_buffer.clear")
    assert told.names == ["FlushPlayback", "output_audio_buffer.cleared", "Trim", "conversation.item.truncated"]
    assert told.one("conversation.item.truncated")["audio_end_ms"] == 250
    assert hand.say("output_audio_buffer.clear").names == []


def test_clearing_alone_ends_the_making_too():
    hand = speaking()
    told = hand.say("output_audio_buffer.clear")
    assert told.names[:2] == ["FlushPlayback", "Cancel"]
    assert told.names[-3:] == ["output_audio_buffer.cleared", "Trim", "conversation.item.truncated"]
    assert hand.respond().names == ["response.created", "Start"]


def test_answers_in_a_row_start_and_stop_one_after_the_other():
    hand = speaking(TextPart("One."), SECOND, Done())
    hand.respond()
    assert "output_audio_buffer.started" not in hand.model("resp_2", TextPart("Two."), SECOND, Done()).names
    told = hand.played("item_2", 20)
    assert [(event["type"][20:], event["response_id"]) for event in told.events] == [
        ("stopped", "resp_1"),
        ("started", "resp_2"),
    ]
    assert hand.played("item_2", 1000, drained=True).names == ["output_audio_buffer.stopped"]


def test_the_next_answer_may_still_be_on_its_way_when_the_track_has_nothing_left():
    hand = speaking(TextPart("One."), SECOND, Done())
    hand.respond()
    hand.model("resp_2", TextPart("Two."), SECOND)
    assert hand.played("item_1", 1000, drained=True) == []
    assert hand.played("item_2", 20).types == ["output_audio_buffer.stopped", "output_audio_buffer.started"]


def test_interrupting_cuts_everything_that_waits():
    hand = speaking(TextPart("One."), SECOND, Done())
    hand.respond()
    hand.model("resp_2", TextPart("Two."), SECOND)
    hand.played("item_1", 900)
    told = hand.voice(64)
    assert [command.item_id for command in told.commands(FlushPlayback)] == ["item_1", "item_2"]
    assert told.names.count("output_audio_buffer.cleared") == 1
    ends = [(event["item_id"], event["audio_end_ms"]) for event in told.all("conversation.item.truncated")]
    assert ends == [("item_1", 900), ("item_2", 0)]


def test_out_of_band_sound_is_silenced_without_a_word_of_items():
    hand = Hand(media=True)
    hand.respond(conversation="none")
    hand.model("resp_1", TextPart("One."), SECOND)
    told = hand.voice(64)
    assert told.names[0] == "FlushPlayback"
    assert "output_audio_buffer.cleared" in told.names
    assert not [name for name in told.names if name.startswith("conversation.item")]


def test_news_of_what_was_flushed_meanwhile_is_old():
    hand = speaking()
    hand.voice(64)
    assert hand.played("item_1", 700, drained=True) == []


def test_answers_that_are_made_in_turns_sound_in_one_piece_each():
    """A track plays an item in one piece, whatever comes between its parts."""
    hand = Hand(media=True)
    hand.respond(conversation="none")
    hand.respond(conversation="none")
    hand.model("resp_1", TextPart("One."), SECOND)
    hand.model("resp_2", TextPart("Two."), SECOND)
    hand.model("resp_1", SECOND, Done())
    hand.model("resp_2", Done())
    assert hand.played("item_1", 2000) == []
    assert hand.played("item_2", 500).names == ["output_audio_buffer.stopped", "output_audio_buffer.started"]
    assert hand.played("item_2", 1000, drained=True).names == ["output_audio_buffer.stopped"]
