"""The input side: turns, commits, the buffer."""

import pytest

from tests.protocol.hand import WINDOW, Hand
from vivavoce.protocol.session.commands import RATE, MayEnd, Span, Start, Transcribe, WentOn

COMMITTED = ["input_audio_buffer.committed", "conversation.item.added", "conversation.item.done", "Transcribe"]
TRANSCRIPTION = "conversation.item.input_audio_transcription"
ANSWERED = ["response.created", "Start"]


def test_a_spoken_turn_from_start_to_the_answer():
    hand = Hand()
    hand.silence(960)
    told = hand.turn()
    assert told.names == [
        "input_audio_buffer.speech_started",
        "MayEnd",
        "input_audio_buffer.speech_stopped",
        *COMMITTED,
        *ANSWERED,
    ]
    started, stopped = told.one("input_audio_buffer.speech_started"), told.one("input_audio_buffer.speech_stopped")
    assert (started["audio_start_ms"], stopped["audio_end_ms"]) == (660, 1696)  # 300 ms before the voice at 960
    assert {event["item_id"] for event in told.events if "item_id" in event} == {"item_1"}
    assert told.command(Transcribe).span == Span(660 * 24, 1696 * 24)
    assert told.one("conversation.item.added")["item"] == {
        "id": "item_1",
        "object": "realtime.item",
        "type": "message",
        "status": "completed",
        "role": "user",
        "content": [{"type": "input_audio", "transcript": None}],
    }


def test_the_padding_does_not_reach_before_the_first_sample_or_into_the_last_turn():
    hand = Hand()
    assert hand.turn().one("input_audio_buffer.speech_started")["audio_start_ms"] == 0
    first_end = hand.position * 1000 // RATE
    assert hand.turn().one("input_audio_buffer.speech_started")["audio_start_ms"] == first_end


def test_turns_follow_each_other_by_previous_item_id():
    hand = Hand()
    assert hand.turn().one("input_audio_buffer.committed")["previous_item_id"] is None
    assert hand.turn().one("input_audio_buffer.committed")["previous_item_id"] == "item_1"


@pytest.mark.parametrize("interrupts", [True, False])
def test_without_create_response_a_turn_is_only_committed(interrupts):
    hand = Hand()
    hand.hearing(turn_detection={"type": "server_vad", "create_response": False, "interrupt_response": interrupts})
    assert hand.turn().names[-4:] == COMMITTED


def test_a_pause_too_short_is_none():
    hand = Hand()
    hand.voice(320)
    told = hand.silence(128)
    assert told.command(MayEnd).wanted is False
    assert hand.voice(320).names == ["WentOn"]


def test_the_clock_ends_a_turn_whose_stream_has_stopped():
    hand = Hand()
    hand.voice(512)
    assert hand.session.deadline() == hand.now + 1.0
    assert hand.wait(0.9) == []
    told = hand.wait(0.2)
    assert told.names == ["input_audio_buffer.speech_stopped", *COMMITTED, *ANSWERED]
    assert told.one("input_audio_buffer.speech_stopped")["audio_end_ms"] == 512


def test_audio_that_comes_faster_than_time_gives_the_same_turn():
    slow, fast = Hand(), Hand()
    told = slow.turn()
    fast.session.audio(0.0, 512 * 24)
    for end in range(WINDOW, 512 * 24 + 1, WINDOW):
        fast.session.speech(end, 1.0)
    fast.session.audio(0.0, 224 * 24)
    for end in range(512 * 24 + WINDOW, 736 * 24 + 1, WINDOW):
        fast.session.speech(end, 0.0)
    assert fast.told().events == told.events


# By hand --------------------------------------------------------------------------------------------


def by_hand() -> Hand:
    hand = Hand()
    hand.hearing(turn_detection=None)
    return hand


def test_push_to_talk():
    hand = by_hand()
    assert hand.say("input_audio_buffer.clear").names == ["input_audio_buffer.cleared"]
    assert hand.voice(512).names == []
    told = hand.say("input_audio_buffer.commit", event_id="mine")
    assert told.names == COMMITTED
    assert told.one("input_audio_buffer.committed")["event_id"] != "mine"
    assert told.command(Transcribe).span == Span(0, 512 * 24)


def test_a_commit_takes_what_came_since_the_last():
    hand = by_hand()
    hand.audio(200)
    hand.say("input_audio_buffer.commit")
    hand.audio(300)
    assert hand.say("input_audio_buffer.commit").command(Transcribe).span == Span(200 * 24, 500 * 24)


def test_cleared_audio_is_gone():
    hand = by_hand()
    hand.audio(500)
    hand.say("input_audio_buffer.clear")
    hand.audio(150)
    assert hand.say("input_audio_buffer.commit").command(Transcribe).span == Span(500 * 24, 650 * 24)


@pytest.mark.parametrize(("ms", "said"), [(0, "0.00ms"), (99, "99.00ms")])
def test_too_little_to_commit(ms, said):
    hand = by_hand()
    hand.audio(ms)
    told = hand.say("input_audio_buffer.commit", event_id="mine")
    assert told.error["code"] == "input_audio_buffer_commit_empty"
    assert told.error["event_id"] == "mine"
    assert "100ms" in told.error["message"]
    assert said in told.error["message"]
    hand.audio(100)
    assert hand.say("input_audio_buffer.commit").names == COMMITTED


def test_a_commit_by_hand_in_mid_speech_makes_the_announced_item_and_ends_the_turn():
    hand = Hand()
    item_id = hand.voice(512).one("input_audio_buffer.speech_started")["item_id"]
    told = hand.say("input_audio_buffer.commit")
    assert told.names == COMMITTED
    assert told.one("input_audio_buffer.committed")["item_id"] == item_id
    assert hand.silence(500) == []


def test_clear_in_mid_speech_drops_the_turn():
    hand = Hand()
    hand.voice(512)
    hand.say("input_audio_buffer.clear")
    assert hand.silence(500) == []
    assert hand.turn().one("input_audio_buffer.speech_started")["audio_start_ms"] >= 512


# Changes in mid-speech ------------------------------------------------------------------------------


def test_an_update_in_mid_speech_keeps_the_turn():
    hand = Hand()
    hand.voice(320)
    assert hand.update(instructions="New.").names == ["session.updated"]
    hand.hearing(turn_detection={"type": "server_vad", "silence_duration_ms": 500})
    assert hand.silence(320).names == ["MayEnd"]
    told = hand.silence(192)
    assert told.names[-6:] == [*COMMITTED, *ANSWERED]
    assert told.command(Transcribe).span == Span(0, hand.position)


def test_detection_switched_off_in_mid_speech_leaves_the_turn_to_a_commit_by_hand():
    hand = Hand()
    hand.voice(320)
    hand.hearing(turn_detection=None)
    assert hand.silence(960) == []
    assert hand.wait(10) == []
    told = hand.say("input_audio_buffer.commit")
    assert told.one("input_audio_buffer.committed")["item_id"] == "item_1"
    assert told.command(Transcribe).span == Span(0, hand.position)


def test_detection_switched_off_and_on_in_mid_speech_goes_on_with_the_turn():
    hand = Hand()
    hand.voice(320)
    hand.hearing(turn_detection=None)
    hand.hearing(turn_detection={"type": "server_vad"})
    assert hand.voice(320) == []
    told = hand.silence(224)
    assert told.one("input_audio_buffer.speech_stopped")["item_id"] == "item_1"
    assert told.command(Transcribe).span == Span(0, hand.position)


def test_detection_switched_on_listens_from_there():
    hand = by_hand()
    hand.voice(960)
    hand.hearing(turn_detection={"type": "server_vad", "prefix_padding_ms": 0})
    assert hand.silence(320) == []
    assert hand.turn().one("input_audio_buffer.speech_started")["audio_start_ms"] == 1280


# Semantic -------------------------------------------------------------------------------------------


def test_a_semantic_turn_ends_by_an_opinion():
    hand = Hand()
    hand.hearing(turn_detection={"type": "semantic_vad", "eagerness": "high"})
    hand.voice(512)
    asked = hand.silence(320).command(MayEnd)
    assert asked.wanted
    hand.session.endpoint(asked.item_id, 0.0)
    assert hand.told() == []
    hand.session.endpoint(asked.item_id, 1.0)
    assert hand.told().names == ["input_audio_buffer.speech_stopped", *COMMITTED, *ANSWERED]


@pytest.mark.parametrize(("finished", "ms"), [(1.0, 320), (0.5, 320), (0.25, 1152), (0.0, 1984)])
def test_the_surer_the_opinion_the_sooner_the_end(finished, ms):
    hand = Hand()
    hand.hearing(turn_detection={"type": "semantic_vad", "eagerness": "high"})
    hand.voice(512)
    hand.session.endpoint(hand.silence(96).command(MayEnd).item_id, finished)
    assert hand.silence(ms - 96 - 32) == []
    assert hand.silence(64).types[0] == "input_audio_buffer.speech_stopped"


def test_a_slow_speaker_is_waited_for_where_meaning_decides():
    hand = Hand()
    hand.hearing(turn_detection={"type": "semantic_vad", "eagerness": "high"})
    for _ in range(3):
        hand.voice(512)
        hand.session.endpoint(hand.silence(480).command(MayEnd).item_id, 0.0)
    hand.voice(512)
    hand.session.endpoint(hand.silence(96).command(MayEnd).item_id, 0.5)
    assert hand.silence(480) == [], "480 ms are this speaker's own, and a fast one's turn is over after 300"
    assert hand.silence(64).types[0] == "input_audio_buffer.speech_stopped"


def test_who_is_cut_in_on_is_waited_for_longer():
    hand = Hand()
    hand.hearing(turn_detection={"type": "semantic_vad", "eagerness": "high", "create_response": False})
    for _ in range(4):
        hand.voice(512)
        hand.session.endpoint(hand.silence(96).command(MayEnd).item_id, 0.5)
        told = hand.silence(480)
    assert told.types == [], "the first three turns were the beginnings of one"


def test_the_silence_of_server_vad_is_the_clients_own():
    hand = Hand()
    for _ in range(4):
        hand.voice(512)
        hand.silence(160)
    hand.voice(512)
    assert hand.silence(224).types[0] == "input_audio_buffer.speech_stopped"


def test_an_opinion_that_comes_too_late_changes_nothing():
    hand = Hand()
    hand.hearing(turn_detection={"type": "semantic_vad", "eagerness": "high"})
    hand.voice(512)
    asked = hand.silence(320).command(MayEnd)
    assert hand.voice(96).commands(WentOn)
    hand.session.endpoint(asked.item_id, 1.0)
    assert hand.told() == []


def test_without_an_opinion_a_semantic_turn_ends_after_its_longest_wait():
    hand = Hand()
    hand.hearing(turn_detection={"type": "semantic_vad", "eagerness": "high"})
    hand.voice(512)
    hand.silence(1984)
    assert hand.silence(32).names[-2:] == ANSWERED


# What the driver may forget -------------------------------------------------------------------------


def test_silence_is_forgotten_a_second_behind_the_padding_and_a_turn_is_kept_whole():
    hand = Hand()
    hand.silence(5 * 960)
    assert hand.session.keep_from == hand.position - RATE - 300 * 24
    begin = hand.voice(2880).one("input_audio_buffer.speech_started")["audio_start_ms"]
    assert hand.session.keep_from == begin * 24


def test_padding_that_grows_does_not_ask_for_what_was_let_go():
    hand = Hand()
    hand.silence(5 * 960)
    kept = hand.session.keep_from
    hand.hearing(turn_detection={"type": "server_vad", "prefix_padding_ms": 4000})
    assert hand.turn().command(Transcribe).span.start >= kept


def test_voice_activity_of_audio_that_was_committed_meanwhile_is_past():
    hand = Hand()
    hand.audio(960)
    hand.say("input_audio_buffer.commit")
    for end in range(WINDOW, hand.position + 1, WINDOW):
        hand.session.speech(end, 1.0)
    assert hand.told() == []


def test_without_detection_nothing_is_forgotten_until_it_is_committed():
    hand = by_hand()
    hand.audio(60_000)
    assert hand.session.keep_from == 0
    hand.say("input_audio_buffer.commit")
    assert hand.session.keep_from == hand.position


# Transcription sessions -----------------------------------------------------------------------------


def test_a_transcription_session_never_answers():
    hand = Hand(kind="transcription")
    assert hand.turn().names[-4:] == COMMITTED
    assert hand.respond().error["code"] == "invalid_value"
    assert hand.say("response.cancel").error["code"] == "response_cancel_not_active"


@pytest.mark.parametrize(
    ("sure", "heard", "deltas"),
    [
        ("", "one two", ["one two"]),
        ("one", "one two", ["one", " two"]),
        ("one two", "one two", ["one two"]),
        ("one", "two", ["one"]),  # a hearing that was lost, and recognised anew: "completed" has the last word
    ],
)
def test_what_is_told_of_words_only_grows(sure: str, heard: str, deltas: list[str]):
    hand = Hand()
    hand.hearing(transcription={"model": "whisper-1"})
    hand.turn()
    told = hand.sure("item_1", sure).events if sure else []
    told = [*told, *hand.heard("item_1", heard).events]
    assert [event["delta"] for event in told if event["type"] == f"{TRANSCRIPTION}.delta"] == deltas
    assert told[-1]["transcript"] == heard


def test_nobody_who_did_not_ask_is_told_of_words():
    hand = Hand()
    hand.turn()
    assert hand.sure("item_1", "one").events == hand.heard("item_1", "one two").events == []
    assert hand.sure("item_7", "gone").events == []


# The idle user --------------------------------------------------------------------------------------


def test_the_start_of_an_answer_has_the_turn_in_its_context():
    told = Hand().turn()
    assert [item.id for item in told.command(Start).context.items] == ["item_1"]
