"""The output side: responses are asked for, made part by part, interrupted, and heard."""

from dataclasses import replace

from vivavoce.protocol.session.commands import Context
from vivavoce.protocol.session.floor import STALLED, Floor
from vivavoce.protocol.session.items import Content, Item
from vivavoce.protocol.session.mcp import Mcp
from vivavoce.protocol.session.parts import Arguments, AudioPart, CallPart, Done, Failed, Part, TextPart
from vivavoce.protocol.session.planning import Planner
from vivavoce.protocol.session.playback import Playback
from vivavoce.protocol.session.quiet import Quiet
from vivavoce.protocol.session.response import Response
from vivavoce.protocol.session.state import Shared
from vivavoce.protocol.session.underway import UnderWay
from vivavoce.protocol.wire.config import RealtimeConfig
from vivavoce.protocol.wire.errors import ProtocolError
from vivavoce.protocol.wire.events import ResponseParams
from vivavoce.protocol.wire.shape import get

__all__ = ["Replies"]


class Replies:
    def __init__(self, shared: Shared, mcp: Mcp) -> None:
        self._shared, self._mcp, self._planner = shared, mcp, Planner(shared, mcp)
        self._out = shared.out
        self.under_way = UnderWay(shared, mcp)
        self._owed = False
        """A turn ended while an answer could not be interrupted: one answer follows it (S-21)."""
        self._spoken: Content | None = None
        self.quiet = Quiet(shared)
        self.playback = Playback(shared.out, shared.conversation, self.under_way.__contains__)
        self.floor = Floor(shared, self.playback, self.quiet)

    @property
    def busy(self) -> bool:
        return self.under_way.default is not None

    @property
    def doubtful(self) -> bool:
        """Whether a voice now may be something else than an interruption."""
        return self._interrupts() and self.floor.doubts(making=self.busy)

    @property
    def spoken(self) -> str:
        """The words of what sounds, or did last."""
        return self._spoken.words or "" if self._spoken else ""

    # Turns ------------------------------------------------------------------------------------------

    def hush(self) -> None:
        """A turn begins, and nobody has been told yet: silence the track first."""
        if self._interrupts():
            self.playback.flush()

    def interrupted(self) -> None:
        """A turn has begun: the answer under way ends (O-34, O-39). Out of band goes on (O-33), unless it is
        what was spoken over."""
        self.quiet.broken()
        if not self._interrupts():
            return
        self._owed = False
        self._end_default("turn_detected")
        self._clear("turn_detected")

    def turn_ended(self) -> None:
        """A turn's item is in the conversation: answer it, if that is wanted (S-20)."""
        if self._answers_turns():
            self.answer()

    def preview(self, item: Item) -> Context | None:
        """What the answer would be made from, if the turn under way ended now as ``item``; None where there would
        be no answer, or not at once."""
        if self.busy or not self._answers_turns():
            return None
        try:
            context = self._planner.context(ResponseParams(), self._planner.plan(ResponseParams()))
        except ProtocolError:
            return None
        return replace(context, items=(*context.items, item))

    def answer(self) -> None:
        """Answer the conversation as it stands, now or once the answer under way has ended."""
        if self.busy:
            self._owed = True
        else:
            self._start_unasked()

    # What a client asks -----------------------------------------------------------------------------

    def create(self, params: ResponseParams) -> None:
        self.under_way.check_room(out_of_band=params.conversation == "none")
        self._start(params)

    def cancel(self, response_id: str | None) -> None:
        """``response.cancel`` (O-36): the default response, or the one named."""
        wanted = response_id or self.under_way.default
        if wanted is None or wanted not in self.under_way:
            raise ProtocolError("response_cancel_not_active", "Cancellation failed: no active response found.")
        self.under_way.cancel(wanted, "client_cancelled")
        self.quiet.silenced()
        self._settle()

    def clear_output(self) -> None:
        """``output_audio_buffer.clear`` (O-40): a media client wants silence, now."""
        if not self._shared.media:
            message = "'output_audio_buffer.clear' is for WebRTC; on a WebSocket the client plays the audio itself."
            raise ProtocolError("invalid_value", message, param="type")
        self.playback.flush()
        self._clear("client_cancelled")
        self._settle()

    # What the models make ---------------------------------------------------------------------------

    def take(self, response_id: str, part: Part) -> None:
        """One part of an answer; dropped if the response has ended meanwhile."""
        active = self.under_way.find(response_id)
        if active is None:
            return
        match part:
            case AudioPart():  # first: the hot path
                self._sound(active.response, part)
            case TextPart():
                active.response.words(part.text)
            case Arguments():
                active.response.arguments(part.text)
            case CallPart():
                active.call(part)
            case Done():
                if active.step_done(part):
                    self.under_way.finish(response_id, part)
                    self._settle()
            case Failed():
                self.under_way.fail(response_id, part)
                self._settle()

    def played(self, item_id: str, ms: int, *, drained: bool) -> None:
        self.playback.played(item_id, ms, drained=drained)
        self.floor.played()
        self._settle_quiet()

    # A track that plays nothing ---------------------------------------------------------------------

    @property
    def deadline(self) -> float | None:
        """When :meth:`tick` has something to do."""
        return self.floor.deadline

    def tick(self) -> None:
        """What nobody has heard anything of for :data:`STALLED` is given up, and its making with it."""
        deadline = self.deadline
        if deadline is None or self._shared.now < deadline:
            return
        self.playback.flush()
        message = f"Nothing of this answer has been played for {STALLED:g} s; it was given up."
        for response_id in self.playback.heard_from():
            if response_id in self.under_way:
                self.under_way.give_up(response_id, Failed("playback_stalled", message))
        self.playback.cleared()
        self.floor.silent()
        self._settle()

    # ------------------------------------------------------------------------------------------------

    def _answers_turns(self) -> bool:
        detection = self._shared.detection
        asked = detection is not None and get(detection.create_response, True)
        return asked and isinstance(self._shared.config, RealtimeConfig)

    def _interrupts(self) -> bool:
        detection = self._shared.detection
        return detection is not None and get(detection.interrupt_response, True)

    def _end_default(self, reason: str) -> None:
        if self.under_way.default is not None:
            self.under_way.cancel(self.under_way.default, reason)
            self.under_way.default = None

    def _clear(self, reason: str) -> None:
        """The track is silent: what it would have gone on to play is not made either."""
        for response_id in self.playback.heard_from():
            if response_id in self.under_way:
                self.under_way.cancel(response_id, reason)
        self.playback.cleared()
        self.floor.silent()

    def _settle(self) -> None:
        """After a response has ended: give the answer that is owed."""
        self.under_way.settle()
        self.playback.settle()
        self._settle_quiet()
        if self._owed and not self.busy:
            self._owed = False
            self._start_unasked()

    def _sound(self, response: Response, part: AudioPart) -> None:
        self._shared.voice_locked = True
        self.floor.sounding()
        self.quiet.sounded(part.samples)
        response.sound(part)
        item = response.output[-1]
        self._spoken = item.content[0]
        if self._shared.media:
            self.playback.queued(response.id, item.id, self._spoken)

    def _settle_quiet(self) -> None:
        if not self.busy and not self.playback.sounding:
            self.quiet.answer_ended()

    def _start_unasked(self) -> None:
        """An answer that no event of the client asks for: what stands in its way is told all the same."""
        try:
            self._start(ResponseParams())
        except ProtocolError as error:
            self._out.error(error)

    def _start(self, params: ResponseParams) -> None:
        tools, plan = self._planner.tools(params), self._planner.plan(params)
        if params.tools:
            self._mcp.check(tools, "response.tools")
        context = self._planner.context(params, plan)
        if plan.in_conversation:
            self.quiet.answer_began()
        self.under_way.start(plan, context, tools, own_tools=bool(params.tools))
