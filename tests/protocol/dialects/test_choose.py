"""Who is a client of the beta (H-43, S-39)."""

import json
from typing import Any

import pytest

from vivavoce.protocol.dialects.choose import Undecided, asks_for_beta
from vivavoce.protocol.frame import Frame

ADDED = Frame("conversation.item.added", {"type": "conversation.item.added"})


def speaks_beta(dialect: Undecided) -> bool:
    (told,) = dialect.encode(ADDED)
    return bool(json.loads(told)["type"] == "conversation.item.created")


def say(dialect: Undecided, type: str, **fields: Any) -> dict[str, Any]:
    (frame,) = dialect.decode(json.dumps({"type": type, **fields}))
    return dict(frame.data)


@pytest.mark.parametrize(
    ("header", "beta"),
    [
        ("realtime=v1", True),
        ("assistants=v2, realtime=v1", True),
        (None, False),
        ("", False),
        ("assistants=v2", False),
        ("realtime=v2", False),
    ],
)
def test_the_header(header: str | None, beta: bool):
    assert asks_for_beta(header) is beta


@pytest.mark.parametrize(
    "session",
    [
        {"modalities": ["text"]},
        {"voice": "alloy", "instructions": "x"},
        {"input_audio_format": "pcm16"},
        {"turn_detection": None},
        {"temperature": 0.8},
        {"max_response_output_tokens": 10},
    ],
)
def test_a_first_update_with_fields_of_the_beta(session: dict[str, Any]):
    dialect = Undecided()
    say(dialect, "input_audio_buffer.clear")
    assert say(dialect, "session.update", session=session)["session"]["type"] == "realtime"
    assert speaks_beta(dialect)


def test_an_event_that_only_the_beta_has():
    dialect = Undecided()
    event = say(dialect, "transcription_session.update", session={})
    assert event == {"type": "session.update", "session": {"type": "transcription"}}
    assert speaks_beta(dialect)


@pytest.mark.parametrize(
    "session",
    [
        {},
        {"instructions": "x"},
        {"output_modalities": ["text"]},
        {"type": "realtime", "modalities": ["text"]},  # S-40: the classic mistake on the way to GA
        {"type": "realtime", "voice": "alloy"},
        None,
    ],
)
def test_S39_S40_a_first_update_of_ga_right_or_wrong(session: Any):
    dialect = Undecided()
    assert say(dialect, "session.update", session=session)["session"] == session
    assert not speaks_beta(dialect)


def test_the_first_update_decides():
    dialect = Undecided()
    say(dialect, "session.update", session={"type": "realtime"})
    assert say(dialect, "session.update", session={"voice": "alloy"})["session"] == {"voice": "alloy"}
    assert not speaks_beta(dialect)
