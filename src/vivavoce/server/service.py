"""What every route works with, put together once in ``app.py``."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import HTTPConnection

from vivavoce.access.gate import Gate
from vivavoce.access.grants import Grants
from vivavoce.access.limits import Limits
from vivavoce.backends.interface import Backend
from vivavoce.protocol.dialects import Dialect
from vivavoce.protocol.frame import Line
from vivavoce.server.options import ServerOptions
from vivavoce.sessions.metrics import Metrics
from vivavoce.sessions.parking import Parking
from vivavoce.sessions.registry import Registry
from vivavoce.store.store import Store
from vivavoce.tools.toolbox import Toolbox

__all__ = ["AnswerCall", "Service", "bearer"]

AnswerCall = Callable[[str, Dialect], Awaitable[tuple[Line, str]]]
"""From an SDP offer, and what is spoken on its data channel, to the call as a line and the SDP answer. Raises
:class:`ProtocolError` for what is no offer, and then nothing is left of it."""


@dataclass(frozen=True, slots=True)
class Service:
    options: ServerOptions
    backend: Backend
    toolbox: Toolbox
    registry: Registry
    parking: Parking
    grants: Grants
    gate: Gate
    limits: Limits
    store: Store
    answer_call: AnswerCall
    new_id: Callable[[str], str]
    """``new_id("sess_")`` gives a name that was never given before and cannot be guessed."""
    random: Callable[[int], bytes]
    """``random(n)`` gives n unguessable bytes."""
    now: Callable[[], float]
    """Unix seconds."""
    metrics: Metrics

    def new_event(self) -> str:
        """An id for an event of our own."""
        return self.new_id("event_")


def bearer(connection: HTTPConnection) -> str | None:
    """The key in ``Authorization: Bearer KEY``."""
    scheme, _, key = connection.headers.get("authorization", "").partition(" ")
    return key.strip() or None if scheme.lower() == "bearer" else None
