"""Models on other servers: is somebody there, is the key good, has it the model."""

from collections.abc import AsyncIterator
from typing import Protocol, runtime_checkable

from vivavoce.cli.checks.finding import Finding, bad, fine, warn
from vivavoce.models.catalog import Models
from vivavoce.models.interfaces import ModelError

__all__ = ["Remote", "remotes"]

SHOWN = 8
"""Models of a server that are named."""


@runtime_checkable
class Remote(Protocol):
    name: str

    async def check(self) -> list[str] | None:
        """The models that its server names. Raises :class:`ModelError`."""


async def remotes(senses: Models) -> AsyncIterator[Finding]:
    """Nothing that is asked costs anything."""
    for about, model in (("stt", senses.stt), ("llm", senses.llm), ("tts", senses.tts)):
        if isinstance(model, Remote):
            yield await _checked(about, model)


async def _checked(about: str, model: Remote) -> Finding:
    try:
        names = await model.check()
    except ModelError as error:
        return bad(about, str(error), f"Put it right, or choose another with --{about}.")
    if names is None:
        return fine(about, f"its server answers; it does not say which models it has. Asked for: {model.name}.")
    if model.name in names:
        return fine(about, f"its server answers, and has {model.name}.")
    has = ", ".join(names[:SHOWN]) + (", …" if len(names) > SHOWN else "")
    return warn(
        about, f"its server answers, and does not name {model.name!r} among its models: {has or 'none'}.",
        f"If what follows fails, choose one of them with --{about}-model.",
    )  # fmt: skip
