"""Who answers a session: one small interface.

A backend opens a :class:`Line` for each session; ``sessions/hub.py`` joins it with the client's. Nothing
else crosses this seam, so everything that is added to the stream of events works with every backend.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

from vivavoce.backends.history import History
from vivavoce.protocol.frame import Line

__all__ = ["Backend", "BackendError", "DirectLine", "Kind", "Relayed", "Relays", "SessionRequest"]

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
    guarded: bool = False
    """Something in the stream has to hold against the client itself: locked fields, a budget, tools that run here.
    The media of such a call is carried by us, and not sent past us."""
    forgiving: bool = False
    """A cough or an "mhm" over an answer does not end it, the start of an answer is guarded against its own echo, and
    meaning decides when a turn is over, where the session does not say what does.
    An upstream takes turns in its own way."""
    history: History | None = field(default=None, repr=False)
    """What has been said before, where this goes on with it."""
    upstream_key: str | None = field(default=None, repr=False)
    """The user's own key for who answers, used instead of the server's and kept no longer than the session."""


class BackendError(Exception):
    """A backend will not or cannot open a session. ``status`` is the HTTP status that tells it (H-46) and
    ``body`` the object under ``error`` (H-45): ``type``, ``code``, ``message``, ``param``. The message is for
    the person in front of the page: what happened and what to do; it never holds a secret. ``retry_after`` is in
    seconds, where it is known when to try again; ``headers`` are those of an HTTP answer."""

    def __init__(self, status: int, body: Mapping[str, Any], retry_after: float | None = None) -> None:
        super().__init__(str(body.get("message", "")))
        self.status = status
        self.body = dict(body)
        self.retry_after = retry_after

    @property
    def headers(self) -> dict[str, str]:
        return {} if self.retry_after is None else {"Retry-After": str(math.ceil(self.retry_after))}

    @classmethod
    def of(cls, status: int, message: str, *, code: str | None = None, type: str = "server_error") -> "BackendError":
        return cls(status, {"type": type, "code": code, "message": message, "param": None})


class Backend(Protocol):
    @property
    def name(self) -> str:
        """What answers, in a word or two for people."""

    @property
    def keeps_time(self) -> bool:
        """Whether its lines tell where the time of each turn went, in TURN frames."""

    def describe(self, request: SessionRequest) -> dict[str, Any]:
        """The whole session object that the request would begin with, every default filled in (H-32, S-09).
        Raises :class:`ProtocolError` for a configuration that is wrong."""

    async def open(self, request: SessionRequest) -> Line:
        """Begin a session. The line's first frame is ``session.created`` (O-01); ``send`` takes client events,
        ``receive`` gives server events. Raises :class:`BackendError`, and then nothing is left running."""

    async def close(self) -> None:
        """Free models, workers and connections; sessions have ended before. Idempotent."""


class DirectLine(Line, Protocol):
    """A call whose media passes us by, as a line: what the other server tells of it comes out, a sideband's events go
    in. :meth:`close` hangs the call up. While nothing can be heard of it no frame comes, and then a GAP."""

    @property
    def over(self) -> bool:
        """Whether the call is known to have ended; false after a :meth:`close` that could not hang it up."""


@dataclass(frozen=True, slots=True)
class Relayed:
    """A call whose media goes straight between the client and another server."""

    answer: str
    """The SDP answer."""
    call: str
    """The other server's name for the call, for :meth:`Relays.attach`; empty where it told none."""
    line: DirectLine


@runtime_checkable
class Relays(Protocol):
    """A backend that can pass a WebRTC offer on instead of having us carry the call."""

    def direct(self, request: SessionRequest) -> bool:
        """Whether the offer of this call is to be passed on."""

    async def relay(self, offer: str, request: SessionRequest) -> Relayed:
        """Place the call. Raises :class:`BackendError`, and then no call is left behind (H-46)."""

    def attach(self, call: str, *, seconds: float) -> DirectLine:
        """A call that was placed before this process was started and may last so long. Its line begins with a GAP;
        it ends where the call has ended, and hangs up one that cannot be listened to any more."""
