"""The client's end of a session, which outlives the connection that the client came by.

A session that loses its client is parked: nobody hears what it says, so that is kept, and it waits to hear. Who comes
back is told what was missed and goes on, even while the connection before still looks open::

    enter ─▶ ATTACHED ── cut ──▶ PARKED ── time over ─▶ OVER
                │  ▲               │
                │  └─ all told ─ RETURNING ◀── come_back (from ATTACHED too)
                └── good-bye, close ─▶ OVER
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from enum import Enum
from typing import Protocol, runtime_checkable

from vivavoce.protocol.frame import Closed, Frame, Line
from vivavoce.sessions.ring import KEPT_BYTES, PARKED_BYTES, Ring

__all__ = ["TAKEN_UP", "Berth", "Missed", "Plays", "State"]

GOOD_BYE = {1000, 1001}
"""Codes of a client that leaves because it wants to; with every other end it was cut off."""
TAKEN_UP = (4001, "This session was taken up on another connection.")
LOST = (1006, "The client was cut off, and did not come back in time.")

Missed = Callable[[Ring], Sequence[Frame]]
"""From what the session said last to what a client that comes back is told of it, before all else."""


@runtime_checkable
class Plays(Protocol):
    """A line that plays sound by itself, as a call does: it knows what was not played when it ended."""

    def rest(self) -> list[Frame]:
        """As REST frames, for another such line."""


class State(Enum):
    ATTACHED = "attached"
    PARKED = "parked"
    RETURNING = "returning"
    OVER = "over"


class Berth:
    """A :class:`Line` for the hub. It waits ``patience`` seconds for a client that was cut off; for one that never
    said anything it does not wait. ``changed`` is called when it has been parked, when somebody comes back, and,
    with ATTACHED, when something has come from whoever did, and when the session is over."""

    def __init__(self, line: Line, patience: float, changed: Callable[[State], None] = lambda state: None) -> None:
        self.state = State.ATTACHED
        self.patience, self.changed = patience, changed
        self.taken = 0
        """Frames that came from the client, since the session began: what it sent after these was lost."""
        self._line: Line | None = line
        """Whom the session speaks with; None while that is nobody."""
        self._coming: Line | None = None
        """Who is being told what it missed."""
        self._stays: dict[int, asyncio.Future[Closed]] = {}
        """By connection, how it ended for us. Made by :meth:`stay`."""
        self._plays = isinstance(line, Plays)
        self._ring = Ring()
        self._rest: list[Frame] = []
        """What the track of the last connection had not played."""
        self._new = True
        """Nothing has come yet by the connection that is attached."""
        self._over: Closed | None = None
        self._moved = asyncio.Event()
        """The state has changed; whoever waits looks again."""
        self._reader: asyncio.Task[object] | None = None
        """Who waits to hear from the attached line. (Who waits to speak is woken when the line is closed.)"""
        self._alarm: asyncio.TimerHandle | None = None

    # The line that the hub knows ---------------------------------------------------------------------

    async def receive(self) -> Frame:
        while True:
            line = self._line
            if line is None:
                await self._move()
                continue
            self._reader = asyncio.current_task()
            try:
                frame = await line.receive()
            except Closed as closed:
                self._cut(line, closed)
            except asyncio.CancelledError:
                if not self._was_interrupted(line):
                    raise
            else:
                self.taken += 1
                if self._new:
                    self._first()
                return frame
            finally:
                self._reader = None

    async def send(self, frame: Frame) -> None:
        while self._coming is not None:
            await self._move()
        self._check()
        line = self._line
        tracked = line is not None and self._plays and frame.audio is not None
        if not tracked:  # else the track has it, and will know what it did not play
            self._ring.add(frame)
        if line is None:
            return
        try:
            await line.send(frame)
        except Closed as closed:
            if tracked:
                self._ring.add(frame)
            self._cut(line, closed)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        line = self._line or self._coming
        if line is not None:  # before its stay is over, which may drop it without a word
            await line.close(code, reason)
        self._end(Closed(code, reason))

    # Connections -------------------------------------------------------------------------------------

    async def stay(self, line: Line) -> None:
        """While this connection is the session's; then it is closed. One that is cancelled here was cut off."""
        try:
            if line is self._line:
                left = self._stays[id(line)] = asyncio.get_running_loop().create_future()
                how = await left
                await line.close(how.code, how.reason)
        finally:
            self._stays.pop(id(line), None)
            with suppress(Closed):
                self._cut(line, Closed(1006, "The connection was cut."))

    async def come_back(self, line: Line, missed: Missed) -> None:
        """By another connection, which is told what was missed; the one before is let go. Raises :class:`Closed` where
        the session is over, where this connection ended, and where yet another one came meanwhile."""
        self._check()
        self._let_go(Closed(*TAKEN_UP))
        self._coming, self.state = line, State.RETURNING
        self.changed(State.RETURNING)
        self._moved.set()
        try:
            for frame in (*self._rest, *missed(self._ring)):
                await line.send(frame)
                self._check()
                if self._coming is not line:
                    raise Closed(*TAKEN_UP)
        except BaseException:
            if self._coming is line:
                self._coming = None
                self._park()
            raise
        self._arrived(line)

    # What happens to it: the one place where the state changes ----------------------------------------

    def _first(self) -> None:
        self._new = False
        self.changed(State.ATTACHED)

    def _cut(self, line: Line, how: Closed) -> None:
        """The connection has ended. Raises it where that is the end of the session."""
        if line is not self._line:
            return
        if how.code in GOOD_BYE or not self.patience or not self.taken:
            self._end(how)
            self._check()
        self._let_go(how)
        self._park()

    def _let_go(self, how: Closed) -> None:
        """Nobody is attached any more, and who waits to hear from the connection that was is called out of it."""
        line, self._line, self._coming = self._line, None, None
        if self._alarm is not None:
            self._alarm.cancel()
        if line is None:
            return
        if isinstance(line, Plays):
            self._rest = line.rest()
        self._tell_stay(line, how)
        if self._reader is not None and self._reader is not asyncio.current_task():
            self._reader.cancel()

    def _park(self) -> None:
        self.state = State.PARKED
        self._ring.room = PARKED_BYTES
        self._alarm = asyncio.get_running_loop().call_later(self.patience, lambda: self._end(Closed(*LOST)))
        self._moved.set()
        self.changed(State.PARKED)

    def _arrived(self, line: Line) -> None:
        self._line, self._coming, self._rest, self._new = line, None, [], True
        self.state = State.ATTACHED
        if self._plays:
            self._ring.without_sound()
        self._ring.room = KEPT_BYTES
        self._moved.set()

    def _end(self, how: Closed) -> None:
        if self._over is not None:
            return
        self._over, self.state = how.with_traceback(None), State.OVER
        line = self._line
        self._let_go(how)
        if line is None:
            self._rest.clear()
        self._moved.set()
        self.changed(State.OVER)

    # ------------------------------------------------------------------------------------------------

    async def _move(self) -> None:
        """Until the state has changed. Raises the end of the session."""
        self._check()
        self._moved.clear()
        await self._moved.wait()

    def _check(self) -> None:
        if self._over is not None:
            raise Closed(self._over.code, self._over.reason)

    def _was_interrupted(self, line: Line) -> bool:
        """Whether this task was called out of a connection by :meth:`_let_go`, and not cancelled in earnest."""
        task = asyncio.current_task()
        return line is not self._line and task is not None and task.uncancel() == 0

    def _tell_stay(self, line: Line, how: Closed) -> None:
        left = self._stays.get(id(line))
        if left is not None and not left.done():
            left.set_result(how)
