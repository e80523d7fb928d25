"""Those who work for a session: recognition, mind and voice, tools, and what keeps its sound.

What the core commands is carried out here, and what comes of it is told to the core. All of it runs in the session's
TaskGroup.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
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
from vivavoce.engine.senses import Senses
from vivavoce.engine.stopwatch import Stopwatch
from vivavoce.engine.unplayed import Unplayed
from vivavoce.models.interfaces import Hints
from vivavoce.protocol.frame import FLUSH, HOLD, Closed, Frame
from vivavoce.protocol.session import Session
from vivavoce.protocol.session import commands as do
from vivavoce.protocol.session.mcp import McpFailure
from vivavoce.protocol.session.parts import Part
from vivavoce.protocol.session.transcription import Heard, HeardFailed

__all__ = ["House", "Work"]


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """What all sessions are given. ``early``: mind and voice begin in a pause that may be the end of a turn, for
    answers that are sooner there and sometimes made for nothing, which ``discarded`` counts. ``scratch`` is a directory
    for audio that is too old to be kept in memory."""

    senses: Senses
    mcp: McpGateway | None
    scratch: Path | None
    discarded: Discarded
    early: bool


class Work:
    """``then`` is called when the core has been told something."""

    def __init__(
        self,
        core: Session,
        ear: Ear,
        outgoing: Outgoing,
        house: House,
        group: asyncio.TaskGroup,
        then: Callable[[], None],
        *,
        media: bool,
    ) -> None:
        senses = house.senses
        self._core, self._ear, self._outgoing, self._media, self._then = core, ear, outgoing, media, then
        self._discarded, self._clock = house.discarded, asyncio.get_running_loop().time
        self.stopwatch = Stopwatch(self._clock, self._count_discarded, outgoing.put_next, media=media)
        self.unplayed = Unplayed()
        self.archive = Archive(group, house.scratch)
        self.hearings = Hearings(senses.stt, group, ear.cut)
        self._recognition = Recognition(senses.stt, self.hearings, group, self._recognised, core.transcript_begins)
        self._keeping = Keeping(core, self.archive, self._recognition, outgoing.put)
        self._answers = Answers(
            senses, self._recognition, group, give=self._given, room=self._room, making=self.stopwatch.making
        )
        self._pausing = Pausing(
            core, senses.turn, self._recognition, self._answers, group, ear.cut, then, early=house.early
        )
        self._mcp = McpServers(house.mcp, group, self._mcp_listed, self._mcp_result)

    def carry_out(self, command: do.Command) -> None:
        _COMMANDS[type(command)](self, command)

    def sound(self, frame: Frame, audio: bytes) -> None:
        """An answer's, on its way to the client."""
        item_id = frame.data["item_id"]
        self.archive.add(item_id, audio, self._answers.format(frame.data["response_id"]))
        if self._media:
            self.unplayed.queued(item_id, len(audio) // 2)

    def look(self) -> None:
        """Whether a turn is under way that may be put into words already."""
        self.hearings.look(self._core.turn, self._hints, self._ear.received)

    def close(self) -> None:
        self._answers.drop_draft()
        self._count_discarded()
        self.archive.close()

    # What came of it --------------------------------------------------------------------------------

    def _recognised(self, item_id: str, result: Heard | HeardFailed, at: float) -> None:
        self.stopwatch.recognised(item_id, at)
        self._core.transcript(item_id, result)
        self._then()

    def _given(self, response_id: str, part: Part) -> None:
        self._core.model(self._clock(), response_id, part)
        self._then()

    def _mcp_listed(self, server_label: str, found: Sequence[Mapping[str, Any]] | McpFailure) -> None:
        self._core.mcp_listed(server_label, found)
        self._then()

    def _mcp_result(self, response_id: str, item_id: str, result: str | McpFailure) -> None:
        self._core.mcp_result(response_id, item_id, result)
        self._then()

    async def _room(self) -> None:
        """Until more of an answer may be made."""
        await self._outgoing.room()
        await self.archive.room()
        if self._media:
            await self.unplayed.room()

    def _count_discarded(self) -> Discarded:
        """What was made for nothing since this was asked last; the owner's count has it too."""
        found = Discarded()
        for source in (self._answers, self._recognition):
            found.add(source.discarded)
            source.discarded = Discarded()
        self._discarded.add(found)
        return found

    # Commands of more than one line -----------------------------------------------------------------

    def _transcribe(self, command: do.Transcribe) -> None:
        self.stopwatch.turn(command)
        self._keeping.transcribe(command, self._ear.cut(command.span), self._ear.format)

    def _start(self, command: do.Start) -> None:
        self.stopwatch.answer(command)
        self._answers.start(command)

    def _cancel(self, command: do.Cancel) -> None:
        self._mcp.cancel(command.response_id)
        self._answers.cancel(command.response_id)

    def _flush_playback(self, command: do.FlushPlayback) -> None:
        self.unplayed.flushed(command.item_id)
        self._outgoing.put(Frame(FLUSH, {"type": FLUSH, "item_id": command.item_id}))

    @property
    def _hints(self) -> Hints:
        return hints(self._core.hearing.transcription or None)


_COMMANDS: Final[Mapping[type, Callable[[Work, Any], None]]] = {
    do.Transcribe: Work._transcribe,
    do.Import: lambda work, command: work._keeping.take_in(command),
    do.MayEnd: lambda work, command: work._pausing.may_end(command, work._hints),
    do.Doubted: lambda work, command: work._pausing.doubted(command, work._hints),
    do.WentOn: lambda work, command: work._pausing.went_on(command),
    do.ListMcp: lambda work, command: work._mcp.list(command),
    do.CallMcp: lambda work, command: work._mcp.call(command),
    do.Start: Work._start,
    do.Cancel: Work._cancel,
    do.FlushPlayback: Work._flush_playback,
    do.HoldPlayback: lambda work, command: work._outgoing.put(Frame(HOLD, {"type": HOLD, "on": command.on})),
    do.Trim: lambda work, command: work.archive.trim(command.item_id, command.samples),
    do.Forget: lambda work, command: work._keeping.forget(command),
    do.Retrieve: lambda work, command: work._keeping.retrieve(command),
    do.Close: lambda work, command: work._outgoing.close(Closed(command.code, command.reason)),
}
