"""What is known of an adapter before it is imported, and what a user may choose of it."""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

from vivavoce.models.files import Files

__all__ = ["Chosen", "Clock", "Sense", "Spec", "Takes"]

Sense = Literal["vad", "turn", "stt", "llm", "tts"]
Takes = Literal["clock", "model", "url", "key", "key_env", "directory", "language"]
Clock = Callable[[], datetime]
"""Now, with the local time zone."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What was chosen for one sense. An empty text is no choice."""

    name: str = ""
    """Of the adapter."""
    model: str = ""
    """Which of its models: a name that the adapter knows, or where it lies."""
    url: str = ""
    """Where the model's server is."""
    key: str = field(default="", repr=False)
    """What that server wants to be shown."""
    key_env: str = ""
    """The variable that holds it: what a person is told of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """One adapter. Its ``factory`` is called with the keyword arguments that it ``takes``, each only where there is
    something to give: ``clock`` (:data:`Clock`), ``model``, ``url``, ``key`` and ``key_env`` (as in :class:`Chosen`),
    ``directory`` (a ``Path``, where the files of models lie) and ``language`` (that of sessions which name none, such
    as ``de``)."""

    name: str
    sense: Sense
    module: str
    factory: str
    licence: str
    """SPDX, of the library and of the model that it carries."""
    languages: str
    """In words, for people."""
    takes: frozenset[Takes] = frozenset()
    package: str = ""
    """The package that has to be importable; its own dependencies are its own affair."""
    extra: str = ""
    """The optional extra of this distribution that installs it."""
    files: tuple[Files, ...] = ()
    """Of each of its models that are known, the one to be preferred first; empty: it carries what it needs."""
    more: Callable[[str], Files | None] | None = None
    """The files of a model that is not among them, by its name; None for what cannot be the name of one."""

    def files_of(self, model: str) -> Files | None:
        """Those of one model, of the preferred one for an empty name."""
        for each in self.files:
            if model in ("", each.model):
                return each
        return self.more(model) if self.more else None

    def present(self, directory: Path) -> list[Files]:
        """The models whose files lie in ``directory``, the preferred one first."""
        found = [each for each in self.files if each.present(directory)]
        if self.more:
            known = {each.model for each in self.files}
            others = sorted({path.stem for path in (directory / self.name).glob("*.onnx")} - known)
            found += [each for name in others if (each := self.more(name)) and each.present(directory)]
        return found

    @property
    def installed(self) -> bool:
        return not self.package or importlib.util.find_spec(self.package) is not None

    @property
    def install(self) -> str:
        """The command that installs it."""
        wanted = f"'vivavoce[{self.extra}]'" if self.extra else "--force-reinstall vivavoce"
        return f"pip install {wanted}"
