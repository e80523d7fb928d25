"""One question put to a Realtime server and the answer to it, with the time of each step.

The clock is the event loop's. A spoken question is sent as a microphone would: 20 ms of sound every 20 ms, each when
its last sample has sounded, and silence after it. So the end of speech is a moment: when the last voiced sample sounds.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from vivavoce.audio import HOUSE_RATE
from vivavoce.audio.pcm import SAMPLE_BYTES, level_dbfs, samples_in
from vivavoce.protocol.frame import APPEND, AUDIO_DELTA, Closed, Frame, Line

__all__ = ["Turn", "TurnError", "ask", "configure", "end_of_speech", "say", "wish"]

CHUNK = samples_in(20, HOUSE_RATE) * SAMPLE_BYTES
"""Bytes of one append."""
PATIENCE = 30.0
"""Seconds to wait for the answer once the question is out."""
TRANSCRIPT_PATIENCE = 5.0
"""Seconds more for the words of the question, which may come after the answer (O-15)."""
VOICED_DB = 35.0
"""A window this far below the loudest one is no speech any more."""

_BUDGET = "vivavoce.turn"

_STEPS = {
    "input_audio_buffer.speech_stopped": "silence noticed",
    "input_audio_buffer.committed": "question complete",
    "response.created": "answer begun",
    "response.output_audio_transcript.delta": "first words",
    "response.output_text.delta": "first words",
    AUDIO_DELTA: "first audio",
    "response.done": "answer complete",
}


class TurnError(Exception):
    """There is no answer to be had. The message is for the user."""


@dataclass
class Turn:
    """What came of a question. The last one counts: a pause in a recording may make two turns of it."""

    question: str | None = None
    """The server's transcript; None until it has one."""
    answer: str = ""
    audio: bytearray = field(default_factory=bytearray)
    """24 kHz 16-bit mono PCM."""
    asked_at: float = 0.0
    """When speech ended or the text was sent, by the event loop's clock."""
    steps: dict[str, float] = field(default_factory=dict)
    """The first moment of each step, in the order they came."""
    budget: Mapping[str, Any] | None = None
    """What the server says of where the time went: ``engine/budget.py``."""
    budgeted: bool = False
    """Whether it says so."""
    speaking: bool = False
    spoken: bool = True
    """Whether the question is sound, whose words the server finds out."""

    @property
    def answered(self) -> bool:
        return not self.speaking and "answer complete" in self.steps

    @property
    def complete(self) -> bool:
        if not self.spoken:
            return self.answered
        return self.answered and self.question is not None and (self.budget is not None or not self.budgeted)

    @property
    def stages(self) -> dict[str, int]:
        """Milliseconds from the end of speech to the first sound here, by what they were spent on: what the server
        says, and the rest. They add up. Empty where the server says nothing."""
        if self.budget is None or "first audio" not in self.steps:
            return {}
        total = round((self.steps["first audio"] - self.asked_at) * 1000)
        return {**self.budget["stages"], "on the way": total - self.budget["total"]}

    def hear(self, frame: Frame, now: float) -> None:
        """Take in a server's event. Raises :class:`TurnError` where it says that nothing will come."""
        if step := _STEPS.get(frame.type):
            self.steps.setdefault(step, now)
        if handle := _HANDLERS.get(frame.type):
            handle(self, frame)

    def _speech_started(self, frame: Frame) -> None:
        self.speaking, self.question, self.answer, self.budget = True, None, "", None
        self.audio.clear()
        self.steps.clear()

    def _speech_stopped(self, frame: Frame) -> None:
        self.speaking = False

    def _audio(self, frame: Frame) -> None:
        self.audio += frame.audio or b""

    def _budget(self, frame: Frame) -> None:
        self.budget = frame.data

    def _words(self, frame: Frame) -> None:
        self.answer += str(frame.data.get("delta", ""))

    def _transcribed(self, frame: Frame) -> None:
        self.question = str(frame.data.get("transcript", ""))

    def _not_transcribed(self, frame: Frame) -> None:
        self.question = f"(not understood: {_message(frame.data)})"

    def _done(self, frame: Frame) -> None:
        response = frame.data.get("response") or {}
        if response.get("status") == "failed":
            raise TurnError(f"The server could not answer: {_message(response.get('status_details'))}")
        if response.get("status") == "cancelled":
            del self.steps["answer complete"]  # interrupted by what is still being said

    def _error(self, frame: Frame) -> None:
        raise TurnError(f"The server refuses: {_message(frame.data)}")


_HANDLERS: dict[str, Callable[[Turn, Frame], None]] = {
    "input_audio_buffer.speech_started": Turn._speech_started,
    "input_audio_buffer.speech_stopped": Turn._speech_stopped,
    AUDIO_DELTA: Turn._audio,
    "response.output_audio_transcript.delta": Turn._words,
    "response.output_text.delta": Turn._words,
    "conversation.item.input_audio_transcription.completed": Turn._transcribed,
    "conversation.item.input_audio_transcription.failed": Turn._not_transcribed,
    "response.done": Turn._done,
    _BUDGET: Turn._budget,
    "error": Turn._error,
}


def _message(data: Mapping[str, Any] | None) -> str:
    error = (data or {}).get("error") or {}
    return str(error.get("message") or error.get("code") or "it does not say why")


async def wish(line: Line, *, voice: str | None = None) -> None:
    """Ask for the words of the question too, and for a voice."""
    audio: dict[str, Any] = {"input": {"transcription": {"model": "gpt-4o-mini-transcribe"}}}
    if voice:
        audio["output"] = {"voice": voice}
    await _send(line, "session.update", session={"type": "realtime", "audio": audio})


async def configure(line: Line, *, voice: str | None = None) -> None:
    """The same; returns once the server has agreed."""
    await wish(line, voice=voice)
    try:
        async with asyncio.timeout(PATIENCE):
            while (frame := await line.receive()).type != "session.updated":
                if frame.type == "error":
                    raise TurnError(f"The server refuses: {_message(frame.data)}")
    except TimeoutError:
        raise TurnError(f"The server has not confirmed the session's settings within {PATIENCE:g} s.") from None


async def ask(line: Line, text: str) -> Turn:
    """A typed question."""
    turn = Turn(question=text, spoken=False, asked_at=_now())
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}
    await _send(line, "conversation.item.create", item=item)
    await _send(line, "response.create")
    await _listen(line, turn, lambda: True)
    return turn


async def say(line: Line, pcm: bytes, *, budgeted: bool = False) -> Turn:
    """A spoken question: ``pcm`` is 24 kHz 16-bit mono. The server has to detect turns, as it does by default;
    ``budgeted``: it tells where the time went."""
    turn = Turn(budgeted=budgeted)
    start = _now()
    turn.asked_at = start + end_of_speech(pcm, HOUSE_RATE)
    microphone = asyncio.create_task(_stream(line, pcm, start))
    try:
        await _listen(line, turn, lambda: _now() >= turn.asked_at)
    finally:
        microphone.cancel()
        await asyncio.wait([microphone])
    return turn


def end_of_speech(pcm: bytes, rate: int) -> float:
    """Seconds from the start to the end of the last voiced 10 ms. Raises :class:`TurnError` for silence."""
    window = samples_in(10, rate) * SAMPLE_BYTES
    levels = [level_dbfs(pcm[at : at + window]) for at in range(0, len(pcm), window)]
    if max(levels, default=-100.0) < -60:
        raise TurnError("The recording is silent.")
    threshold = max(levels) - VOICED_DB
    last = max(index for index, level in enumerate(levels) if level > threshold)
    return min((last + 1) * window, len(pcm)) / SAMPLE_BYTES / rate


async def _stream(line: Line, pcm: bytes, start: float) -> None:
    """The sound, then silence, until cancelled."""
    sent = 0
    with suppress(Closed):  # whoever listens hears of it too, and says so
        while True:
            chunk = pcm[sent : sent + CHUNK].ljust(CHUNK, b"\0")
            sent += CHUNK
            await asyncio.sleep(start + sent / SAMPLE_BYTES / HOUSE_RATE - _now())
            await line.send(Frame(APPEND, {"type": APPEND}, chunk))


async def _listen(line: Line, turn: Turn, all_said: Callable[[], bool]) -> None:
    """Until the turn is complete, or as complete as it gets."""
    try:
        async with asyncio.timeout_at(turn.asked_at + PATIENCE) as limit:
            while not (all_said() and turn.complete):
                turn.hear(await line.receive(), _now())
                if all_said() and turn.answered:
                    limit.reschedule(turn.steps["answer complete"] + TRANSCRIPT_PATIENCE)
    except TimeoutError:
        if not turn.answered:
            raise TurnError(f"No answer came within {PATIENCE:g} s of the question.") from None
    except Closed as closed:
        raise TurnError(f"The server ended the session ({closed.code}): {closed.reason or 'no reason given'}") from None


async def _send(line: Line, type: str, **data: Any) -> None:
    await line.send(Frame(type, {"type": type, **data}))


def _now() -> float:
    return asyncio.get_running_loop().time()
