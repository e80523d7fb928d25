"""A session as a whole: how it begins, what it refuses, how it ends."""

import pytest

from tests.protocol.hand import Hand
from vivavoce.protocol.session.commands import Close
from vivavoce.protocol.wire.errors import ProtocolError
from vivavoce.protocol.wire.events import CLIENT_EVENTS


def test_the_first_thing_said_is_session_created():
    assert Hand().created.types == ["session.created"]
    assert Hand(kind="transcription").created.one("session.created")["session"]["type"] == "transcription"


def test_there_are_eleven_client_events():
    assert len(CLIENT_EVENTS) == 11


@pytest.mark.parametrize(
    ("event", "code", "param"),
    [
        ({"type": "session.close"}, "invalid_value", "type"),
        ({"type": "session.update"}, "missing_required_parameter", "session"),
        ({"type": "session.update", "session": []}, "invalid_type", "session"),
        (
            {"type": "session.update", "event_id": "x" * 513, "session": {"type": "realtime"}},
            "invalid_value",
            "event_id",
        ),
        ({"type": "input_audio_buffer.append"}, "missing_required_parameter", "audio"),
        ({"type": "input_audio_buffer.append", "audio": None}, "invalid_type", "audio"),
        ({"type": "conversation.item.retrieve"}, "missing_required_parameter", "item_id"),
        (
            {"type": "conversation.item.truncate", "item_id": "x", "content_index": 0},
            "missing_required_parameter",
            "audio_end_ms",
        ),
        (
            {"type": "conversation.item.truncate", "item_id": "x", "content_index": 0, "audio_end_ms": 1.5},
            "invalid_type",
            "audio_end_ms",
        ),
        ({"type": "response.create", "response": "now"}, "invalid_type", "response"),
    ],
)
def test_a_wrong_event_is_an_error_that_names_it_and_the_session_goes_on(event, code, param):
    hand = Hand()
    told = hand.tell({"event_id": "mine", **event})
    assert told.refusal == (code, param)
    assert told.error["type"] == "invalid_request_error"
    assert told.error["event_id"] == event.get("event_id", "mine")
    assert hand.update().types == ["session.updated"]


@pytest.mark.parametrize("event_id", [7, None, ["x"]])
def test_an_event_id_that_is_no_text_is_not_echoed(event_id):
    assert Hand().say("response.cancel", event_id=event_id).error["event_id"] is None


def test_the_drivers_own_findings_are_told_like_the_cores():
    hand = Hand()
    hand.session.refuse(ProtocolError("invalid_value", "Half a sample.", param="audio"), "mine")
    assert hand.told().error == {
        "type": "invalid_request_error",
        "code": "invalid_value",
        "message": "Half a sample.",
        "param": "audio",
        "event_id": "mine",
    }


def test_a_session_ends_after_an_hour_with_a_word():
    hand = Hand()
    assert hand.session.deadline() == 3600
    assert hand.wait(3599.9) == []
    told = hand.wait(1)
    assert told.names == ["error", "Close"]
    error = told.one("error")["error"]
    assert (error["code"], error["event_id"]) == ("session_expired", None)
    assert "60 minutes" in error["message"]
    assert told.command(Close).code == 1001
    assert hand.wait(10_000) == []


def test_every_event_has_an_id_of_its_own():
    hand = Hand()
    told = [*hand.created.events, *hand.turn().events, *hand.create("x").events]
    assert len({event["event_id"] for event in told}) == len(told)
