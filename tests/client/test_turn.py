"""One question and its answer, on virtual time against a server that is a list of moments."""

import asyncio
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.support.virtual_time import virtual_time
from vivavoce.client.turn import Turn, TurnError, ask, configure, end_of_speech, say
from vivavoce.protocol.frame import APPEND, AUDIO_DELTA, Closed, Frame

RATE = 24_000


def tone(seconds: float, level: float = 0.5) -> bytes:
    t = np.arange(round(seconds * RATE)) / RATE
    return (np.sin(2 * np.pi * 200 * t) * level * 32767).astype("<i2").tobytes()


def silence(seconds: float) -> bytes:
    return bytes(2 * round(seconds * RATE))


class Server:
    """A line whose events come at the moments given, and which keeps what it is sent, with the moment."""

    def __init__(self, *events: tuple[float, str] | tuple[float, str, dict[str, Any]]) -> None:
        self._events = list(events)
        self.received: list[tuple[float, Frame]] = []

    async def receive(self) -> Frame:
        if not self._events:
            await asyncio.Event().wait()
        at, kind, *rest = self._events.pop(0)
        await asyncio.sleep(at - asyncio.get_running_loop().time())
        data: dict[str, Any] = dict(rest[0]) if rest else {}
        if kind == "closed":
            raise Closed(1011, "out of order")
        return Frame(kind, data, data.pop("audio", None))

    async def send(self, frame: Frame) -> None:
        self.received.append((asyncio.get_running_loop().time(), frame))

    async def close(self, code: int = 1000, reason: str = "") -> None:
        raise AssertionError("a turn does not end the session")


def heard(at: float) -> list[tuple[float, str]]:
    return [(at, "input_audio_buffer.speech_stopped"), (at, "input_audio_buffer.committed")]


def answered(at: float) -> list[tuple[float, str, dict[str, Any]]]:
    return [
        (at, "response.created", {}),
        (at + 0.1, "response.output_audio_transcript.delta", {"delta": "It is "}),
        (at + 0.2, AUDIO_DELTA, {"audio": b"\1\2"}),
        (at + 0.2, "response.output_audio_transcript.delta", {"delta": "noon."}),
        (at + 0.3, AUDIO_DELTA, {"audio": b"\3\4"}),
        (at + 0.4, "response.done", {"response": {"status": "completed"}}),
    ]


def transcribed(at: float, words: str) -> tuple[float, str, dict[str, Any]]:
    return (at, "conversation.item.input_audio_transcription.completed", {"transcript": words})


STARTED = (0.1, "input_audio_buffer.speech_started")


@virtual_time
async def test_a_spoken_turn_and_its_moments():
    server = Server(STARTED, *heard(1.6), transcribed(1.61, "what time is it"), *answered(1.7))
    turn = await say(server, tone(1.0) + silence(0.3))
    assert (turn.question, turn.answer, bytes(turn.audio)) == ("what time is it", "It is noon.", b"\1\2\3\4")
    assert turn.asked_at == pytest.approx(1.0, abs=0.011)
    assert {name: round(at, 6) for name, at in turn.steps.items()} == {
        "silence noticed": 1.6,
        "question complete": 1.6,
        "answer begun": 1.7,
        "first words": 1.8,
        "first audio": 1.9,
        "answer complete": 2.1,
    }


@virtual_time
async def test_sound_leaves_in_real_time_and_silence_follows():
    pcm = tone(0.5)
    server = Server(STARTED, *heard(1.0), transcribed(1.0, "x"), *answered(1.1))
    await say(server, pcm)
    sent = [(at, frame.audio) for at, frame in server.received if frame.type == APPEND]
    assert all(len(audio or b"") == 960 for _, audio in sent)
    assert [at for at, _ in sent] == pytest.approx([0.02 * (n + 1) for n in range(len(sent))])
    assert b"".join(audio or b"" for _, audio in sent[:25]) == pcm
    assert set(b"".join(audio or b"" for _, audio in sent[25:])) == {0}
    assert sent[-1][0] == pytest.approx(1.5, abs=0.021)  # and stops with the answer


@virtual_time
async def test_words_of_the_question_may_come_after_the_answer():
    server = Server(STARTED, *heard(1.5), *answered(1.6), transcribed(4.0, "late"))
    assert (await say(server, tone(1.0))).question == "late"


@virtual_time
async def test_words_that_never_come_are_not_waited_for_long():
    turn = await say(Server(STARTED, *heard(1.5), *answered(1.6)), tone(1.0))
    assert (turn.question, turn.answer) == (None, "It is noon.")
    assert asyncio.get_running_loop().time() == pytest.approx(2.0 + 5.0)


@virtual_time
async def test_of_two_turns_in_one_recording_the_last_counts():
    pcm = tone(0.5) + silence(1.0) + tone(0.5)
    server = Server(
        STARTED, *heard(1.0), transcribed(1.0, "first"), (1.1, "response.created"),
        (1.2, AUDIO_DELTA, {"audio": b"\7\7"}), (1.6, "input_audio_buffer.speech_started"),
        (1.6, "response.done", {"response": {"status": "cancelled"}}),
        *heard(2.5), transcribed(2.5, "second"), *answered(2.6),
    )  # fmt: skip
    turn = await say(server, pcm)
    assert (turn.question, bytes(turn.audio)) == ("second", b"\1\2\3\4")
    assert next(iter(turn.steps.values())) == 2.5


@virtual_time
async def test_a_typed_turn():
    server = Server(*answered(0.5))
    turn = await ask(server, "What time is it?")
    assert [frame.type for _, frame in server.received] == ["conversation.item.create", "response.create"]
    item = server.received[0][1].data["item"]
    assert item["content"] == [{"type": "input_text", "text": "What time is it?"}]
    assert (turn.question, turn.answer, turn.asked_at) == ("What time is it?", "It is noon.", 0.0)


FAILED = {"response": {"status": "failed", "status_details": {"error": {"message": "No model."}}}}


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ([STARTED, *heard(1.5), (1.6, "response.done", FAILED)], "could not answer: No model"),
        ([(0.5, "error", {"error": {"message": "Too loud."}})], "refuses: Too loud"),
        ([STARTED, (0.5, "closed")], r"ended the session \(1011\): out of order"),
        ([], "No answer came within 30 s"),
    ],
    ids=["failed", "error", "closed", "nothing"],
)
def test_no_answer(events: list[Any], words: str):
    @virtual_time  # which also fails the test when the microphone is left running
    async def run() -> Turn:
        return await say(Server(*events), tone(1.0))

    with pytest.raises(TurnError, match=words):
        run()


@virtual_time
async def test_configure_asks_for_the_words_and_the_voice():
    server = Server((0.1, "session.created"), (0.2, "session.updated"))
    await configure(server, voice="cedar")
    (_, frame) = server.received[0]
    assert frame.type == "session.update"
    assert frame.data["session"] == {
        "type": "realtime",
        "audio": {"input": {"transcription": {"model": "gpt-4o-mini-transcribe"}}, "output": {"voice": "cedar"}},
    }


@pytest.mark.parametrize(
    ("events", "words"),
    [([(0.1, "error", {"error": {"message": "No such voice."}})], "No such voice"), ([], "not confirmed")],
)
def test_configure_refused(events: list[Any], words: str):
    run: Callable[[], None] = virtual_time(lambda: configure(Server(*events)))
    with pytest.raises(TurnError, match=words):
        run()


@pytest.mark.parametrize(
    ("pcm", "seconds"),
    [
        (tone(1.0), 1.0),
        (tone(1.0) + silence(2.0), 1.0),
        (silence(0.5) + tone(1.0) + silence(0.5), 1.5),
        (tone(0.5) + silence(1.0) + tone(0.5), 2.0),
        (tone(1.0) + tone(1.0, level=0.004), 1.0),  # a noise floor 42 dB down
        (tone(1.0, level=0.02) + silence(1.0), 1.0),  # a quiet recording
    ],
)
def test_end_of_speech(pcm: bytes, seconds: float):
    assert end_of_speech(pcm, RATE) == pytest.approx(seconds, abs=0.0101)


@pytest.mark.parametrize("pcm", [b"", silence(1.0), tone(1.0, level=0.0005)])
def test_silence_has_no_end_of_speech(pcm: bytes):
    with pytest.raises(TurnError, match="silent"):
        end_of_speech(pcm, RATE)


@virtual_time
async def test_a_server_that_tells_where_the_time_went_is_waited_for():
    budget = {"stages": {"decided": 500}, "total": 500}
    transcribed = (2.0, "conversation.item.input_audio_transcription.completed", {"transcript": "hello"})
    server = Server(*heard(1.0), *answered(1.1), transcribed, (2.5, "vivavoce.turn", budget))
    turn = await say(server, tone(0.5), budgeted=True)
    assert turn.stages == {"decided": 500, "on the way": 300}
