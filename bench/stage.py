"""The stage of ``bench/turn_taking.py``: a script of sound, models that know it by heart, and a conversation of the two
in virtual time, with a track that plays the answers.
"""

import asyncio
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from vivavoce.audio.resample import convert
from vivavoce.audio.wav import read_wav
from vivavoce.backends.builtin import Builtin
from vivavoce.backends.interface import SessionRequest
from vivavoce.models.interfaces import Answer, Finish, Hints, Prompt, Said, Transcript, TurnModel, Vad
from vivavoce.models.vad.silero import SileroVad
from vivavoce.protocol.frame import APPEND, AUDIO_DELTA, FLUSH, HOLD, PLAYED, Frame, Line

__all__ = ["RATE", "STOPPED", "Script", "Senses", "Told", "converse", "coughed", "spoken"]

RATE, FRAME = 24_000, 480
STOPPED = "input_audio_buffer.speech_stopped"
RECOGNITION = 0.08


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
