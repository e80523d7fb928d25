"""People who talk to a server, many at once: each has a microphone that sends 20 ms of sound every 20 ms, asks, listens
to the beginning of the answer, rests, and asks again.

What is measured is what such a person hears: the time from the last voiced sample leaving the microphone to the first
sound of the answer. The same people talk to every server; only the wire differs.
"""

import asyncio
import json
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
import pybase64
from websockets.asyncio.client import ClientConnection, connect

from vivavoce.audio.resample import convert
from vivavoce.audio.wav import read_wav

__all__ = ["FRAME_SECONDS", "Heard", "Raw", "Realtime", "Wire", "crowd", "interruption", "question"]

FRAME_SECONDS = 0.02
REST_SECONDS = 1.5
"""Between the first sound of an answer and the next question; longer than the answer."""
ANSWER_SECONDS = 15.0
"""An answer that takes longer is none."""
SPEECH = Path(__file__).parent.parent / "tests" / "speech"
VOICED = 0.02
"""Of the loudest sample: what is quieter at the end of a recording is not speech any more."""


class Wire(Protocol):
    """How sound goes over a WebSocket."""

    rate: int

    def path(self) -> str: ...

    async def begin(self, socket: ClientConnection) -> None:
        """What is said before the first sound."""

    def frame(self, pcm: bytes) -> str | bytes:
        """A message with this sound in it."""

    def is_sound(self, message: bytes) -> bool:
        """Whether a message brings some of the answer's."""

    def is_cut(self, message: bytes) -> bool:
        """Whether a message says that the answer was interrupted."""


class Raw:
    """Binary messages: 16-bit PCM each way, at the rates that the peers like best. Text says that an answer was cut."""

    rate = 16_000

    def path(self) -> str:
        return "/"

    async def begin(self, socket: ClientConnection) -> None:
        pass

    def frame(self, pcm: bytes) -> bytes:
        return pcm

    def is_sound(self, message: bytes) -> bool:
        return len(message) > len(CUT) and any(message)  # some peers send silence while nothing is said

    def is_cut(self, message: bytes) -> bool:
        return message == CUT


CUT = b"cut"


class Realtime:
    """The Realtime API: 24 kHz PCM as base64 in JSON."""

    rate = 24_000

    def __init__(self, silence_ms: int) -> None:
        self._silence_ms = silence_ms

    def path(self) -> str:
        return "/v1/realtime?model=gpt-realtime"

    async def begin(self, socket: ClientConnection) -> None:
        detection = {"type": "server_vad", "silence_duration_ms": self._silence_ms}
        session = {"type": "realtime", "audio": {"input": {"turn_detection": detection}}}
        await socket.send(json.dumps({"type": "session.update", "session": session}))
        while b'"session.updated"' not in await socket.recv(decode=False):
            pass

    def frame(self, pcm: bytes) -> str:
        audio = pybase64.b64encode_as_string(pcm)
        return f'{{"type":"input_audio_buffer.append","audio":"{audio}"}}'

    def is_sound(self, message: bytes) -> bool:
        return b'"response.output_audio.delta"' in message

    def is_cut(self, message: bytes) -> bool:
        return b'"response.done"' in message and b'"cancelled"' in message


def question(name: str, wire: Wire) -> list[str | bytes]:
    """A recorded question as messages of 20 ms; it ends with its last voiced sample."""
    pcm, rate = read_wav(SPEECH / f"{name}.wav")
    samples = np.frombuffer(convert(pcm, rate, wire.rate), np.int16)
    voiced = np.flatnonzero(np.abs(samples.astype(np.int32)) > VOICED * np.abs(samples.astype(np.int32)).max())
    said = samples[voiced[0] : voiced[-1] + 1]
    size = round(wire.rate * FRAME_SECONDS)
    said = np.concatenate([np.zeros(-len(said) % size, np.int16), said])
    return [wire.frame(said[at : at + size].tobytes()) for at in range(0, len(said), size)]


@dataclass
class Heard:
    """What a crowd heard."""

    delays: list[float] = field(default_factory=list)
    """Milliseconds from the end of a question to the first sound, of each turn."""
    unanswered: int = 0

    def percentile(self, percent: float) -> float:
        return float(np.percentile(self.delays, percent)) if self.delays else float("nan")


class _Person:
    def __init__(self, socket: ClientConnection, wire: Wire, said: Sequence[str | bytes]) -> None:
        self._socket, self._wire, self._said = socket, wire, said
        self._silence = wire.frame(bytes(2 * round(wire.rate * FRAME_SECONDS)))
        self.sounded = asyncio.Event()
        self.cut = asyncio.Event()
        self.cut_at = self.sounded_at = 0.0

    async def listen(self) -> None:
        async for message in self._socket:
            data = message.encode() if isinstance(message, str) else message
            if not self.sounded.is_set() and self._wire.is_sound(data):
                self.sounded_at = time.perf_counter()
                self.sounded.set()
            elif self._wire.is_cut(data):
                self.cut_at = time.perf_counter()
                self.cut.set()

    async def talk(self, heard: Heard, until: float, after: float) -> None:
        """Questions until then; those that begin ``after`` count."""
        microphone = _Microphone(self._socket, self._silence)
        while (began := time.perf_counter()) < until:
            self.sounded.clear()
            ended = await microphone.say(self._said)
            answered = await microphone.be_quiet(ANSWER_SECONDS, self.sounded)
            if began >= after:
                if answered:
                    heard.delays.append((self.sounded_at - ended) * 1000)
                else:
                    heard.unanswered += 1
            await microphone.be_quiet(REST_SECONDS)

    async def interrupt(self, said: Sequence[str | bytes], after: float) -> float:
        """Asks, speaks again ``after`` so many seconds of the answer, and returns the milliseconds until it was cut."""
        microphone = _Microphone(self._socket, self._silence)
        self.sounded.clear()
        self.cut.clear()
        await microphone.say(self._said)
        await microphone.be_quiet(ANSWER_SECONDS, self.sounded)
        await microphone.be_quiet(after)
        began = time.perf_counter()
        await microphone.say(said)
        await microphone.be_quiet(ANSWER_SECONDS, self.cut)
        return (self.cut_at - began) * 1000


class _Microphone:
    """Sends on time; what was late is made up for, as a sound card does."""

    def __init__(self, socket: ClientConnection, silence: str | bytes) -> None:
        self._socket, self._silence = socket, silence
        self._due = time.perf_counter()

    async def say(self, messages: Sequence[str | bytes]) -> float:
        """Returns when the last of them was sent."""
        for message in messages:
            await self._next(message)
        return time.perf_counter()

    async def be_quiet(self, seconds: float, until: asyncio.Event | None = None) -> bool:
        """Whether ``until`` was reached."""
        end = self._due + seconds
        while self._due < end:
            if until and until.is_set():
                return True
            await self._next(self._silence)
        return bool(until and until.is_set())

    async def _next(self, message: str | bytes) -> None:
        self._due += FRAME_SECONDS
        await asyncio.sleep(max(0.0, self._due - time.perf_counter()))
        await self._socket.send(message)


async def crowd(url: str, wire: Wire, size: int, *, seconds: float, warm: float = 4.0) -> Heard:
    """So many people for so long, after a while that does not count. They do not begin all at once."""
    heard = Heard()
    said = question("time_in_london", wire)
    async with AsyncExitStack() as stack:
        people = []
        for _ in range(size):
            socket = await stack.enter_async_context(
                connect(url + wire.path(), max_size=None, compression=None, ping_interval=None)
            )
            await wire.begin(socket)
            people.append(_Person(socket, wire, said))
        begin = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            listening = [group.create_task(person.listen()) for person in people]
            talking = []
            for index, person in enumerate(people):
                start = index / size * (len(said) * FRAME_SECONDS + 2 * REST_SECONDS)
                talk = person.talk(heard, begin + warm + seconds, begin + warm)
                talking.append(group.create_task(_later(start, talk)))
            await asyncio.wait(talking)
            for task in listening:
                task.cancel()
    return heard


async def interruption(url: str, wire: Wire, times: int) -> list[float]:
    """Milliseconds from the first voiced frame that is spoken over an answer to its end, one for each time."""
    said = question("time_in_london", wire)
    over = question("stop_please", wire)
    found = []
    for _ in range(times):
        async with connect(url + wire.path(), max_size=None, compression=None, ping_interval=None) as socket:
            await wire.begin(socket)
            person = _Person(socket, wire, said)
            listening = asyncio.create_task(person.listen())
            found.append(await person.interrupt(over, 1.0))
            listening.cancel()
            await asyncio.wait([listening])
    return found


async def _later(seconds: float, talk: object) -> None:
    await asyncio.sleep(seconds)
    await talk  # type: ignore[misc]
