"""The output side: responses are asked for, made part by part, interrupted, and heard.

There is one default slot for the response that speaks in the conversation, and any number of responses
out of band beside it (O-32).
"""

from dataclasses import dataclass, field, replace
from typing import Any

from vivavoce.protocol.session import usage
from vivavoce.protocol.session.commands import (
    RATE,
    Arguments,
    AudioPart,
    CallMcp,
    CallPart,
    Cancel,
    Context,
    Done,
    Failed,
    Part,
    Start,
    TextPart,
    Usage,
)  # fmt: skip
from vivavoce.protocol.session.items import Item
from vivavoce.protocol.session.mcp import Mcp, McpFailure
from vivavoce.protocol.session.planning import Planner
from vivavoce.protocol.session.playback import Playback
from vivavoce.protocol.session.response import Response
from vivavoce.protocol.session.state import Shared
from vivavoce.protocol.wire.config import McpTool, RealtimeConfig, SemanticVad, ServerVad, Tool
from vivavoce.protocol.wire.errors import ProtocolError
from vivavoce.protocol.wire.events import ResponseParams
from vivavoce.protocol.wire.shape import get

__all__ = ["MAX_RESPONSES", "Replies"]

MAX_RESPONSES = 16
"""Responses out of band that one session may have under way."""
MAX_STEPS = 16
"""How often a mind may go on in one response after MCP calls."""


@dataclass(slots=True)
class _Active:
    response: Response
    context: Context
    tools: tuple[Tool, ...]
    usage: Usage = field(default_factory=Usage)
    steps: int = 1
    used: int = 0
    """How many items of the response's own output are in the context already."""


class Replies:
    def __init__(self, shared: Shared, mcp: Mcp) -> None:
        self._shared, self._mcp, self._planner = shared, mcp, Planner(shared, mcp)
        self._out = shared.out
        self._active: dict[str, _Active] = {}
        self._approvals: dict[str, tuple[_Active, Item]] = {}
        """MCP calls that wait for the client's word, by the id of the request."""
        self._default: str | None = None
        """The response that speaks in the conversation."""
        self._owed = False
        """A turn ended while an answer could not be interrupted: one answer follows it (S-21)."""
        self.quiet_from: float | None = None
        """Since when nothing has been heard after an answer; None while one is made or heard (S-22)."""
        self._sound_from = self._sound_samples = 0.0
        """When the latest answer began to sound, and how long it is, for a client that plays it itself."""
        self._answering = False
        """An answer is being made or heard."""
        self.playback = Playback(shared.out, shared.conversation, self._active.__contains__)

    @property
    def busy(self) -> bool:
        return self._default is not None

    # Turns ------------------------------------------------------------------------------------------

    def hush(self) -> None:
        """A turn begins, and nobody has been told yet: silence the track first."""
        if self._interrupts():
            self.playback.flush()

    def interrupted(self) -> None:
        """A turn has begun: the answer under way ends (O-34, O-39). Out of band goes on (O-33), unless it is
        what was spoken over."""
        self.quiet_from = None
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
        response = active.response
        match part:
            case AudioPart():  # first: the hot path
                self._sound(response, part)
            case TextPart():
                response.words(part.text)
            case Arguments():
                response.arguments(part.text)
            case CallPart():
                labels = {function.name: function.server_label for function in active.context.mcp}
                response.call(part, labels.get(part.name))
            case Done():
                self._step_done(active, part)
            case Failed():
                del self._active[response_id]
                response.fail(part, usage.ZERO)
                self._settle()

    def played(self, item_id: str, ms: int, *, drained: bool) -> None:
        self.playback.played(item_id, ms, drained=drained)
        self._settle_quiet()

    # MCP calls (O-55, O-57) -------------------------------------------------------------------------

    def approved(self, request_id: str, *, approve: bool, reason: str | None) -> None:
        """The client's answer to an approval request."""
        active, call = self._approvals.pop(request_id)
        if approve:
            self._run(active, call)
        else:
            message = f"The call was declined: {reason}" if reason else "The call was declined."
            self._result(active, call, McpFailure("tool_execution_error", message))

    def awaits(self, request_id: str) -> bool:
        return request_id in self._approvals

    def mcp_result(self, response_id: str, item_id: str, result: str | McpFailure) -> None:
        """The driver's answer to :class:`CallMcp`; dropped if the response has ended meanwhile."""
        if active := self._active.get(response_id):
            for call in active.response.waiting:
                if call.id == item_id:
                    self._result(active, call, result)
                    return

    def _step_done(self, active: _Active, done: Done) -> None:
        """The mind has finished, or finished asking: then it goes on once all it asked for is there."""
        active.usage = active.usage.plus(done.usage)
        active.response.close_open("completed" if done.reason == "stop" else "incomplete")
        if done.reason != "stop" or not active.response.waiting or active.steps >= MAX_STEPS:
            self._finish(active, done)
            return
        for call in list(active.response.waiting):
            self._ask_or_run(active, call)

    def _ask_or_run(self, active: _Active, call: Item) -> None:
        label, name = call.fields["server_label"], call.fields["name"]
        tool = next(tool for tool in active.tools if isinstance(tool, McpTool) and tool.server_label == label)
        if self._mcp.needs_approval(tool, name):
            self._approvals[active.response.ask_approval(call)] = (active, call)
        else:
            self._run(active, call)

    def _run(self, active: _Active, call: Item) -> None:
        active.response.call_runs(call)
        tool, fields = self._mcp.definition(call.fields["server_label"]), call.fields
        self._out.command(CallMcp(active.response.id, call.id, tool, fields["name"], fields["arguments"]))

    def _result(self, active: _Active, call: Item, result: str | McpFailure) -> None:
        if isinstance(result, McpFailure):
            active.response.call_ended(call, {"error": result.view()}, failed=True)
        else:
            active.response.call_ended(call, {"output": result}, failed=False)
        if not active.response.waiting:
            active.steps += 1
            context = replace(active.context, items=(*active.context.items, *active.response.output[active.used :]))
            active.context, active.used = context, len(active.response.output)
            self._out.command(Start(active.response.id, context))

    # ------------------------------------------------------------------------------------------------

    def _finish(self, active: _Active, done: Done) -> None:
        response = active.response
        del self._active[response.id]
        response.finish(done, self._usage(active))
        self._settle()

    def _answers_turns(self) -> bool:
        detection = self._shared.hearing.turn_detection
        asked = isinstance(detection, ServerVad | SemanticVad) and get(detection.create_response, True)
        return asked and isinstance(self._shared.config, RealtimeConfig)

    def _interrupts(self) -> bool:
        detection = self._shared.hearing.turn_detection
        return isinstance(detection, ServerVad | SemanticVad) and get(detection.interrupt_response, True)

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

    def _cancel(self, response_id: str, reason: str) -> None:
        active = self._active.pop(response_id)
        self._out.command(Cancel(response_id))
        self._approvals = {key: value for key, value in self._approvals.items() if value[0] is not active}
        active.response.cancel(reason, self._usage(active))

    def _usage(self, active: _Active) -> dict[str, Any]:
        """Of all steps; what the response itself put into the context is not counted as input again."""
        items = active.context.items[: len(active.context.items) - active.used]
        return usage.count(replace(active.context, items=items), active.response.output, active.usage)

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
        if not self._sound_samples:
            self._sound_from = self._shared.now
        self._sound_samples += part.samples
        response.sound(part)
        if self._shared.media:
            item = response.output[-1]
            self.playback.queued(response.id, item.id, item.content[0])

    def _settle_quiet(self) -> None:
        if self._answering and self._default is None and not self.playback.sounding:
            self._answering = False
            played = 0.0 if self._shared.media else self._sound_from + self._sound_samples / RATE
            self.quiet_from = max(self._shared.now, played)

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
        active = self._active[response.id] = _Active(response, context, tools)
        if plan.in_conversation:
            self._default, self._answering = response.id, True
            self.quiet_from, self._sound_samples = None, 0.0
        if params.tools:
            self._mcp.adopt(tools)
            self._mcp.when_listed(tools, lambda: self._listed(active))
        else:
            self._begin(active)

    def _listed(self, active: _Active) -> None:
        """The MCP servers that were given with the response itself are known now (O-58)."""
        if active.response.id in self._active:
            active.context = replace(active.context, mcp=self._mcp.offered(active.tools))
            self._begin(active)

    def _begin(self, active: _Active) -> None:
        self._out.command(Start(active.response.id, active.context))
