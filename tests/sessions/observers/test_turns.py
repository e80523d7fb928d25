"""Where the time of a turn went, as a notice: told by our engine, or made out from an upstream's events."""

from typing import Any

from vivavoce.protocol.frame import TURN, Frame
from vivavoce.sessions.notices import Notices
from vivavoce.sessions.observers.turns import Turns

DETECTION = {"type": "server_vad", "silence_duration_ms": 500}
QUESTION = {"item_id": "item_1"}
ANSWER = {"response_id": "resp_1", "item_id": "item_2"}


class Told(Notices):
    def __init__(self) -> None:
        super().__init__()
        self.said: list[dict[str, Any]] = []

    def tell(self, kind: str, **data: Any) -> None:
        assert kind == "turn"
        self.said.append(data)


def told(
    *events: tuple[float, str, dict[str, Any]], detection: dict[str, Any] | None = DETECTION, ours: bool = False
) -> list[Any]:
    """What is made of events, each at its second."""
    notices, now = Told(), [0.0]
    turns = Turns(notices, lambda: now[0], told=ours)
    session = {"audio": {"input": {"turn_detection": detection}}}
    for at, type, data in [(0.0, "session.created", {"session": session}), *events]:
        now[0] = at
        turns.told(Frame(type, {"type": type, **data}))
    return notices.said


ANSWERED = (
    (10.0, "input_audio_buffer.speech_stopped", QUESTION),
    (10.0, "response.created", {"response": {"id": "resp_1"}}),
    (10.3, "response.output_audio_transcript.delta", ANSWER),
    (10.4, "response.output_audio_transcript.delta", ANSWER),
    (10.45, "response.output_audio.delta", ANSWER),
    (10.5, "response.output_audio.delta", ANSWER),
    (10.6, "conversation.item.input_audio_transcription.completed", QUESTION),
    (11.0, "response.done", {"response": {"id": "resp_1"}}),
)


def test_an_upstreams_turn_is_made_out_from_its_events():
    (turn,) = told(*ANSWERED)
    assert turn["stages"] == {"decided": 500, "first_token": 300, "first_audio": 150, "first_packet": 0}
    assert turn["total"] == 950
    assert (turn["item_id"], turn["response_id"]) == ("item_1", "resp_1")


def test_where_meaning_decides_the_silence_is_not_known():
    (turn,) = told(*ANSWERED, detection={"type": "semantic_vad"})
    assert turn["stages"]["decided"] == 0


def test_our_engine_says_it_itself_and_once():
    """In a call an answer may be done before the first of it is played, and its time known."""
    data = {"item_id": "item_1", "total": 7}
    assert told(*ANSWERED[:6], (10.5, TURN, data), *ANSWERED[6:], ours=True) == [data]
    assert told(*ANSWERED, (11.5, TURN, data), ours=True) == [data]


def test_an_answer_without_sound_is_not_told():
    assert told(ANSWERED[0], ANSWERED[1], ANSWERED[-1]) == []


def test_an_answer_to_nobody_is_not_told():
    assert told(*ANSWERED[1:]) == []
