"""What the engine asks of a model: one protocol for each sense. Adapters live beside this file, one a
file; the engine never imports them, ``models/catalog.py`` chooses.

All audio here is mono 16-bit little-endian PCM, as ``bytes``, at the rate that the model names.
Nothing here may block the event loop for more than a millisecond: work runs inline only where it is
that short (voice activity), else in a worker process (``models/worker.py``) or over the network.
Cancelling the awaiting task must free whatever works for it.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

__all__ = [
    "Answer", "Call", "CallArguments", "Finish", "Hearing", "HearingLost", "Hints", "Llm", "Logprob", "Message",
    "ModelError", "Prompt", "Said", "StreamingStt", "Stt", "Tool", "Transcript", "Tts", "TurnModel", "Vad", "VadStream",
]  # fmt: skip


class ModelError(Exception):
    """A model cannot do what it was asked. The message is for the user: what happened and what to do."""


# Voice activity ------------------------------------------------------------------------------------


class VadStream(Protocol):
    """The state of one listener."""

    def __call__(self, window: bytes) -> float:
        """The probability (0 to 1) that the window holds speech. ``window`` is exactly ``Vad.window``
        samples at the house's rate and follows the one before it."""


class Vad(Protocol):
    """One shared model; runs inline, in microseconds. What it is given has the house's rate, 24 kHz."""

    window: int
    """Samples that it looks at together."""

    def stream(self) -> VadStream:
        """A new listener."""

    def probabilities(self, heard: Sequence[tuple[VadStream, bytes]]) -> Sequence[float]:
        """What several of its listeners would say of a window each: cheaper than one after another."""


# The end of a turn ---------------------------------------------------------------------------------


class TurnModel(Protocol):
    """Hears whether a speaker who pauses has finished."""

    rate: int
    seconds: int
    """How much of the latest sound it looks at."""

    async def finished(self, pcm: bytes) -> float:
        """How likely (0 to 1) the turn is over whose last :attr:`seconds` these are, with the silence after them.
        Raises :class:`ModelError` where it has no time."""

    async def close(self) -> None:
        """Free threads. Idempotent."""


# Recognition ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Hints:
    language: str | None = None
    """ISO-639-1, as the session's ``audio.input.transcription.language``."""
    prompt: str | None = None


@dataclass(frozen=True, slots=True)
class Logprob:
    token: str
    logprob: float


@dataclass(frozen=True, slots=True)
class Transcript:
    text: str
    """Empty where nothing was said."""
    logprobs: tuple[Logprob, ...] | None = None
    """Of each token, where the model gives them."""


class Stt(Protocol):
    rate: int
    name: str

    async def transcribe(self, pcm: bytes, hints: Hints) -> Transcript:
        """The words of one whole utterance. Raises :class:`ModelError`."""

    async def close(self) -> None:
        """Free workers and connections. Idempotent."""


@runtime_checkable
class StreamingStt(Stt, Protocol):
    """One that can hear a turn while it is spoken."""

    def hear(self, hints: Hints) -> AbstractAsyncContextManager["Hearing"]:
        """A turn begins; it is over, and what worked for it is free, when the context ends. To enter it may wait for a
        place. Raises as the hearing does."""


class Hearing(Protocol):
    """One turn of one speaker: fed as it is spoken, asked for its words in pauses, after which it may go on.

    It is a head start and no more: the caller keeps the sound, so a hearing that can't go on (no place is free, its
    worker died) raises :class:`HearingLost`, and costs time but no words. One call at a time; while one works the
    caller collects what is said meanwhile, and what it raises ends the hearing, cancellation too."""

    @property
    def steady(self) -> str:
        """The first words, as far as no later sound will change them: it only grows, in whole words, and what
        :meth:`words` returns begins with it."""

    async def feed(self, pcm: bytes) -> None:
        """The sound that follows: 150 ms of it or more, all that came while the call before was at work."""

    async def words(self) -> Transcript:
        """The words of all that was fed, as if the turn ended here. Raises :class:`ModelError` where
        :meth:`Stt.transcribe` would."""


class HearingLost(Exception):
    """A :class:`Hearing` can't go on: ask :meth:`Stt.transcribe` for the whole sound. The message is for the log."""


# The mind ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tool:
    name: str
    description: str
    parameters: Mapping[str, Any]
    """JSON Schema."""


@dataclass(frozen=True, slots=True)
class Message:
    """One step of the conversation so far, in the words that were really heard.

    ``call`` (an assistant asked for a tool): ``name``, ``call_id`` and ``text``, its arguments as JSON.
    ``result`` (a tool answered): ``call_id`` and ``text``."""

    role: Literal["system", "user", "assistant", "call", "result"]
    text: str
    name: str = ""
    call_id: str = ""
    images: tuple[str, ...] = ()
    """data: URIs."""


@dataclass(frozen=True, slots=True)
class Prompt:
    instructions: str
    messages: Sequence[Message]
    tools: Sequence[Tool] = ()
    tool_choice: str = "auto"
    """``auto``, ``none``, ``required``, or ``function:NAME``."""
    max_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """The next words of the message."""

    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call begins. Arguments follow."""

    name: str
    call_id: str = ""
    """Empty: the session makes one."""


@dataclass(frozen=True, slots=True)
class CallArguments:
    """The next characters of the latest call's arguments, a JSON text."""

    text: str


@dataclass(frozen=True, slots=True)
class Finish:
    """The last part of every answer. Token counts where the model reports them."""

    reason: Literal["stop", "length", "content_filter"] = "stop"
    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int = 0


Answer = Said | Call | CallArguments | Finish


class Llm(Protocol):
    name: str
    sees: bool
    """Whether images may be given to it."""

    def answer(self, prompt: Prompt) -> AsyncIterator[Answer]:
        """The answer as it is made: any order of messages and calls, then one :class:`Finish`.
        Raises :class:`ModelError`. Closing the iterator stops the work."""

    async def close(self) -> None: ...


# The voice -----------------------------------------------------------------------------------------


class Tts(Protocol):
    rate: int
    name: str

    def voices(self) -> Sequence[str]:
        """The names that ``speak`` knows, the OpenAI voice names among them. Any other name is given
        a stable voice too."""

    def speak(self, text: str, voice: str, speed: float, language: str | None = None) -> AsyncIterator[bytes]:
        """The sound of one clause as it is made, in chunks of 10 to 200 ms. ``speed`` is 0.25 to 1.5.
        ``language``: that of the session, as in :class:`Hints`; None: whatever the synthesiser speaks else. One that
        does not speak it speaks all the same. Raises :class:`ModelError`. Closing the iterator stops the work."""

    async def close(self) -> None: ...
