"""A live session: the protocol's state machine, the models and the audio, driven together.

It is the answering end of a line. A frame that comes in goes through the ear or straight to the core; what
the core says in return is carried out in order: frames go out, commands start and stop work. All work
lives in one TaskGroup and ends with the session.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from vivavoce.engine.answers import Answers
from vivavoce.engine.archive import Archive
from vivavoce.engine.ear import Ear
from vivavoce.engine.hearings import Hearings
from vivavoce.engine.keeping import Keeping
from vivavoce.engine.made import Discarded
from vivavoce.engine.mcp import McpGateway, McpServers
from vivavoce.engine.outgoing import Outgoing
from vivavoce.engine.pausing import Pausing
from vivavoce.engine.recognition import Recognition, hints
from vivavoce.engine.rounds import Rounds
from vivavoce.engine.senses import Senses
from vivavoce.engine.stopwatch import Stopwatch
from vivavoce.engine.unplayed import Unplayed
from vivavoce.models.interfaces import Hints
from vivavoce.protocol.frame import APPEND, AUDIO_DELTA, FLUSH, HOLD, PLAYED, Closed, Frame
from vivavoce.protocol.session import Session
from vivavoce.protocol.session import commands as do
from vivavoce.protocol.session.mcp import McpFailure
from vivavoce.protocol.session.parts import Part
from vivavoce.protocol.session.transcription import Heard, HeardFailed
from vivavoce.protocol.wire.config import AudioInput, Format, Pcm
from vivavoce.protocol.wire.errors import ProtocolError

__all__ = ["EngineSession"]

log = logging.getLogger(__name__)

AT_ONCE = 48_000
"""Bytes of audio that are listened to without a break: a second of PCM, 3 ms of work."""


class EngineSession:
    """A :class:`Line`. Made by :meth:`open`, ended by :meth:`close`."""

    def __init__(
        self,
        core: Session,
        senses: Senses,
        rounds: Rounds | None,
        mcp: McpGateway | None,
        scratch: Path | None,
        discarded: Discarded | None,
        *,
        media: bool,
        early: bool,
    ) -> None:
        self._gateway, self._scratch, self._early = mcp, scratch, early
        self._core, self._senses, self._media = core, senses, media
        self._clock = asyncio.get_running_loop().time
        self._discarded = discarded or Discarded()
        self._outgoing, self._unplayed = Outgoing(), Unplayed()
        self._stopwatch = Stopwatch(self._clock, self._count_discarded, self._outgoing.put_next, media=media)
        self._ear = Ear(rounds or Rounds(senses.vad), self._window)
        self._timer: asyncio.TimerHandle | None = None
        self._main: asyncio.Task[None] | None = None

    @classmethod
    async def open(
        cls,
        core: Session,
        senses: Senses,
        rounds: Rounds | None = None,
        mcp: McpGateway | None = None,
        scratch: Path | None = None,
        discarded: Discarded | None = None,
        *,
        media: bool = False,
        early: bool = True,
    ) -> "EngineSession":
        """Begin: ``session.created`` waits to be received. ``early``: mind and voice begin in a pause that may be
        the end of a turn, for answers that are sooner there and sometimes made for nothing. ``scratch`` is a directory
        for audio that is too old to be kept in memory. ``rounds`` are shared with other sessions; ``discarded`` counts
        what was made for nothing."""
        self = cls(core, senses, rounds, mcp, scratch, discarded, media=media, early=early)
        ready = asyncio.Event()
        self._main = asyncio.create_task(self._run(ready), name="engine session")
        await ready.wait()
        return self

    # The line ---------------------------------------------------------------------------------------

    async def receive(self) -> Frame:
        frame = await self._outgoing.take()
        if self._main is not None and self._stopwatch.running:
            self._stopwatch.sent(frame)
        return frame

    async def send(self, frame: Frame) -> None:
        if self._main is None or self._main.done():
            raise Closed
        if self._archive.full:  # a client that brings audio faster than it can be put away
            await self._archive.room()
        if frame.type == APPEND and frame.audio is not None:
            if len(frame.audio) > AT_ONCE:
                await self._hear_long(frame, frame.audio)
            else:
                self._hear(frame)
            return
        if frame.type == PLAYED:
            self._played(frame)
        else:
            if self._outgoing.full:  # a client that asks for more than it reads; it is heard all the same
                await self._outgoing.room()
            self._ear.settle()
            self._core.client(self._clock(), frame.data, frame.origin)
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
        sound."""
        outgoing = self._outgoing
        vars(self).clear()
        self._main, self._outgoing = None, outgoing

    async def _run(self, ready: asyncio.Event) -> None:
        try:
            await self._live(ready)
        except asyncio.CancelledError as cancelled:
            # A task group keeps it, and its traceback the group and all of this: another such circle.
            raise cancelled.with_traceback(None) from None

    async def _live(self, ready: asyncio.Event) -> None:
        """Everything that the session does happens inside this."""
        try:
            async with asyncio.TaskGroup() as group:
                self._archive = Archive(group, self._scratch)
                self._hearings = Hearings(self._senses.stt, group, self._ear.cut)
                self._recognition = Recognition(
                    self._senses.stt, self._hearings, group, self._recognised, self._core.transcript_begins
                )
                self._keeping = Keeping(self._core, self._archive, self._recognition, self._outgoing.put)
                self._answers = Answers(
                    self._senses,
                    self._recognition,
                    group,
                    give=self._given,
                    room=self._room,
                    making=self._stopwatch.making,
                )
                self._pausing = Pausing(
                    self._core, self._senses.turn, self._recognition, self._answers, group, self._ear.cut,
                    self._carry_out, early=self._early,
                )  # fmt: skip
                self._mcp = McpServers(self._gateway, group, self._mcp_listed, self._mcp_result)
                self._carry_out()
                ready.set()
                await asyncio.Event().wait()
        except* Exception as errors:
            self._failed(errors)
        finally:
            ready.set()  # whoever opened it is told by its end
            self._answers.drop_draft()
            self._count_discarded()
            self._archive.close()
            if self._timer is not None:
                self._timer.cancel()

    def _failed(self, error: Exception) -> None:
        log.error("the session ended by a fault of ours", exc_info=error)
        self._outgoing.close(Closed(1011, "internal error"))

    # What comes in ----------------------------------------------------------------------------------

    def _hear(self, frame: Frame) -> None:
        """The hot path: one frame of audio."""
        assert frame.audio is not None
        try:
            samples = self._ear.hear(frame.audio, self._input_format, self._hearing.noise_reduction or None)
        except ProtocolError as error:
            self._core.refuse(error, frame.data.get("event_id"))
            self._carry_out()
            return
        self._core.audio(self._clock(), samples)
        self._ear.listen(self._core.detects, samples)
        self._carry_out()
        if self._ear.received >= self._hearings.due:
            self._hearings.look(self._core.turn, self._hints, self._ear.received)

    def _window(self, end: int, probability: float) -> None:
        """Of voice activity. It is told in a round of all sessions: what goes wrong here stays here."""
        try:
            self._core.speech(end, probability)
            self._carry_out()
        except Exception as error:
            self._failed(error)

    async def _hear_long(self, frame: Frame, audio: bytes) -> None:
        """As if it had come in pieces, so that other sessions are not kept waiting."""
        if len(audio) % 2 and isinstance(self._input_format, Pcm):
            self._hear(frame)  # which refuses all of it
            return
        for at in range(0, len(audio), AT_ONCE):
            self._hear(Frame(frame.type, frame.data, audio[at : at + AT_ONCE]))
            await asyncio.sleep(0)

    def _played(self, frame: Frame) -> None:
        item_id, ms, drained = frame.data["item_id"], frame.data["audio_ms"], frame.data["drained"]
        self._unplayed.played(item_id, do.to_samples(ms), drained=drained)
        self._stopwatch.played(item_id, ms)
        self._core.played(self._clock(), item_id, ms, drained=drained)

    def _recognised(self, item_id: str, result: Heard | HeardFailed, at: float) -> None:
        self._stopwatch.recognised(item_id, at)
        self._core.transcript(item_id, result)
        self._carry_out()

    def _given(self, response_id: str, part: Part) -> None:
        self._core.model(self._clock(), response_id, part)
        self._carry_out()

    def _mcp_listed(self, server_label: str, found: Sequence[Mapping[str, Any]] | McpFailure) -> None:
        self._core.mcp_listed(server_label, found)
        self._carry_out()

    def _mcp_result(self, response_id: str, item_id: str, result: str | McpFailure) -> None:
        self._core.mcp_result(response_id, item_id, result)
        self._carry_out()

    def _tick(self) -> None:
        self._timer = None
        self._core.tick(self._clock())
        self._carry_out()

    # What the core wants ----------------------------------------------------------------------------

    def _carry_out(self) -> None:
        moved = self._timer is None
        while outputs := self._core.drain():  # a command may give the core something to say at once
            for output in outputs:
                if not isinstance(output, Frame):
                    moved = True
                    _COMMANDS[type(output)](self, output)
                else:
                    moved = moved or output.audio is None
                    self._emit(output)
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

    def _emit(self, frame: Frame) -> None:
        if frame.type == AUDIO_DELTA and frame.audio is not None:
            item_id = frame.data["item_id"]
            self._archive.add(item_id, frame.audio, self._answers.format(frame.data["response_id"]))
            if self._media:
                self._unplayed.queued(item_id, len(frame.audio) // 2)
        self._outgoing.put(frame)

    def _transcribe(self, command: do.Transcribe) -> None:
        self._stopwatch.turn(command)
        self._keeping.transcribe(command, self._ear.cut(command.span), self._input_format)

    def _start(self, command: do.Start) -> None:
        self._stopwatch.answer(command)
        self._answers.start(command)

    async def _room(self) -> None:
        await self._outgoing.room()
        await self._archive.room()
        if self._media:
            await self._unplayed.room()

    def _cancel(self, command: do.Cancel) -> None:
        self._mcp.cancel(command.response_id)
        self._answers.cancel(command.response_id)

    def _flush_playback(self, command: do.FlushPlayback) -> None:
        self._unplayed.flushed(command.item_id)
        self._outgoing.put(Frame(FLUSH, {"type": FLUSH, "item_id": command.item_id}))

    def _count_discarded(self) -> Discarded:
        """What was made for nothing since this was asked last; the owner's count has it too."""
        found = Discarded()
        for source in (self._answers, self._recognition):
            found.add(source.discarded)
            source.discarded = Discarded()
        self._discarded.add(found)
        return found

    @property
    def _hints(self) -> Hints:
        return hints(self._hearing.transcription or None)

    @property
    def _input_format(self) -> Format:
        format = _PCM if self._media else self._hearing.format
        assert format, "a configuration in force has everything in it"
        return format

    @property
    def _hearing(self) -> AudioInput:
        audio = self._core.config.audio
        assert audio
        assert audio.input
        return audio.input


_COMMANDS: Final[Mapping[type, Callable[[EngineSession, Any], None]]] = {
    do.Transcribe: EngineSession._transcribe,
    do.Import: lambda self, command: self._keeping.take_in(command),
    do.MayEnd: lambda self, command: self._pausing.may_end(command, self._hints),
    do.Doubted: lambda self, command: self._pausing.doubted(command, self._hints),
    do.WentOn: lambda self, command: self._pausing.went_on(command),
    do.ListMcp: lambda self, command: self._mcp.list(command),
    do.CallMcp: lambda self, command: self._mcp.call(command),
    do.Start: EngineSession._start,
    do.Cancel: EngineSession._cancel,
    do.FlushPlayback: EngineSession._flush_playback,
    do.HoldPlayback: lambda self, command: self._outgoing.put(Frame(HOLD, {"type": HOLD, "on": command.on})),
    do.Trim: lambda self, command: self._archive.trim(command.item_id, command.samples),
    do.Forget: lambda self, command: self._keeping.forget(command),
    do.Retrieve: lambda self, command: self._keeping.retrieve(command),
    do.Close: lambda self, command: self._outgoing.close(Closed(command.code, command.reason)),
}


_PCM = Pcm()
