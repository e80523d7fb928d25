"""A live session: the protocol's state machine, the models and the audio, driven together.

It is the answering end of a line. A frame that comes in goes through the ear or straight to the core; what the core
says in return is carried out in order: frames go out, commands start and stop work (``work.py``). Everything lives in
one TaskGroup and ends with the session.
"""

import asyncio
import logging
from typing import Final

from vivavoce.engine.ear import Ear
from vivavoce.engine.outgoing import Outgoing
from vivavoce.engine.rounds import Rounds
from vivavoce.engine.work import House, Work
from vivavoce.protocol.frame import APPEND, AUDIO_DELTA, PLAYED, Closed, Frame
from vivavoce.protocol.session import Session
from vivavoce.protocol.session.commands import to_samples
from vivavoce.protocol.wire.config import Pcm
from vivavoce.protocol.wire.errors import ProtocolError

__all__ = ["EngineSession"]

log = logging.getLogger(__name__)

AT_ONCE: Final = 48_000
"""Bytes of audio that are listened to without a break: a second of PCM, 3 ms of work."""
_PCM: Final = Pcm()


class EngineSession:
    """A :class:`Line`. Made by :meth:`open`, ended by :meth:`close`."""

    def __init__(self, core: Session, rounds: Rounds, *, media: bool) -> None:
        self._core, self._media = core, media
        self._clock = asyncio.get_running_loop().time
        self._outgoing = Outgoing()
        self._ear = Ear(rounds, self._window)
        self._timer: asyncio.TimerHandle | None = None
        self._work: Work
        self._main: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, core: Session, house: House, rounds: Rounds, *, media: bool = False) -> "EngineSession":
        """Begin: ``session.created`` waits to be received. ``rounds`` are those of all sessions; ``media``: the client
        is a track, which plays what it is sent and brings PCM."""
        self = cls(core, rounds, media=media)
        ready = asyncio.Event()
        self._main = asyncio.create_task(self._run(house, ready), name="engine session")
        await ready.wait()
        return self

    # The line ---------------------------------------------------------------------------------------

    async def receive(self) -> Frame:
        frame = await self._outgoing.take()
        if self._main is not None and self._work.stopwatch.running:
            self._work.stopwatch.sent(frame)
        return frame

    async def send(self, frame: Frame) -> None:
        if self._main is None or self._main.done():
            raise Closed
        if self._work.archive.full:  # a client that brings audio faster than it can be put away
            await self._work.archive.room()
        if frame.type == APPEND and frame.audio is not None:
            if len(frame.audio) > AT_ONCE:
                await self._hear_long(frame, frame.audio)
            else:
                self._hear(frame, frame.audio)
        elif frame.type == PLAYED:
            self._played(frame)
        else:
            if self._outgoing.full:  # a client that asks for more than it reads; it is heard all the same
                await self._outgoing.room()
            self._ear.settle()
            self._core.client(self._clock(), frame.data, frame.origin)
            self._configure_ear()
            self._carry_out()

    async def close(self, code: int = 1000, reason: str = "") -> None:
        self._outgoing.close(Closed(code, reason))
        if (main := self._main) is not None:
            main.cancel()
            await asyncio.wait([main])
            if main is self._main:
                self._let_go()

    def _let_go(self) -> None:
        """Of all but how it ended: what it is made of calls back into it, and would wait for the collector, with its
        sound (``tests/server/test_freed.py``)."""
        outgoing, work = self._outgoing, vars(self).get("_work")
        for each in (self, work) if work is not None else (self,):
            vars(each).clear()
        self._main, self._outgoing = None, outgoing

    async def _run(self, house: House, ready: asyncio.Event) -> None:
        try:
            await self._live(house, ready)
        except asyncio.CancelledError as cancelled:
            # A task group keeps it, and its traceback the group and all of this: another such circle.
            raise cancelled.with_traceback(None) from None

    async def _live(self, house: House, ready: asyncio.Event) -> None:
        """Everything that the session does happens inside this."""
        try:
            async with asyncio.TaskGroup() as group:
                self._work = Work(
                    self._core, self._ear, self._outgoing, house, group, self._carry_out, media=self._media
                )
                self._configure_ear()
                self._carry_out()
                ready.set()
                await asyncio.Event().wait()
        except* Exception as errors:
            self._failed(errors)
        finally:
            ready.set()  # whoever opened it is told by its end
            self._work.close()
            if self._timer is not None:
                self._timer.cancel()

    def _failed(self, error: Exception) -> None:
        log.error("the session ended by a fault of ours", exc_info=error)
        self._outgoing.close(Closed(1011, "internal error"))

    # What comes in ----------------------------------------------------------------------------------

    def _hear(self, frame: Frame, audio: bytes) -> None:
        """The hot path: one frame of audio."""
        core, ear, hearings = self._core, self._ear, self._work.hearings
        try:
            samples = ear.hear(audio)
        except ProtocolError as error:
            core.refuse(error, frame.data.get("event_id"))
            self._carry_out()
            return
        core.audio(self._clock(), samples)
        ear.listen(core.detects, samples)
        if core.speaks or self._timer is None:
            self._carry_out()
        if ear.received >= hearings.due:
            self._work.look()

    def _window(self, end: int, probability: float) -> None:
        """Of voice activity. It is told in a round of all sessions: what goes wrong here stays here."""
        if self._main is None:
            return
        try:
            self._core.speech(end, probability)
            if self._core.speaks:
                self._carry_out()
            else:
                self._ear.forget(self._core.keep_from)
        except Exception as error:
            self._failed(error)

    async def _hear_long(self, frame: Frame, audio: bytes) -> None:
        """As if it had come in pieces, so that other sessions are not kept waiting."""
        if len(audio) % 2 and isinstance(self._ear.format, Pcm):
            self._hear(frame, audio)  # which refuses all of it
            return
        for at in range(0, len(audio), AT_ONCE):
            self._hear(frame, audio[at : at + AT_ONCE])
            await asyncio.sleep(0)

    def _played(self, frame: Frame) -> None:
        item_id, ms, drained = frame.data["item_id"], frame.data["audio_ms"], frame.data["drained"]
        self._work.unplayed.played(item_id, to_samples(ms), drained=drained)
        self._work.stopwatch.played(item_id, ms)
        self._core.played(self._clock(), item_id, ms, drained=drained)
        self._carry_out()

    def _tick(self) -> None:
        self._timer = None
        self._core.tick(self._clock())
        self._carry_out()

    def _configure_ear(self) -> None:
        hearing = self._core.hearing
        self._ear.configure(_PCM if self._media else hearing.format or _PCM, hearing.noise_reduction or None)

    # What the core wants ----------------------------------------------------------------------------

    def _carry_out(self) -> None:
        moved = self._timer is None
        while outputs := self._core.drain():  # a command may give the core something to say at once
            for output in outputs:
                if not isinstance(output, Frame):
                    moved = True
                    self._work.carry_out(output)
                    continue
                if output.type == AUDIO_DELTA and output.audio is not None:
                    self._work.sound(output, output.audio)
                else:
                    moved = True
                self._outgoing.put(output)
        if moved:
            self._set_timer()
        self._ear.forget(self._core.keep_from)

    def _set_timer(self) -> None:
        """A deadline moves earlier only when the core says something, and sound is not enough; one that moved
        later is found out by the timer itself."""
        at = self._core.deadline()
        if self._timer is not None:
            if self._timer.when() <= at:
                return
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_at(at, self._tick)
