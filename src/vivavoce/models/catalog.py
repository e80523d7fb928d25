"""Which adapter answers to which name, and the senses built from what was chosen.

An adapter's module is imported only when it is chosen, so that what nobody uses costs nothing.
"""

import asyncio
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from vivavoce.models.interfaces import Llm, ModelError, Stt, Tts, TurnModel, Vad
from vivavoce.models.sources import KOKORO, PIPER, WHISPER, piper_voice
from vivavoce.models.spec import Chosen, Clock, Sense, Spec, Takes

__all__ = ["SPECS", "Chosen", "Clock", "Models", "Sense", "Spec", "build", "find", "names"]

_REMOTE: frozenset[Takes] = frozenset({"model", "url", "key", "key_env"})
_THEIRS = "that of the model there"

SPECS = (
    Spec(
        name="silero", sense="vad", module="vivavoce.models.vad.silero", factory="SileroVad",
        licence="MIT", languages="any", package="faster_whisper",
    ),
    Spec(
        name="smart-turn", sense="turn", module="vivavoce.models.turn.smart_turn", factory="SmartTurn",
        licence="BSD-2-Clause", languages="23", package="pipecat", extra="smart-turn",
    ),
    Spec(
        name="pocketsphinx", sense="stt", module="vivavoce.models.stt.pocketsphinx", factory="PocketSphinxStt",
        licence="BSD-2-Clause", languages="English", package="pocketsphinx",
    ),
    Spec(
        name="whisper", sense="stt", module="vivavoce.models.stt.whisper.stt", factory="WhisperStt",
        licence="MIT", languages="99", package="faster_whisper",
        takes=frozenset({"model", "directory", "language"}), files=WHISPER,
    ),
    Spec(
        name="openai", sense="stt", module="vivavoce.models.stt.remote", factory="RemoteStt",
        licence=_THEIRS, languages="those of the model there", takes=_REMOTE | {"language"},
    ),
    Spec(
        name="builtin", sense="llm", module="vivavoce.models.llm.builtin", factory="BuiltinLlm",
        licence="MIT", languages="English", takes=frozenset({"clock"}),
    ),
    Spec(
        name="openai", sense="llm", module="vivavoce.models.llm.remote", factory="RemoteLlm",
        licence=_THEIRS, languages="those of the model there", takes=_REMOTE,
    ),
    Spec(
        name="espeak", sense="tts", module="vivavoce.models.tts.espeak", factory="EspeakTts",
        licence="GPL-3.0-or-later", languages="more than 100", package="espeakng_loader", takes=frozenset({"language"}),
    ),
    Spec(
        name="kokoro", sense="tts", module="vivavoce.models.tts.kokoro", factory="KokoroTts",
        licence="Apache-2.0, with GPL-3.0-or-later in a process of its own", languages="9", package="kokoro_onnx",
        extra="kokoro", takes=frozenset({"model", "directory", "language"}), files=KOKORO,
    ),
    Spec(
        name="piper", sense="tts", module="vivavoce.models.tts.piper", factory="PiperTts",
        licence="GPL-3.0-or-later in a process of its own", languages="one a voice", package="piper",
        extra="piper", takes=frozenset({"model", "directory"}), files=PIPER, more=piper_voice,
    ),
    Spec(
        name="openai", sense="tts", module="vivavoce.models.tts.remote", factory="RemoteTts",
        licence=_THEIRS, languages="those of the model there", takes=_REMOTE,
    ),
)  # fmt: skip
"""The first of each sense is its default."""
NOT_CHOSEN = Chosen()


@runtime_checkable
class _Warmable(Protocol):
    async def warm(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Models:
    """One of each sense, for the whole process."""

    vad: Vad
    stt: Stt
    llm: Llm
    tts: Tts
    turn: TurnModel | None = None
    """None: the end of a turn is heard in its words and pauses alone."""

    async def warm(self) -> None:
        """Load now what would else be loaded by the first who talks, and see whether those on other servers are there.
        Raises :class:`ModelError`, once every one of them was tried."""
        senses: tuple[object, ...] = (self.vad, self.turn, self.stt, self.llm, self.tts)
        warming = (sense.warm() for sense in senses if isinstance(sense, _Warmable))
        failed = [error for error in await asyncio.gather(*warming, return_exceptions=True) if error is not None]
        if unforeseen := next((error for error in failed if not isinstance(error, ModelError)), None):
            raise unforeseen
        if failed:
            raise ModelError(" ".join(map(str, failed)))

    async def close(self) -> None:
        """Free workers and connections. Idempotent."""
        closable = (self.turn, self.stt, self.llm, self.tts)
        await asyncio.gather(*(sense.close() for sense in closable if sense is not None))


def build(
    *,
    clock: Clock,
    stt: Chosen = NOT_CHOSEN,
    llm: Chosen = NOT_CHOSEN,
    tts: Chosen = NOT_CHOSEN,
    turn: str = "auto",
    directory: Path | None = None,
    language: str | None = None,
) -> Models:
    """The senses that were chosen, the default for each that was not; nothing is started yet. ``turn`` is the name of a
    model of turns, ``words`` for none, or ``auto`` for one that is installed. ``directory`` has the files of models,
    ``language`` is that of sessions which name none. Raises :class:`ModelError` for a name that is not in
    :data:`SPECS`, for what an adapter does not take, and for one whose packages are not installed."""
    shared = {"clock": clock, "directory": directory, "language": language}
    return Models(
        _make("vad", NOT_CHOSEN, shared),
        _make("stt", stt, shared),
        _make("llm", llm, shared),
        _make("tts", tts, shared),
        _turn(turn, shared),
    )


def names(sense: Sense) -> list[str]:
    """What may be chosen, the default first."""
    return [spec.name for spec in SPECS if spec.sense == sense]


def find(sense: Sense, name: str = "") -> Spec:
    """The adapter of this name, the default for none. Raises :class:`ModelError`."""
    for spec in SPECS:
        if spec.sense == sense and name in ("", spec.name):
            return spec
    raise ModelError(f"There is no {sense} model '{name}'. Known: {', '.join(names(sense))}.")


def _turn(name: str, shared: dict[str, Any]) -> TurnModel | None:
    if name == "words":
        return None
    try:
        model: TurnModel = _make("turn", NOT_CHOSEN if name == "auto" else Chosen(name), shared)
    except ModelError:
        if name == "auto":
            return None  # its package is not there, or is one without the model
        raise
    return model


def _make(sense: Sense, chosen: Chosen, shared: dict[str, Any]) -> Any:
    spec = find(sense, chosen.name)
    asked: dict[str, Any] = {"model": chosen.model, "url": chosen.url, "key": chosen.key}
    for what, given in asked.items():
        if given and what not in spec.takes:
            raise ModelError(f"The {sense} model '{spec.name}' has no {what} to choose: leave --{sense}-{what} out.")
    try:
        factory = getattr(import_module(spec.module), spec.factory)
    except ImportError as error:
        raise ModelError(
            f"The {sense} model '{spec.name}' needs the package {error.name!r}, which is not installed: {spec.install}"
        ) from error
    told = {**shared, **asked, "key_env": chosen.key_env}
    return factory(**{what: given for what, given in told.items() if given and what in spec.takes})
