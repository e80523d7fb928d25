"""Who answers a session: one small interface.

A backend opens a :class:`Line` for each session; ``sessions/hub.py`` joins it with the client's. Nothing
else crosses this seam, so everything that is added to the stream of events works with every backend.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

from vivavoce.protocol.frame import Line

__all__ = ["Backend", "BackendError", "Kind", "Relayed", "Relays", "SessionRequest"]

Kind = Literal["realtime", "transcription"]


@dataclass(frozen=True, slots=True)
class SessionRequest:
    """What a client asks for when a session begins."""

    session_id: str
    """``sess_…``"""
    model: str
    kind: Kind
    config: Mapping[str, Any] | None = None
    """A session patch in GA's shape that applies before ``session.created`` (W-16): bound to an ``ek_`` key,
    or the ``session`` part of a call. ``None`` and ``{}`` mean the defaults."""
    media: bool = False
    """The client is a WebRTC track: audio is 24 kHz 16-bit mono PCM both ways, and the frames FLUSH and PLAYED flow."""


class BackendError(Exception):
    """A backend will not or cannot open a session. ``status`` is the HTTP status that tells it (H-46) and
    ``body`` the object under ``error`` (H-45): ``type``, ``code``, ``message``, ``param``. The message is for
    the person in front of the page: what happened and what to do; it never holds a secret."""

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        super().__init__(str(body.get("message", "")))
        self.status = status
        self.body = dict(body)

    @classmethod
    def of(cls, status: int, message: str, *, code: str | None = None, type: str = "server_error") -> "BackendError":
        return cls(status, {"type": type, "code": code, "message": message, "param": None})


class Backend(Protocol):
    @property
    def name(self) -> str:
        """What answers, in a word or two for people."""

    def describe(self, request: SessionRequest) -> dict[str, Any]:
        """The whole session object that the request would begin with, every default filled in (H-32, S-09).
        Raises :class:`ProtocolError` for a configuration that is wrong."""

    async def open(self, request: SessionRequest) -> Line:
        """Begin a session. The line's first frame is ``session.created`` (O-01); ``send`` takes client events,
        ``receive`` gives server events. Raises :class:`BackendError`, and then nothing is left running."""

    async def close(self) -> None:
        """Free models, workers and connections; sessions have ended before. Idempotent."""


@dataclass(frozen=True, slots=True)
class Relayed:
    """A call whose media goes straight between the client and another server."""

    answer: str
    """The SDP answer."""
    call: str
    """The other server's name for the call, for :meth:`Relays.hang_up`."""


@runtime_checkable
class Relays(Protocol):
    """A backend that passes a WebRTC offer on instead of answering it itself."""

    async def relay(self, offer: str, request: SessionRequest) -> Relayed:
        """Place the call. Raises :class:`BackendError`, and then no call is left behind (H-46)."""

    async def hang_up(self, call: str) -> None:
        """End a relayed call; one that has already ended is no error. Raises :class:`BackendError`."""
