"""What a backend can do beside sessions: answer a single request, by its own models or by passing it on."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import IO, Any, NamedTuple, Protocol, runtime_checkable

from vivavoce.engine.senses import Senses

__all__ = ["File", "Passed", "Passes", "Thinks"]


@runtime_checkable
class Thinks(Protocol):
    """A backend whose models are in this process, and may be asked without a session."""

    @property
    def senses(self) -> Senses: ...


class Passed(NamedTuple):
    """The other server's answer to a request that was passed on; a success."""

    kind: str
    """Its ``Content-Type``."""
    chunks: AsyncIterator[bytes]
    """Raises :class:`BackendError` where it breaks off."""


@runtime_checkable
class Passes(Protocol):
    """A backend that passes a plain HTTP request on to another server, with this server's key or the user's."""

    def passed(
        self, method: str, path: str, *, upstream_key: str | None, body: Mapping[str, Any] | None = None
    ) -> AbstractAsyncContextManager[Passed]:
        """``path`` is below the API's base: ``/chat/completions``. ``body`` is a JSON object, or a form where it holds
        a :class:`File`. To leave the context before the end stops the other server. Raises :class:`BackendError`."""


@dataclass(frozen=True, slots=True)
class File:
    """In a form."""

    content: IO[bytes]
    name: str
    kind: str
    """Its media type."""
