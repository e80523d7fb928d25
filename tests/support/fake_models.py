"""Models that do as they are told, for tests of what stands above them.

Each is given a script, one entry for each time it is asked, and keeps a record of what it was asked
and how that ended. Delays are seconds on the running loop's clock: see ``virtual_time``. Where a
script holds an exception, it is raised.
"""

import asyncio
import math
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Literal, TypeVar

import numpy as np

from vivavoce.audio.pcm import level_dbfs, samples_in
from vivavoce.models.interfaces import Answer, Finish, HearingLost, Hints, Prompt, Said, Transcript, VadStream

__all__ = [
    "FakeLlm", "FakeStreamingStt", "FakeStt", "FakeTts", "FakeVad", "Heard", "Listened", "Script", "Thought", "Voiced",
    "says", "tone",
]  # fmt: skip

T = TypeVar("T")

SPEECH_LEVEL = -40.0
"""dBFS above which :class:`FakeVad` takes sound for speech."""


def tone(ms: float, rate: int = 24_000, hertz: float = 440.0) -> bytes:
    """Speech, as far as :class:`FakeVad` can tell."""
    phase = 2 * math.pi * hertz / rate * np.arange(samples_in(ms, rate))
    return np.asarray(8000 * np.sin(phase), "<i2").tobytes()


@dataclass
class _Record:
    state: Literal["running", "done", "failed", "cancelled"] = field(default="running", init=False)

    @contextmanager
    def running(self) -> Iterator[None]:
        try:
            yield
            self.state = "done"
        except (asyncio.CancelledError, GeneratorExit):
            self.state = "cancelled"
            raise
        except BaseException:
            self.state = "failed"
            raise


class FakeVad:
    """Certain that loud is speech: 1.0 above :data:`SPEECH_LEVEL`, else 0.0."""

    window = 768

    def stream(self) -> VadStream:
        return self._probability

    def probabilities(self, heard: Sequence[tuple[VadStream, bytes]]) -> list[float]:
        return [listener(window) for listener, window in heard]

    def _probability(self, window: bytes) -> float:
        assert len(window) == 2 * self.window
        return float(level_dbfs(window) > SPEECH_LEVEL)


@dataclass
class Heard(_Record):
    pcm: bytes
    hints: Hints


class FakeStt:
    rate = 16_000
    name = "fake-stt"

    def __init__(self, *texts: str | Exception, delay: float = 0.0) -> None:
        self._texts = iter(texts)
        self._delay = delay
        self.asked: list[Heard] = []
        self.closed = False

    async def transcribe(self, pcm: bytes, hints: Hints) -> Transcript:
        record = Heard(pcm, hints)
        self.asked.append(record)
        with record.running():
            text = _next(self._texts, self.name)
            await asyncio.sleep(self._delay)
            if isinstance(text, Exception):
                raise text
            return Transcript(text)

    async def close(self) -> None:
        self.closed = True


@dataclass
class Listened(_Record):
    """A hearing: what it was fed, and when, on the running loop's clock."""

    stt: "FakeStreamingStt"
    hints: Hints
    fed: list[bytes] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    steady: str = ""

    async def feed(self, pcm: bytes) -> None:
        self.fed.append(pcm)
        self.times.append(asyncio.get_running_loop().time())
        await asyncio.sleep(self.stt.feeding)
        if len(b"".join(self.fed)) > 2 * self.stt.rate * self.stt.lost_after:
            raise HearingLost("as it was told")

    async def words(self) -> Transcript:
        found = await self.stt.transcribe(b"".join(self.fed), self.hints)
        self.steady = self.stt.sure
        return found


class FakeStreamingStt(FakeStt):
    """Hears while it is spoken as it hears at the end: :meth:`transcribe` says what. ``sure``: the words that are
    steady from the first pause on; ``feeding``: what each feed takes; a hearing is lost after so many seconds."""

    def __init__(
        self,
        *texts: str | Exception,
        delay: float = 0.0,
        sure: str = "",
        feeding: float = 0.0,
        lost_after: float = math.inf,
    ) -> None:
        super().__init__(*texts, delay=delay)
        self.sure, self.feeding, self.lost_after = sure, feeding, lost_after
        self.heard: list[Listened] = []

    @asynccontextmanager
    async def hear(self, hints: Hints) -> AsyncIterator[Listened]:
        record = Listened(self, hints)
        self.heard.append(record)
        with record.running():
            yield record


Script = Sequence[Answer | float | Exception]
"""The parts of one answer; a number is a delay before the next part. A :class:`Finish` is added at the
end where there is none."""


def says(text: str, pause: float = 0.0) -> Script:
    """An answer word by word, with a pause before each."""
    parts: list[Answer | float | Exception] = []
    for index, word in enumerate(text.split()):
        parts += [pause, Said(f" {word}" if index else word)]
    return parts


@dataclass
class Thought(_Record):
    prompt: Prompt


class FakeLlm:
    name = "fake-llm"
    sees = False

    def __init__(self, *answers: Script) -> None:
        self._answers = iter(answers)
        self.asked: list[Thought] = []
        self.closed = False

    async def answer(self, prompt: Prompt) -> AsyncIterator[Answer]:
        record = Thought(prompt)
        self.asked.append(record)
        with record.running():
            script = _next(self._answers, self.name)
            for part in script:
                if isinstance(part, Exception):
                    raise part
                if isinstance(part, int | float):
                    await asyncio.sleep(part)
                else:
                    yield part
            if not any(isinstance(part, Finish) for part in script):
                yield Finish()

    async def close(self) -> None:
        self.closed = True


@dataclass
class Voiced(_Record):
    text: str
    voice: str
    speed: float
    language: str | None


class FakeTts:
    """A tone of ``word_ms`` for each word, in chunks of ``chunk_ms``. The first chunk takes ``delay``,
    each later one ``chunk_delay``. ``failure`` is raised in place of any sound."""

    name = "fake-tts"

    def __init__(
        self,
        *,
        rate: int = 24_000,
        word_ms: float = 100.0,
        chunk_ms: float = 50.0,
        delay: float = 0.0,
        chunk_delay: float = 0.0,
        failure: Exception | None = None,
    ) -> None:
        self.rate = rate
        self._word_ms, self._chunk_ms = word_ms, chunk_ms
        self._delay, self._chunk_delay = delay, chunk_delay
        self._failure = failure
        self.asked: list[Voiced] = []
        self.closed = False

    def voices(self) -> Sequence[str]:
        return ("alloy", "marin")

    async def speak(self, text: str, voice: str, speed: float, language: str | None = None) -> AsyncIterator[bytes]:
        record = Voiced(text, voice, speed, language)
        self.asked.append(record)
        with record.running():
            await asyncio.sleep(self._delay)
            if self._failure:
                raise self._failure
            sound = tone(len(text.split()) * self._word_ms / speed, self.rate)
            step = 2 * samples_in(self._chunk_ms, self.rate)
            for at in range(0, len(sound), step):
                if at:
                    await asyncio.sleep(self._chunk_delay)
                yield sound[at : at + step]

    async def close(self) -> None:
        self.closed = True


def _next(script: Iterator[T], who: str) -> T:
    for entry in script:
        return entry
    raise AssertionError(f"{who} was asked more often than its script has answers")
