"""Which adapter answers to which name, and the four senses built from such names.

An adapter's module is imported only when it is chosen, so that what nobody uses costs nothing.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from typing import Any, Literal, Protocol, runtime_checkable

from vivavoce.models.interfaces import Llm, ModelError, Stt, Tts, Vad

__all__ = ["SPECS", "Clock", "Models", "Sense", "Spec", "build", "names"]

Sense = Literal["vad", "stt", "llm", "tts"]
Clock = Callable[[], datetime]
"""Now, with the local time zone."""


@dataclass(frozen=True, slots=True)
class Spec:
    """One adapter."""

    name: str
    sense: Sense
    module: str
    factory: str
    licence: str
    """SPDX, of the model and its library."""
    extra: str = ""
    """The optional extra of this package that installs what it needs."""
    needs_clock: bool = False


SPECS = (
    Spec("silero", "vad", "vivavoce.models.vad.silero", "SileroVad", "MIT"),
    Spec("pocketsphinx", "stt", "vivavoce.models.stt.pocketsphinx", "PocketSphinxStt", "BSD-2-Clause"),
    Spec("builtin", "llm", "vivavoce.models.llm.builtin", "BuiltinLlm", "MIT", needs_clock=True),
    Spec("espeak", "tts", "vivavoce.models.tts.espeak", "EspeakTts", "GPL-3.0-or-later"),
)


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

    async def warm(self) -> None:
        """Load now what would else be loaded by the first who talks. Raises :class:`ModelError`."""
        senses: tuple[object, ...] = (self.vad, self.stt, self.llm, self.tts)
        await asyncio.gather(*(sense.warm() for sense in senses if isinstance(sense, _Warmable)))

    async def close(self) -> None:
        """Free workers and connections. Idempotent."""
        await asyncio.gather(self.stt.close(), self.llm.close(), self.tts.close())


def build(
    *,
    clock: Clock,
    vad: str = "silero",
    stt: str = "pocketsphinx",
    llm: str = "builtin",
    tts: str = "espeak",
) -> Models:
    """The senses of these names; nothing is started yet. Raises :class:`ModelError` for a name that is
    not in :data:`SPECS`, and for an adapter whose packages are not installed."""
    return Models(
        _make("vad", vad, clock), _make("stt", stt, clock), _make("llm", llm, clock), _make("tts", tts, clock)
    )


def names(sense: Sense) -> list[str]:
    """What may be chosen, the default first."""
    return [spec.name for spec in SPECS if spec.sense == sense]


def _make(sense: Sense, name: str, clock: Clock) -> Any:
    spec = _find(sense, name)
    try:
        factory = getattr(import_module(spec.module), spec.factory)
    except ImportError as error:
        wanted = f"vivavoce[{spec.extra}]" if spec.extra else "--force-reinstall vivavoce"
        raise ModelError(
            f"The {sense} model '{name}' needs the package {error.name!r}, which is not installed: pip install {wanted}"
        ) from error
    return factory(clock) if spec.needs_clock else factory()


def _find(sense: Sense, name: str) -> Spec:
    for spec in SPECS:
        if (spec.sense, spec.name) == (sense, name):
            return spec
    raise ModelError(f"There is no {sense} model '{name}'. Known: {', '.join(names(sense))}.")
