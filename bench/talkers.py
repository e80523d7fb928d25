"""People who talk to a server, many at once: each has a microphone that sends 20 ms of sound every 20 ms, asks, listens
to the beginning of the answer, rests, and asks again; or speaks over the answer.

What is measured is what such a person hears: the time from the last audible sample leaving the microphone to the first
sound of the answer, or from a sound over an answer to its end. The same people talk to every server; only the wire
differs.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from bench.voicing import audible
from bench.wires import Wire
from vivavoce.audio.resample import convert
from vivavoce.audio.wav import read_wav

__all__ = ["FRAME_SECONDS", "Heard", "Person", "crowd", "in_a_hurry", "in_frames", "person", "question"]

FRAME_SECONDS = 0.02
REST_SECONDS = 1.5
"""Between the first sound of an answer and the next question; longer than the answer."""
HURRIED_SILENCE = 40
"""Messages: 800 ms."""
OPEN_SECONDS = 60.0
"""A server that answers on its port may still be loading the rest of itself."""
ANSWER_SECONDS = 15.0
"""An answer that takes longer is none."""
INTO_THE_ANSWER = 1.0
"""Seconds after its first sound, when somebody speaks over it."""
BREATH_SECONDS = 0.4
CUT_SECONDS = 4.0
"""Who is not let in by then, after they have spoken, is not let in at all."""
SPEECH = Path(__file__).parent.parent / "tests" / "speech"


def question(name: str, wire: Wire) -> list[str | bytes]:
    """A recorded question as messages; it ends with its last audible sample."""
    pcm, rate = read_wav(SPEECH / f"{name}.wav")
    samples = np.frombuffer(convert(pcm, rate, wire.rate), np.int16)
    return in_frames(samples[audible(samples)], wire)[0]


def in_frames(samples: NDArray[np.int16], wire: Wire) -> tuple[list[str | bytes], float]:
    """Messages of 20 ms, and the seconds of silence before the sound, so that it ends with the last message."""
    size = round(wire.rate * FRAME_SECONDS)
    lead = -len(samples) % size
    padded = np.concatenate([np.zeros(lead, np.int16), samples])
    return [wire.frame(padded[at : at + size].tobytes()) for at in range(0, len(padded), size)], lead / wire.rate


@dataclass
class Heard:
    """What a crowd heard."""

    delays: list[float] = field(default_factory=list)
    """Milliseconds from the end of a question to the first sound, of each turn."""
    unanswered: int = 0

    def percentile(self, percent: float) -> float:
        return float(np.percentile(self.delays, percent)) if self.delays else float("nan")


class Person:
    """``person`` makes one; somebody has to ``listen`` for them."""

    def __init__(self, socket: ClientConnection, wire: Wire) -> None:
        self._socket, self._wire = socket, wire
        self._sounded, self._cut = asyncio.Event(), asyncio.Event()
        self._sounded_at = self._cut_at = 0.0

    async def listen(self) -> None:
        async for message in self._socket:
            data = message.encode() if isinstance(message, str) else message
            if not self._sounded.is_set() and self._wire.is_sound(data):
                self._sounded_at = time.perf_counter()
                self._sounded.set()
            elif self._wire.is_cut(data):
                self._cut_at = time.perf_counter()
                self._cut.set()

    async def talk(self, said: Sequence[str | bytes], heard: Heard, after: float, until: float) -> None:
        """The same question again and again; those count that begin ``after``."""
        microphone = _Microphone(self._socket, self._wire)
        while (began := time.perf_counter()) < until:
            self._sounded.clear()
            ended = await microphone.say(said)
            answered = await microphone.be_quiet(ANSWER_SECONDS, self._sounded)
            if began >= after:
                if answered:
                    heard.delays.append((self._sounded_at - ended) * 1000)
                else:
                    heard.unanswered += 1
            if time.perf_counter() < until:
                await microphone.be_quiet(REST_SECONDS)

    async def interrupt(
        self, said: Sequence[str | bytes], interjections: Sequence[Sequence[str | bytes]]
    ) -> list[float | None]:
        """Asks, and speaks over the answer, again and again. Seconds from the first sample of each interjection to the
        answer's end; None if that went on, or never began."""
        microphone, found = _Microphone(self._socket, self._wire), list[float | None]()
        for over in interjections:
            await microphone.say(said)
            self._sounded.clear()
            self._cut.clear()
            if not await microphone.be_quiet(ANSWER_SECONDS, self._sounded):
                found.append(None)
                continue
            await microphone.be_quiet(INTO_THE_ANSWER)
            self._cut.clear()
            began = microphone.now
            await microphone.say(over)
            found.append(self._cut_at - began if await microphone.be_quiet(CUT_SECONDS, self._cut) else None)
            await microphone.be_quiet(BREATH_SECONDS)
        return found


class _Microphone:
    """Sends on time; what was late is made up for, as a sound card does."""

    def __init__(self, socket: ClientConnection, wire: Wire) -> None:
        self._socket = socket
        self._silence = wire.frame(bytes(2 * round(wire.rate * FRAME_SECONDS)))
        self.now = time.perf_counter()
        """Up to when sound was recorded."""

    async def say(self, messages: Sequence[str | bytes]) -> float:
        """Returns when the last of them was sent."""
        for message in messages:
            await self._next(message)
        return time.perf_counter()

    async def be_quiet(self, seconds: float, until: asyncio.Event | None = None) -> bool:
        """Whether ``until`` was reached."""
        end = self.now + seconds
        while self.now < end:
            if until and until.is_set():
                return True
            await self._next(self._silence)
        return bool(until and until.is_set())

    async def _next(self, message: str | bytes) -> None:
        self.now += FRAME_SECONDS
        await asyncio.sleep(max(0.0, self.now - time.perf_counter()))
        await self._socket.send(message)


@asynccontextmanager
async def _connected(url: str, wire: Wire) -> AsyncIterator[ClientConnection]:
    options: dict[str, Any] = {"compression": None, "ping_interval": None, "open_timeout": OPEN_SECONDS}
    async with connect(url + wire.path(), max_size=None, proxy=None, **options) as socket:
        await wire.begin(socket)
        yield socket


@asynccontextmanager
async def person(url: str, wire: Wire) -> AsyncIterator[Person]:
    """Somebody with a session of their own, who listens."""
    async with _connected(url, wire) as socket:
        found = Person(socket, wire)
        listening = asyncio.create_task(found.listen())
        try:
            yield found
        finally:
            listening.cancel()
            await asyncio.wait([listening])


async def in_a_hurry(url: str, wire: Wire, said: Sequence[str | bytes], *, cut: bool) -> None:
    """A question asked faster than anybody speaks, up to the first sound of the answer; then the session is closed, or
    its cable ``cut``."""
    silence = wire.frame(bytes(2 * round(wire.rate * FRAME_SECONDS)))
    async with _connected(url, wire) as socket:
        for message in (*said, *[silence] * HURRIED_SILENCE):
            await socket.send(message)
        async for message in socket:
            if wire.is_sound(message if isinstance(message, bytes) else message.encode()):
                break
        if cut:
            socket.transport.abort()


async def crowd(url: str, wire: Wire, size: int, *, seconds: float, warm: float = 4.0) -> Heard:
    """So many people for so long, after a while that does not count. They do not begin all at once."""
    heard, said = Heard(), question("time_in_london", wire)
    async with AsyncExitStack() as stack:
        people = [await stack.enter_async_context(person(url, wire)) for _ in range(size)]
        begin = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for index, each in enumerate(people):
                start = index / size * (len(said) * FRAME_SECONDS + 2 * REST_SECONDS)
                group.create_task(_later(start, each, said, heard, begin + warm, begin + warm + seconds))
    return heard


async def _later(
    start: float, who: Person, said: Sequence[str | bytes], heard: Heard, after: float, until: float
) -> None:
    await asyncio.sleep(start)
    try:
        await who.talk(said, heard, after, until)
    except ConnectionClosed:
        heard.unanswered += 1
