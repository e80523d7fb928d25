"""The sessions that are alive in this process: how many there may be, which is which, and how they all end
when the server leaves."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from types import TracebackType
from typing import Any, Self

from vivavoce.protocol.frame import Closed, Frame, Line
from vivavoce.sessions.berth import Berth, State
from vivavoce.sessions.filters import Asides, Beside, Filter, Observer
from vivavoce.sessions.hub import Hub
from vivavoce.sessions.notices import Notices
from vivavoce.sessions.observers.usage import Meter, Purse
from vivavoce.sessions.recording.upload import Upload

__all__ = ["Draining", "Full", "Live", "Registry"]

log = logging.getLogger(__name__)

LEAVE_SECONDS = 6.0
"""How long sessions may take to end once they were told to; a little more than the hub gives a line."""

LAST_SECONDS = 5.0
"""How long those beside a session may take to end once it is over, with what they have still to write for instance."""

GOING_AWAY = Closed(1001, "The server is going away.")

_BEGINS = {"response.created": "response", "output_audio_buffer.started": "playback"}
_ENDS = {
    "response.done": "response",
    "output_audio_buffer.stopped": "playback",
    "output_audio_buffer.cleared": "playback",
}


class Full(Exception):
    """As many sessions are alive as are allowed."""


class Draining(Exception):
    """The server is leaving and takes no new sessions."""


class Live:
    """One session. ``id`` is what it is addressed by: ``sess_…``, or ``rtc_…`` for a call."""

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
        async with _beside([each for each in watching if isinstance(each, Beside)]) as tell:
            end = await self.hub.run(self.ending)
            tell(end)
            return end

    def sent(self, frame: Frame) -> None:
        """As an observer of its own stream: what the client does is no matter here."""

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
        """It is over."""
        if self._alarm is not None:
            self._alarm.cancel()
        self.quiet.set()
        self.notices.end()
        self.gone.set()

    def end(self, how: Closed = GOING_AWAY) -> None:
        """Ask the session to end; :attr:`gone` tells when it has. The first reason counts."""
        if not self.ending.done():
            self.ending.set_result(how)


class Registry:
    """At most ``limit`` sessions; ``now`` gives unix seconds. Used as an async context manager, which owns the
    sessions that no request owns: leaving it cancels what is left of them."""

    def __init__(self, *, limit: int, now: Callable[[], float]) -> None:
        self._limit = limit
        self._now = now
        self._live: dict[str, Live] = {}
        self._tasks = asyncio.TaskGroup()
        self._owned: set[asyncio.Task[None]] = set()
        self.draining = False

    def __len__(self) -> int:
        return len(self._live)

    def find(self, id: str) -> Live | None:
        return self._live.get(id)

    def named(self, name: str) -> Live | None:
        """By any of its names."""
        return self._live.get(name) or next((live for live in self._live.values() if name in live.names), None)

    def records(self) -> set[str]:
        """The ids of those that are being written down."""
        return {live.record for live in self._live.values() if live.record is not None}

    def count(self, *, owner: str | None = None, client: str | None = None, kind: str | None = None) -> int:
        """How many are alive of one owner, from one client, or of one kind."""
        return sum(owner == live.owner or client == live.client or kind == live.kind for live in self._live.values())

    def check_room(self) -> None:
        """Raises :class:`Full` and :class:`Draining`."""
        if self.draining:
            raise Draining
        if len(self._live) >= self._limit:
            raise Full

    @contextmanager
    def admit(self, id: str, kind: str, client: str = "", owner: str = "") -> Iterator[Live]:
        """A place for one session while the context lasts. Raises :class:`Full` and :class:`Draining`."""
        self.check_room()
        live = self._live[id] = Live(id, kind, client, self._now(), owner)
        try:
            yield live
        finally:
            del self._live[id]
            live.left()

    def spawn(self, session: Coroutine[Any, Any, object]) -> None:
        """Runs a session that outlives the request which opened it. What it raises is logged."""
        task = self._tasks.create_task(_guarded(session))
        self._owned.add(task)
        task.add_done_callback(self._owned.discard)
        task.add_done_callback(lambda _: session.close())  # one that was cancelled before it began

    async def drain(self, seconds: float) -> None:
        """Takes no more sessions, lets answers that are being given end within ``seconds``, and ends every
        session: an idle one at once, a busy one when its answer is complete or the time is up."""
        self.draining = True
        live = list(self._live.values())
        try:
            async with asyncio.timeout(seconds):
                await asyncio.gather(*map(_end_when_quiet, live))
        except TimeoutError:
            log.warning("answers were still being given after %s s; they are cut", seconds)
        for each in live:
            each.end()
        try:
            async with asyncio.timeout(LEAVE_SECONDS):
                await asyncio.gather(*(each.gone.wait() for each in live))
        except TimeoutError:
            log.warning("%d sessions did not end within %s s", len(self._live), LEAVE_SECONDS)

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.draining = True
        for task in self._owned:
            task.cancel()
        await self._tasks.__aexit__(kind, error, trace)


@asynccontextmanager
async def _beside(them: Sequence[Beside]) -> AsyncIterator[Callable[[Closed], None]]:
    """Runs them while the context lasts, and :data:`LAST_SECONDS` longer; what it gives takes how the session ended."""
    ends = [GOING_AWAY]
    async with asyncio.TaskGroup() as group:
        running = [group.create_task(_guarded(each.run(), "what works beside a session")) for each in them]
        try:
            yield ends.append
        finally:
            for each in them:
                await each.finish(ends[-1])
            _, late = await asyncio.wait(running, timeout=LAST_SECONDS) if running else ((), ())
            for task in late:
                task.cancel()


async def _end_when_quiet(live: Live) -> None:
    if not live.parked:  # else nobody hears it anyway
        await live.quiet.wait()
    live.end()


async def _guarded(work: Coroutine[Any, Any, object], what: str = "session") -> None:
    try:
        await work
    except Exception:
        log.exception("%s failed", what)


def _response(frame: Frame) -> str:
    response = frame.data.get("response")
    named = response.get("id") if isinstance(response, dict) else frame.data.get("response_id")
    return str(named)
