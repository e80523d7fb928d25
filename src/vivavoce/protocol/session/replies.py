"""The output side: responses are asked for, made part by part, interrupted, and heard.

There is one default slot for the response that speaks in the conversation, and any number of responses
out of band beside it (O-32).
"""

from dataclasses import replace

from vivavoce.protocol.session import usage
from vivavoce.protocol.session.commands import Cancel, Context
from vivavoce.protocol.session.floor import STALLED, Floor
from vivavoce.protocol.session.items import Content, Item
from vivavoce.protocol.session.making import Making
from vivavoce.protocol.session.mcp import Mcp, McpFailure
from vivavoce.protocol.session.parts import Arguments, AudioPart, CallPart, Done, Failed, Part, TextPart
from vivavoce.protocol.session.planning import Planner
from vivavoce.protocol.session.playback import Playback
from vivavoce.protocol.session.quiet import Quiet
from vivavoce.protocol.session.response import Response
from vivavoce.protocol.session.state import Shared
from vivavoce.protocol.wire.config import RealtimeConfig
from vivavoce.protocol.wire.errors import ProtocolError
from vivavoce.protocol.wire.events import ResponseParams
from vivavoce.protocol.wire.shape import get

__all__ = ["MAX_RESPONSES", "Replies"]

MAX_RESPONSES = 16
"""Responses out of band that one session may have under way."""


class Replies:
    def __init__(self, shared: Shared, mcp: Mcp) -> None:
        self._shared, self._mcp, self._planner = shared, mcp, Planner(shared, mcp)
        self._out = shared.out
        self._active: dict[str, Making] = {}
        self._default: str | None = None
        """The response that speaks in the conversation."""
        self._owed = False
        """A turn ended while an answer could not be interrupted: one answer follows it (S-21)."""
        self._spoken: Content | None = None
        self.quiet = Quiet(shared)
        self.playback = Playback(shared.out, shared.conversation, self._active.__contains__)
        self.floor = Floor(shared, self.playback, self.quiet)

    @property
    def busy(self) -> bool:
        return self._default is not None

    @property
    def doubtful(self) -> bool:
        """Whether a voice now may be something else than an interruption."""
        return self._interrupts() and self.floor.doubts(making=self._default is not None)

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
        if self._default is not None or not self._answers_turns():
            return None
        try:
            context = self._planner.context(ResponseParams(), self._planner.plan(ResponseParams()))
        except ProtocolError:
            return None
        return replace(context, items=(*context.items, item))

    def answer(self) -> None:
        """Answer the conversation as it stands, now or once the answer under way has ended."""
        if self._default is not None:
            self._owed = True
        else:
            self._start_unasked()

    # What a client asks -----------------------------------------------------------------------------

    def create(self, params: ResponseParams) -> None:
        if params.conversation != "none" and self._default is not None:
            raise ProtocolError(
                "conversation_already_has_active_response",
                f"Conversation already has an active response in progress: {self._default}. Wait until the response "
                "is finished before creating a new one.",
            )
        if len(self._active) >= MAX_RESPONSES:
            message = f"There are {MAX_RESPONSES} responses under way; wait until one is done."
            raise ProtocolError("rate_limit_exceeded", message)
        self._start(params)

    def cancel(self, response_id: str | None) -> None:
        """``response.cancel`` (O-36): the default response, or the one named."""
        wanted = response_id or self._default
        if wanted is None or wanted not in self._active:
            raise ProtocolError("response_cancel_not_active", "Cancellation failed: no active response found.")
        self._cancel(wanted, "client_cancelled")
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
        active = self._active.get(response_id)
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
                    del self._active[response_id]
                    active.response.finish(part, active.count())
                    self._settle()
            case Failed():
                del self._active[response_id]
                active.response.fail(part, usage.ZERO)
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
            if active := self._active.pop(response_id, None):
                self._out.command(Cancel(response_id))
                active.response.fail(Failed("playback_stalled", message), active.count())
        self.playback.cleared()
        self.floor.silent()
        self._settle()

    # MCP calls --------------------------------------------------------------------------------------

    def awaits(self, request_id: str) -> bool:
        """Whether a call waits for the client's word under this id."""
        return any(active.awaits(request_id) for active in self._active.values())

    def approved(self, request_id: str, *, approve: bool, reason: str | None) -> None:
        """The client's answer to an approval request."""
        active = next(active for active in self._active.values() if active.awaits(request_id))
        active.approved(request_id, approve=approve, reason=reason)

    def mcp_result(self, response_id: str, item_id: str, result: str | McpFailure) -> None:
        """The driver's answer to :class:`CallMcp`; dropped if the response has ended meanwhile."""
        if active := self._active.get(response_id):
            active.result(item_id, result)

    # ------------------------------------------------------------------------------------------------

    def _answers_turns(self) -> bool:
        detection = self._shared.detection
        asked = detection is not None and get(detection.create_response, True)
        return asked and isinstance(self._shared.config, RealtimeConfig)

    def _interrupts(self) -> bool:
        detection = self._shared.detection
        return detection is not None and get(detection.interrupt_response, True)

    def _end_default(self, reason: str) -> None:
        if self._default is not None:
            self._cancel(self._default, reason)
            self._default = None

    def _clear(self, reason: str) -> None:
        """The track is silent: what it would have gone on to play is not made either."""
        for response_id in self.playback.heard_from():
            if response_id in self._active:
                self._cancel(response_id, reason)
        self.playback.cleared()
        self.floor.silent()

    def _cancel(self, response_id: str, reason: str) -> None:
        active = self._active.pop(response_id)
        self._out.command(Cancel(response_id))
        active.response.cancel(reason, active.count())

    def _settle(self) -> None:
        """After a response has ended: free the slot, and give the answer that is owed."""
        if self._default is not None and self._default not in self._active:
            self._default = None
        self._tell_limits()
        self.playback.settle()
        self._settle_quiet()
        if self._owed and self._default is None:
            self._owed = False
            self._start_unasked()

    def _tell_limits(self) -> None:
        """E-31, O-07: here a request is a response under way, and one that has ended frees its place at once."""
        if self._shared.settings.tells_limits:
            requests = {"name": "requests", "limit": MAX_RESPONSES, "remaining": MAX_RESPONSES - len(self._active)}
            self._out.event("rate_limits.updated", rate_limits=[{**requests, "reset_seconds": 0.0}])

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
        if self._default is None and not self.playback.sounding:
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
        response = Response(self._out.ids("resp"), plan, self._shared.conversation, self._out)
        active = self._active[response.id] = Making(response, context, tools, self._mcp, self._out)
        if plan.in_conversation:
            self._default = response.id
            self.quiet.answer_began()
        if params.tools:
            self._mcp.adopt(tools)
            self._mcp.when_listed(tools, lambda: self._listed(active))
        else:
            active.begin()

    def _listed(self, active: Making) -> None:
        if active.response.id in self._active:
            active.listed()
