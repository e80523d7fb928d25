"""One live session: one ordered stream of frames from whoever answers, to the client and to all who listen beside it.

    client ───▶┐                                     ┌──▶ client   (may slow the stream: it is the client's own)
    side 1 ───▶├─▶ filters ─▶ answerer ─▶ filters ──▶├──▶ side 1   (bounded, never slows it: who falls behind
    side 2 ───▶┘                                     └──▶ side 2    is let go)

Frames pass one at a time and in order; nothing is queued between client and answerer. Whichever of the two ends
first ends the session, and with it every side. A side that ends, ends alone (W-15).
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from itertools import count
from typing import Any

from vivavoce.protocol.frame import AUDIO_DELTA, FLUSH, GAP, HOLD, TURN, Closed, Frame, Line
from vivavoce.protocol.wire.errors import ProtocolError
from vivavoce.sessions.filters import OWNER, Asides, Filter, News, Observer, Stopped
from vivavoce.sessions.routes import Routes
from vivavoce.sessions.side import Side

__all__ = ["CLOSE_SECONDS", "MAX_SIDES", "Hub", "TooManySides"]

log = logging.getLogger(__name__)

CLOSE_SECONDS = 5.0
"""How long a line may take to close; after that it is left behind."""
MAX_SIDES = 16

_UNSENDABLE = {1005, 1006, 1015}
"""Codes that report an end and are never sent (RFC 6455, 7.4.1)."""
_NOT_FOR_SIDES = {AUDIO_DELTA, FLUSH, HOLD, GAP}
"""Sound is for who plays it (H-29), and what is no event of the protocol for no client."""


class TooManySides(Exception):
    """As many listen to this session as may."""


class Hub:
    """``filters`` stand in the stream in their order from the client's side, ``observers`` watch what passed them;
    see ``filters.py``. ``new_id`` makes the ids of the hub's own events. What is ``beside`` runs as long as the session
    does, and is cancelled with it."""

    def __init__(
        self,
        client: Line,
        answerer: Line,
        *,
        new_id: Callable[[], str],
        filters: Sequence[Filter] = (),
        observers: Sequence[Observer] = (),
        asides: Asides | None = None,
        beside: Sequence[Callable[[], Coroutine[Any, Any, None]]] = (),
    ) -> None:
        self._client, self._answerer, self._new_id = client, answerer, new_id
        self._asides, self._beside = asides or Asides(), tuple(beside)
        self._passing = asyncio.Lock()
        self._routes = Routes(filters, observers)
        self._sides: dict[str, Side] = {}
        self._numbers = count(1)
        self.session: dict[str, Any] | None = None
        """The session object, as the stream showed it last."""
        self._over: asyncio.Future[Closed] = asyncio.get_running_loop().create_future()
        self._told = Closed(1001, "The server is going away.")
        """What the client is told at the end; this, when the task is cancelled."""

    async def run(self, ending: asyncio.Future[Closed] | None = None) -> Closed:
        """Pass frames until one end is reached, ``ending`` is set or the task is cancelled; then both lines are
        closed. Returns how it ended, in the terms of the side that ended it."""
        try:
            return await self._pump(ending)
        except ExceptionGroup as group:
            log.exception("session failed", exc_info=group)
            self._told = Closed(1011, "The server made a mistake; this session is lost.")
            return self._told
        finally:
            self._over.set_result(self._told)
            if isinstance(self._told, Stopped):
                await _within_patience(self._refuse(Frame(""), self._told.error))
            # Both at once: the client hears why, the answering side only that it is over.
            await asyncio.gather(
                _close(self._client, self._told), _close(self._answerer, Closed(1000, "The client has gone."))
            )

    async def tell(self, frame: Frame) -> None:
        """Hand the client a frame of our own, between two of the stream. Raises :class:`Closed`."""
        await self._client.send(frame)

    async def attach(self, line: Line, *, owner: bool = False) -> Closed:
        """Let one more client listen and speak until it goes or the session ends; then its line is closed. It begins
        with ``session.created`` as things stand (O-04). An ``owner`` is told from others by its frames' origin.
        Raises :class:`TooManySides`."""
        if len(self._sides) >= MAX_SIDES:
            raise TooManySides
        side = Side(line)
        name = f"{OWNER if owner else 'side'} {next(self._numbers)}"
        self._sides[name] = side
        if self.session is not None:
            created = {"type": "session.created", "event_id": self._new_id(), "session": self.session}
            side.offer(Frame("session.created", created))
        try:
            end = await self._listen(name, side)
        finally:
            del self._sides[name]
            await _close(line, side.told)
        return end

    # The two pumps ----------------------------------------------------------------------------------

    async def _pump(self, ending: asyncio.Future[Closed] | None) -> Closed:
        async with asyncio.TaskGroup() as group:
            beside = [group.create_task(each()) for each in self._beside]
            sides = (self._inward(self._client, ""), self._outward(), self._aside(), self._news())
            pumps = [group.create_task(side) for side in sides]
            await asyncio.wait([*pumps, ending] if ending else pumps, return_when=asyncio.FIRST_COMPLETED)
            for task in (*pumps, *beside):
                task.cancel()
        if ending and ending.done():
            self._told = ending.result()
            return self._told
        end = next(pump.result() for pump in pumps if not pump.cancelled())
        self._told = end if end.code not in _UNSENDABLE else Closed(1011, "The side that answers was cut off.")
        return end

    async def _inward(self, line: Line, name: str) -> Closed:
        try:
            while True:
                frame = await line.receive()
                frame.origin = name
                try:
                    passed = self._filtered(frame)
                except ProtocolError as refusal:
                    await self._refuse(frame, refusal)
                    continue
                for each in passed:
                    await self._hand_over(each)
        except Closed as closed:
            return closed.with_traceback(None)  # which holds this session, that holds its end

    async def _aside(self) -> Closed:
        try:
            while True:
                await self._hand_over(await self._asides.next())
        except Closed as closed:
            return closed.with_traceback(None)

    async def _hand_over(self, frame: Frame) -> None:
        await self._answerer.send(frame)
        for look in self._routes[frame.type].sent:
            look(frame)

    async def _outward(self) -> Closed:
        try:
            while True:
                await self._pass_on(await self._answerer.receive())
        except Closed as closed:
            return closed.with_traceback(None)

    async def _news(self) -> Closed:
        try:
            while True:
                await self._pass_on(await self._asides.next_news())
        except Closed as closed:
            return closed.with_traceback(None)

    async def _pass_on(self, frame: Frame) -> None:
        """One at a time, from whichever side it comes: what filters make of it leaves before they see the next."""
        if frame.origin not in ("", Asides.ORIGIN):
            self._tell_side(frame)
            return
        async with self._passing:
            frames: Sequence[Frame] = (frame,)
            for change in self._routes[frame.type].outward:
                frames = [passed for each in frames for passed in change(each)]
            for each in frames:
                if each.origin or isinstance(each, News):
                    continue  # for the filters alone
                shown = each.type not in (GAP, TURN)
                if shown:
                    self._tell_sides(each)
                try:
                    if shown:
                        await self.tell(each)
                finally:  # who answers has said it, whether or not the client is there to hear it
                    for look in self._routes[each.type].told:
                        look(each)

    def _filtered(self, frame: Frame) -> Sequence[Frame]:
        frames: Sequence[Frame] = (frame,)
        for change in self._routes[frame.type].inward:
            frames = [passed for each in frames for passed in change(each)]
        return frames

    async def _refuse(self, frame: Frame, refusal: ProtocolError) -> None:
        told = {"type": "error", "event_id": self._new_id()}
        error = Frame("error", {**told, "error": {**refusal.body(), "event_id": frame.data.get("event_id")}})
        if frame.origin:
            error.origin = frame.origin
            self._tell_side(error)
        else:
            await self.tell(error)

    # Sides ------------------------------------------------------------------------------------------

    def _tell_side(self, frame: Frame) -> None:
        if side := self._sides.get(frame.origin):
            side.offer(frame)

    def _tell_sides(self, frame: Frame) -> None:
        if frame.type in ("session.created", "session.updated"):
            self.session = frame.data.get("session")
        if frame.type not in _NOT_FOR_SIDES:
            for side in self._sides.values():
                side.offer(frame)

    async def _listen(self, name: str, side: Side) -> Closed:
        async with asyncio.TaskGroup() as group:
            pumps = [group.create_task(self._inward(side.line, name)), group.create_task(side.pump())]
            await asyncio.wait([*pumps, self._over], return_when=asyncio.FIRST_COMPLETED)
            for pump in pumps:
                pump.cancel()
        if self._over.done():
            side.told = self._over.result()
            return side.told
        return next(pump.result() for pump in pumps if not pump.cancelled())


async def _close(line: Line, how: Closed) -> None:
    await _within_patience(line.close(how.code, how.reason))


async def _within_patience(ending: Coroutine[Any, Any, None]) -> None:
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await ending
    except TimeoutError:
        log.warning("a line did not close within %s s", CLOSE_SECONDS)
    except Closed:
        pass
    except Exception:
        log.exception("a line failed to close")
