"""A voice over an answer, where the client asked for forgiveness: coughs, echoes, interruptions, and tracks that
have stopped playing."""

import pytest

from tests.protocol.hand import Hand, Told
from vivavoce.protocol.session.commands import Cancel, Doubted, FlushPlayback, HoldPlayback, Start, Transcribe, WentOn
from vivavoce.protocol.session.floor import GUARD, STALLED
from vivavoce.protocol.session.parts import AudioPart, Done, TextPart

SECOND = AudioPart(bytes(48_000), 24_000)
STARTED = "input_audio_buffer.speech_started"


def answering(*, media: bool = True, seconds: int = 10, done: bool = True, forgiving: bool = True) -> Hand:
    """An answer of so many seconds, of which two have been heard."""
    hand = Hand(media=media, forgiving=forgiving)
    hand.respond()
    hand.model("resp_1", TextPart("One two three four five six seven eight nine ten."), *[SECOND] * seconds)
    if done:
        hand.model("resp_1", Done())
    hand.silence(1984)
    if media:
        hand.played("item_1", 1984)
    return hand


def sound(hand: Hand, voice: float, silence: float) -> Told:
    return Told([*hand.voice(voice), *hand.silence(silence)])


def test_by_default_a_voice_is_an_interruption():
    told = answering(forgiving=False).voice(64)
    assert told.names[:3] == ["FlushPlayback", STARTED, "output_audio_buffer.cleared"]


@pytest.mark.parametrize("media", [True, False])
def test_a_cough_leaves_no_trace(media):
    hand = answering(media=media)
    told = sound(hand, 320, 96)
    assert told.types == []
    assert told.commands(HoldPlayback) == [HoldPlayback(on=True)]
    told = hand.judged(told.command(Doubted).item_id, wants_floor=False)
    assert told == [HoldPlayback(on=False)]
    assert hand.silence(2000) == []
    assert hand.session.busy is media


@pytest.mark.parametrize("media", [True, False])
def test_who_speaks_on_is_heard_from_the_beginning(media):
    hand = answering(media=media, done=False)
    before = hand.position
    told = hand.voice(928 if media else 608)
    assert told.types == []
    told = hand.voice(32)
    assert told.types[0] == STARTED
    assert told.one(STARTED)["audio_start_ms"] == before * 1000 // 24_000 - 300
    assert told.commands(Cancel)
    if media:
        assert told.names.index("FlushPlayback") < told.names.index(STARTED)
        assert told.one("conversation.item.truncated")["audio_end_ms"] == 1984
    assert told.names.index(STARTED) < told.names.index("HoldPlayback") or media, "who plays it drops it first"
    told = hand.silence(224)
    assert told.command(Transcribe).span.start == before - 300 * 24
    assert told.commands(Start)


def test_a_short_word_that_wants_the_floor_gets_it():
    hand = answering()
    told = sound(hand, 320, 96)
    item_id = told.command(Doubted).item_id
    told = hand.judged(item_id, wants_floor=True)
    assert told.one(STARTED)["item_id"] == item_id
    assert hand.silence(160).one("input_audio_buffer.committed")["item_id"] == item_id


def test_a_turn_that_is_over_when_its_words_are_known_is_answered_at_once():
    hand = answering()
    told = sound(hand, 320, 500)
    assert told.types == []
    told = hand.judged(told.command(Doubted).item_id, wants_floor=True)
    of_the_turn = [type.removeprefix("input_audio_buffer.") for type in told.types if type.startswith("input")]
    assert of_the_turn == ["speech_started", "speech_stopped", "committed"]
    assert told.commands(Start)


def test_words_that_never_come_do_not_keep_the_answer():
    hand = answering()
    hand.voice(320)
    told = hand.silence(1216)
    assert told[-1] == HoldPlayback(on=False)
    assert told.types == []


def test_a_stream_that_stops_in_a_doubt_does_not_keep_the_answer():
    hand = answering()
    hand.voice(320)
    assert hand.wait(1.1) == [HoldPlayback(on=False)]


def test_words_that_were_spoken_on_are_judged_anew():
    hand = answering()
    hand.voice(160)
    asked = hand.silence(96).command(Doubted)
    told = hand.voice(160)
    assert [command.item_id for command in told.commands(WentOn)] == [asked.item_id]
    assert hand.judged(asked.item_id, wants_floor=False) == [], "the answer stands still until all is known"
    again = hand.silence(96).command(Doubted)
    assert again.span.start == asked.span.start
    assert again.span.end > asked.span.end


def test_whoever_speaks_over_the_last_words_answers_them():
    hand = answering(seconds=2)
    assert hand.voice(64).types[0] == STARTED


def test_whoever_speaks_before_anything_sounds_has_not_finished():
    hand = Hand(media=True, forgiving=True)
    hand.respond()
    assert hand.voice(64).types[0] == STARTED


def test_without_interruptions_there_is_nothing_to_doubt():
    hand = answering()
    hand.hearing(turn_detection={"type": "server_vad", "interrupt_response": False})
    assert hand.voice(64).names == [STARTED]


@pytest.mark.parametrize("event", ["commit", "clear"])
def test_a_client_that_takes_the_turn_over_ends_the_doubt(event):
    hand = answering()
    hand.voice(320)
    assert HoldPlayback(on=False) in hand.say(f"input_audio_buffer.{event}")


def test_detection_that_is_switched_off_ends_the_doubt():
    hand = answering()
    hand.voice(320)
    assert HoldPlayback(on=False) in hand.hearing(turn_detection=None)
    assert hand.judged("item_2", wants_floor=True) == []


def test_a_client_that_has_stopped_playing_is_not_talked_over():
    hand = answering(media=False)
    hand.say("conversation.item.truncate", item_id="item_1", content_index=0, audio_end_ms=2000)
    assert hand.voice(64).types == [STARTED]


def test_a_semantic_turn_that_comes_of_a_doubt_is_asked_about():
    hand = answering()
    hand.hearing(turn_detection={"type": "semantic_vad"})
    told = sound(hand, 320, 96)
    hand.judged(told.command(Doubted).item_id, wants_floor=True)
    assert hand.silence(64).names == ["MayEnd"]


# Echo -----------------------------------------------------------------------------------------------


def begun(ms: float) -> Hand:
    """An answer that began to sound so long ago."""
    hand = Hand(media=True, forgiving=True)
    hand.respond()
    hand.silence(320)
    hand.model("resp_1", TextPart("One."), *[SECOND] * 10)
    hand.silence(ms)
    return hand


def test_a_voice_just_after_the_answer_began_is_its_echo():
    hand = begun(128)
    assert hand.voice(512) == []
    assert hand.voice(320).names == ["HoldPlayback"], f"the guard is over after {GUARD} s"


def test_who_speaks_on_through_the_guard_is_heard_from_the_beginning():
    hand = begun(128)
    before = hand.position * 1000 // 24_000
    told = Told([*hand.voice(640), *hand.voice(1024)])
    assert told.one(STARTED)["audio_start_ms"] == before - 300


def test_a_voice_that_began_before_the_answer_is_none():
    hand = begun(0)
    assert hand.voice(64).names == ["HoldPlayback"]


def test_an_echo_that_comes_later_guards_the_answer_again():
    hand = begun(1984)
    asked = sound(hand, 320, 96).command(Doubted)
    assert hand.judged(asked.item_id, wants_floor=False, echo=True) == [HoldPlayback(on=False)]
    assert hand.voice(512) == []


# A track that plays nothing -------------------------------------------------------------------------


def test_an_answer_of_which_nothing_is_played_is_given_up():
    hand = answering(done=False, forgiving=False)
    assert hand.wait(STALLED - 0.1) == []
    told = hand.wait(0.2)
    assert told.command(FlushPlayback)
    assert told.command(Cancel)
    response = told.one("response.done")["response"]
    assert (response["status"], response["status_details"]["error"]["code"]) == ("failed", "playback_stalled")
    assert told.one("output_audio_buffer.cleared")
    assert not hand.session.busy
    assert hand.turn().commands(Start)


def test_a_made_answer_of_which_nothing_is_played_is_cut():
    hand = answering(forgiving=False)
    told = hand.wait(STALLED + 0.1)
    assert told.types == ["output_audio_buffer.cleared", "conversation.item.truncated"]


def test_a_track_that_plays_is_waited_for():
    hand = answering(seconds=30, forgiving=False)
    for heard in range(3000, 30_000, 5000):
        assert hand.wait(5) == []
        hand.played("item_1", heard)
    hand.played("item_1", 30_000, drained=True)
    assert hand.wait(100) == []


def test_a_track_that_has_nothing_to_play_is_not_to_blame():
    hand = answering(seconds=2, done=False, forgiving=False)
    hand.played("item_1", 2000, drained=True)
    assert hand.wait(100) == []


def test_an_answer_that_stands_still_is_not_given_up():
    hand = answering(seconds=40)
    for _ in range(30):  # 36 s of a voice that is neither
        hand.voice(64)
        asked = hand.silence(1120).command(Doubted)
        assert hand.judged(asked.item_id, wants_floor=False) == [HoldPlayback(on=False)]
    assert hand.session.busy
