"""How well turns are taken: who is cut in on, how long a finished speaker waits, and what a cough does to an answer.

    python -m bench.turn_taking

Speaks the script of ``bench/conversations.py`` with flite's voices to the engine with its real voice activity (and
Smart Turn, where it is installed), once for each detector. Recognition is the script itself, 80 ms late, so that what
is measured is the taking of turns alone; time is virtual, so a conversation of minutes takes seconds and is always
the same. Needs ``flite``.
"""

import asyncio
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import numpy as np

from bench.conversations import OVERHEARD, TURNS, VOICES, Overheard, Turn
from tests.support.virtual_time import run_virtual
from vivavoce.audio.resample import convert
from vivavoce.audio.wav import read_wav
from vivavoce.backends.builtin import Builtin
from vivavoce.backends.interface import SessionRequest
from vivavoce.models.catalog import find
from vivavoce.models.interfaces import Answer, Finish, Hints, Prompt, Said, Transcript, TurnModel, Vad
from vivavoce.models.turn.smart_turn import SmartTurn
from vivavoce.models.vad.silero import SileroVad
from vivavoce.protocol.frame import APPEND, AUDIO_DELTA, FLUSH, HOLD, PLAYED, Frame, Line

RATE, FRAME = 24_000, 480
STOPPED = "input_audio_buffer.speech_stopped"
RECOGNITION = 0.08
LEAD, AFTER = 0.5, 9.0
"""Seconds of silence before a turn, and after it: more than the longest wait."""
INTO_THE_ANSWER = 3.0
WORDS = 60
"""Of the answer that is spoken over: half a minute."""


@dataclass
class Script:
    """Sound, and where in it (in samples) which words are."""

    pcm: bytes = b""
    words: list[tuple[int, int, str]] = field(default_factory=list)

    def silence(self, seconds: float) -> None:
        self.pcm += bytes(2 * round(seconds * RATE))

    def say(self, sound: bytes, text: str) -> None:
        start = len(self.pcm) // 2
        self.pcm += sound
        self.words.append((start, len(self.pcm) // 2, text))

    def heard(self, start: int, end: int) -> str:
        """The words whose middle lies there."""
        return " ".join(text for begin, stop, text in self.words if text and start <= (begin + stop) // 2 < end)


@dataclass
class Senses:
    """The models of one conversation; recognition is the ``script`` up to what was ``sent`` of it."""

    script: Script
    turn: TurnModel | None
    answer_words: int = 1
    vad: Vad = field(default_factory=SileroVad)
    name: str = "the script"
    rate: int = RATE
    sees: bool = False
    sent: int = 0

    @property
    def stt(self) -> Any:
        return self

    llm = tts = stt

    def voices(self) -> Sequence[str]:
        return ()

    async def transcribe(self, pcm: bytes, hints: Hints) -> Transcript:
        end = self.sent
        await asyncio.sleep(RECOGNITION)
        return Transcript(self.script.heard(end - len(pcm) // 2, end))

    async def answer(self, prompt: Prompt) -> AsyncIterator[Answer]:
        yield Said("word " * self.answer_words)
        yield Finish()

    async def speak(self, text: str, voice: str, speed: float, language: str | None = None) -> AsyncIterator[bytes]:
        for _ in text.split():
            yield bytes(RATE)  # half a second

    async def close(self) -> None: ...


@dataclass
class Told:
    """What came of a conversation: event types and when, in seconds since the first sample."""

    events: list[tuple[float, str]] = field(default_factory=list)

    def at(self, *types: str) -> list[float]:
        return [at for at, type in self.events if type in types]


async def converse(
    senses: Senses,
    detection: dict[str, Any],
    over: Callable[[Told], bool] = lambda told: False,
    *,
    forgiving: bool = False,
    speaks_first: bool = False,
) -> Told:
    """The whole script, or until it is ``over``."""
    request = SessionRequest(
        "sess_bench", "bench", "realtime", {"audio": {"input": {"turn_detection": detection}}}, media=True,
        forgiving=forgiving,
    )  # fmt: skip
    line, told = await Builtin(senses, lambda: 0.0).open(request), Told()
    began = asyncio.get_running_loop().time()
    player = asyncio.create_task(play(line, told, began))
    if speaks_first:
        await line.send(Frame("response.create", {"type": "response.create"}))
    pcm = senses.script.pcm
    for at in range(0, len(pcm), 2 * FRAME):
        await asyncio.sleep(began + (at // 2 + FRAME) / RATE - asyncio.get_running_loop().time())
        senses.sent = at // 2 + FRAME
        await line.send(Frame(APPEND, {"type": APPEND}, pcm[at : at + 2 * FRAME]))
        if over(told):
            break
    player.cancel()
    await asyncio.wait([player])
    await line.close()
    return told


async def play(line: Line, told: Told, began: float) -> None:
    """What a track does: plays in real time, stands still when told to, reports how far it is."""
    waiting: dict[str, float] = defaultdict(float)
    played: dict[str, float] = defaultdict(float)
    held = False

    async def report() -> None:
        while True:
            await asyncio.sleep(0.02)
            for item in [] if held else [item for item, left in waiting.items() if left > 0][:1]:
                waiting[item] -= 0.02
                played[item] += 0.02
                done = waiting[item] <= 0
                data = {"item_id": item, "audio_ms": round(played[item] * 1000), "drained": done}
                await line.send(Frame(PLAYED, {"type": PLAYED, **data}))

    reporting = asyncio.create_task(report())
    try:
        while True:
            frame = await line.receive()
            name = f"{frame.type} {frame.data['on']}" if frame.type == HOLD else frame.type
            told.events.append((asyncio.get_running_loop().time() - began, name))
            if frame.type == AUDIO_DELTA:
                waiting[frame.data["item_id"]] += len(frame.audio or b"") / 2 / RATE
            elif frame.type == FLUSH:
                waiting.pop(frame.data["item_id"], None)
            elif frame.type == HOLD:
                held = frame.data["on"]
    finally:
        reporting.cancel()


# Voices ---------------------------------------------------------------------------------------------


@cache
def spoken(voice: str, text: str) -> bytes:
    """The words and nothing before or after them, 24 kHz."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "said.wav")
        subprocess.run(["flite", "-voice", voice, "-t", text, "-o", str(file)], check=True)
        pcm, rate = read_wav(file)
    samples = np.frombuffer(convert(pcm, rate, RATE), "<i2")
    loud = np.nonzero(np.abs(samples) > 300)[0]
    return samples[loud[0] : loud[-1] + 1].tobytes()


@cache
def coughed(ms: int) -> bytes:
    """A burst of noise below 2 kHz that dies away."""
    noise = np.random.default_rng(ms).standard_normal(ms * RATE // 1000)
    soft = np.convolve(noise, np.hanning(12) / 6, "same") * np.exp(-np.linspace(0, 4, len(noise)))
    return np.asarray(12_000 * soft / np.abs(soft).max(), "<i2").tobytes()


# What is measured -----------------------------------------------------------------------------------


@dataclass
class Score:
    pauses: int = 0
    cut_in: int = 0
    delays: list[float] = field(default_factory=list)

    def row(self) -> str:
        rate = f"{100 * self.cut_in / self.pauses:4.0f} %" if self.pauses else "     –"
        late = quantiles(self.delays, n=10)[-1] if len(self.delays) > 1 else self.delays[0]
        return f"{rate}  {median(self.delays):6.0f} {late:6.0f}"


async def turn(voice: str, turn: Turn, detector: "Detector", score: Score) -> None:
    script = Script()
    script.silence(LEAD)
    for part in turn.said:
        if isinstance(part, int):
            script.silence(part / 1000)
        else:
            script.say(spoken(voice, part), part.lower().strip(".?").replace(",", ""))
    script.silence(AFTER)
    end = script.words[-1][1] / RATE

    def over(told: Told) -> bool:
        return any(at >= end for at in told.at(STOPPED))

    stopped = (await converse(Senses(script, detector.model()), detector.detection, over)).at(STOPPED)
    for (_, silent, _), (spoke_on, _, _) in zip(script.words, script.words[1:], strict=False):
        score.pauses += 1
        score.cut_in += any(silent / RATE <= at < spoke_on / RATE + 0.1 for at in stopped)
    score.delays += [(at - end) * 1000 for at in stopped[-1:]]


async def overheard(voice: str, case: Overheard, *, forgiving: bool) -> tuple[bool, float, float]:
    """Whether it ended the answer, after how many milliseconds nothing more was heard of that, and for how long."""
    script = Script()
    script.silence(INTO_THE_ANSWER)
    sound = coughed(case.sound) if isinstance(case.sound, int) else spoken(voice, case.sound)
    script.say(sound, case.heard)
    script.silence(3)
    detection = {"type": "server_vad", "silence_duration_ms": 200}
    told = await converse(Senses(script, None, WORDS), detection, forgiving=forgiving, speaks_first=True)
    began = script.words[0][0] / RATE
    silent = min(told.at(FLUSH, f"{HOLD} True"), default=None)
    interrupted = bool(told.at("input_audio_buffer.speech_started"))
    gone_on = min(told.at(f"{HOLD} False"), default=None)
    gap = gone_on - silent if silent is not None and gone_on is not None and not interrupted else 0.0
    return interrupted, (silent - began) * 1000 if silent is not None else 0.0, gap * 1000


@dataclass(frozen=True)
class Detector:
    name: str
    detection: dict[str, Any]
    model: Callable[[], TurnModel | None] = lambda: None


def detectors() -> Iterator[Detector]:
    for ms in (200, 500, 1000):
        yield Detector(f"server_vad, {ms} ms", {"type": "server_vad", "silence_duration_ms": ms})
    for eagerness in ("high", "medium", "low"):
        detection = {"type": "semantic_vad", "eagerness": eagerness}
        yield Detector(f"words, {eagerness}", detection)
        if find("turn").installed:
            yield Detector(f"Smart Turn, {eagerness}", detection, shared)


@cache
def shared() -> SmartTurn:
    return SmartTurn()


def main() -> None:
    kinds = list(dict.fromkeys(turn.kind for turn in TURNS))
    print(f"{'early cut-ins; ms to the end of the turn, p50 p90':50}", *(f"{kind:>24}" for kind in kinds))
    for detector in detectors():
        scores = {kind: Score() for kind in kinds}
        for voice in VOICES:
            for each in TURNS:
                run_virtual(turn(voice, each, detector, scores[each.kind]))
        print(f"{detector.name:50}", *(f"{scores[kind].row():>24}" for kind in kinds))
    for forgiving in (False, True):
        print(f"\nover an answer, {'forgiving' if forgiving else 'as the protocol has it'}")
        print(f"{'':26}{'ends the answer':>16}{'sound stops, ms p50 max':>26}{'pause when it goes on, ms':>28}")
        for kind in dict.fromkeys(case.kind for case in OVERHEARD):
            found = [
                run_virtual(overheard(voice, case, forgiving=forgiving))
                for case in OVERHEARD if case.kind == kind for voice in VOICES
            ]  # fmt: skip
            stops, gaps = [ms for _, ms, _ in found if ms] or [0.0], [ms for _, _, ms in found if ms] or [0.0]
            ended = sum(interrupted for interrupted, _, _ in found)
            print(
                f"{kind:26}{ended:>10} of {len(found):<3}{median(stops):>14.0f} {max(stops):>10.0f}{max(gaps):>20.0f}"
            )


if __name__ == "__main__":
    main()
