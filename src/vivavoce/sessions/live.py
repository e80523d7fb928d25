"""One session that is alive: what it is, whose it is, and how it ends."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from vivavoce.protocol.frame import Closed, Frame, Line
from vivavoce.sessions.berth import Berth, State
from vivavoce.sessions.beside import GOING_AWAY, beside
from vivavoce.sessions.filters import Asides, Beside, Filter, Observer
from vivavoce.sessions.hub import Hub
from vivavoce.sessions.notices import Notices
from vivavoce.sessions.observers.usage import Meter, Purse
from vivavoce.sessions.recording.upload import Upload

__all__ = ["Live"]

_BEGINS = {"response.created": "response", "output_audio_buffer.started": "playback"}
_ENDS = {
    "response.done": "response",
    "output_audio_buffer.stopped": "playback",
    "output_audio_buffer.cleared": "playback",
}


class Live(Observer):
    """``id`` is what it is addressed by: ``sess_…``, or ``rtc_…`` for a call."""

    def __init__(self, id: str, kind: str, client: str, started: float, owner: str = "") -> None:
        self.id = id
        self.kind = kind
        self.client = client
        self.owner = owner
        """The name of the principal whose session it is."""
        self.opened_by = ""
        """The id of the ephemeral key that opened it, where one did."""
        self.names = {id}
        """All that clients may know it by: a call has a session's id too, and an upstream gives one of its own."""
        self.started = started
        self.ending: asyncio.Future[Closed] = asyncio.get_running_loop().create_future()
        self.gone = asyncio.Event()
        self.quiet = asyncio.Event()
        """Set while no answer is being given: between ``response.done`` and the next ``response.created``, and,
        where the server plays the sound, not before it has been played."""
        self.quiet.set()
        self._busy: set[tuple[str, str]] = set()
        self.meter: Meter | None = None
        """What it costs, once it runs."""
        self._alarm: asyncio.TimerHandle | None = None
        self.hub: Hub | None = None
        """Where others may listen in, once the session runs."""
        self.account: Purse | None = None
        """Who pays, where somebody does."""
        self.observers: list[Observer] = []
        """Those that watch it for the house, whatever it is."""
        self.beside: list[Callable[[], Coroutine[Any, Any, None]]] = []
        """What runs as long as the session does."""
        self.record: str | None = None
        """The id of its record in the store. Set before it is steered, it goes on in that one."""
        self.upload: Upload | None = None
        """Where its client brings its recording, if the client makes it."""
        self.notices = Notices()
        """What is to be said of it that is no event of the protocol."""
        self.berth: Berth | None = None
        """The client's line, where the client may come back to it."""
        self.tokens: list[bytes] = []
        """Hashes of those that its client may come back with: the newest last, and at most one before."""

    async def run(
        self,
        client: Line,
        answerer: Line,
        *,
        new_id: Callable[[], str],
        filters: Sequence[Filter] = (),
        observers: Sequence[Observer] = (),
        asides: Asides | None = None,
    ) -> Closed:
        """The session itself, from its first frame to its last, with those that work beside it. See :class:`Hub`."""
        watching = [self, *self.observers, *observers]
        self.hub = Hub(
            client, answerer, new_id=new_id, filters=filters, observers=watching, asides=asides, beside=self.beside
        )
        async with beside([each for each in watching if isinstance(each, Beside)]) as tell:
            end = await self.hub.run(self.ending)
            tell(end)
            return end

    def sees(self, type: str) -> bool:
        return type == "session.created" or type in _BEGINS or type in _ENDS

    def told(self, frame: Frame) -> None:
        """As an observer of its own stream: what it is called, and whether an answer is being given."""
        if frame.type == "session.created" and isinstance(session := frame.data.get("session"), dict):
            self.names.add(str(session.get("id")))
        if what := _BEGINS.get(frame.type):
            self._busy.add((what, _response(frame)))
            if isinstance(response := frame.data.get("response"), dict) and response.get("conversation_id"):
                self.names.add(str(response["conversation_id"]))
        elif what := _ENDS.get(frame.type):
            self._busy.discard((what, _response(frame)))
        else:
            return
        if self._busy:
            self.quiet.clear()
        else:
            self.quiet.set()

    @property
    def parked(self) -> bool:
        """Whether it waits for its client."""
        return self.berth is not None and self.berth.state is State.PARKED

    def is_busy_with(self, response: object) -> bool:
        return ("response", str(response)) in self._busy

    def end_after(self, seconds: float, how: Closed) -> None:
        """As :meth:`end`, in a while."""
        self._alarm = asyncio.get_running_loop().call_later(seconds, self.end, how)

    def left(self) -> None:
        """It is over. What it was made of refers to it, and is let go of: else it would wait for the collector."""
        if self._alarm is not None:
            self._alarm.cancel()
        self.quiet.set()
        self.notices.end()
        self.gone.set()
        self.hub = self.berth = self.meter = self.account = self.upload = None
        self.observers.clear()
        self.beside.clear()

    def end(self, how: Closed = GOING_AWAY) -> None:
        """Ask the session to end; :attr:`gone` tells when it has. The first reason counts."""
        if not self.ending.done():
            self.ending.set_result(how)


def _response(frame: Frame) -> str:
    response = frame.data.get("response")
    named = response.get("id") if isinstance(response, dict) else frame.data.get("response_id")
    return str(named)
