"""The output side: responses are asked for, made part by part, interrupted, and heard.

There is one default slot for the response that speaks in the conversation, and any number of responses
out of band beside it (O-32).
"""

from dataclasses import dataclass

from vivavoce.protocol.session import usage
from vivavoce.protocol.session.commands import AudioPart, Cancel, Context, Done, Failed, Part, Start
from vivavoce.protocol.session.items import Item, from_wire
from vivavoce.protocol.session.playback import Playback
from vivavoce.protocol.session.response import Plan, Response
from vivavoce.protocol.session.state import Shared
from vivavoce.protocol.wire.config import CustomVoice, Pcm, RealtimeConfig, SemanticVad, ServerVad, Voice
from vivavoce.protocol.wire.errors import ProtocolError
from vivavoce.protocol.wire.events import ItemReference, NewItem, ResponseAudioOutput, ResponseParams
from vivavoce.protocol.wire.shape import get

__all__ = ["MAX_RESPONSES", "Replies"]

MAX_RESPONSES = 16
"""Responses out of band that one session may have under way."""


@dataclass(slots=True)
class _Active:
    response: Response
    context: Context


class Replies:
    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._out = shared.out
        self._active: dict[str, _Active] = {}
        self._default: str | None = None
        """The response that speaks in the conversation."""
        self._owed = False
        """A turn ended while an answer could not be interrupted: one answer follows it (S-21)."""
        self.playback = Playback(shared.out, self._active.__contains__)

    @property
    def busy(self) -> bool:
        return self._default is not None

    # Turns ------------------------------------------------------------------------------------------

    def hush(self) -> None:
        """A turn begins, and nobody has been told yet: silence the track first."""
        if self._interrupts():
            self.playback.flush()

    def interrupted(self) -> None:
        """A turn has begun: the answer under way ends (O-34, O-39). Out of band goes on (O-33)."""
        if not self._interrupts():
            return
        self._owed = False
        self._end_default("turn_detected")
        self.playback.cleared()

    def turn_ended(self) -> None:
        """A turn's item is in the conversation: answer it, if that is wanted (S-20)."""
        detection = self._shared.hearing.turn_detection
        if not isinstance(self._shared.config, RealtimeConfig):
            return
        if detection and get(detection.create_response, True):
            self.answer()

    def answer(self) -> None:
        """Answer the conversation as it stands, now or once the answer under way has ended."""
        if self._default is not None:
            self._owed = True
        else:
            self._start(ResponseParams())

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
        self.playback.cleared()

    # What the models make ---------------------------------------------------------------------------

    def take(self, response_id: str, part: Part) -> None:
        """One part of an answer; dropped if the response has ended meanwhile."""
        active = self._active.get(response_id)
        if active is None:
            return
        response = active.response
        match part:
            case Done():
                self._finish(active, part)
            case Failed():
                del self._active[response_id]
                response.fail(part, usage.ZERO)
                self._settle()
            case AudioPart():
                self._shared.voice_locked = True
                response.take(part)
                if self._shared.media:
                    item = response.output[-1]
                    self.playback.queued(response_id, item.id, item.content[0])
            case _:
                response.take(part)

    def played(self, item_id: str, ms: int, *, drained: bool) -> None:
        self.playback.played(item_id, ms, drained=drained)

    # ------------------------------------------------------------------------------------------------

    def _finish(self, active: _Active, done: Done) -> None:
        response = active.response
        del self._active[response.id]
        response.finish(done, usage.count(active.context, response.output, done.usage))
        self._settle()

    def _interrupts(self) -> bool:
        detection = self._shared.hearing.turn_detection
        return isinstance(detection, ServerVad | SemanticVad) and get(detection.interrupt_response, True)

    def _end_default(self, reason: str) -> None:
        if self._default is not None:
            self._cancel(self._default, reason)
            self._default = None

    def _cancel(self, response_id: str, reason: str) -> None:
        active = self._active.pop(response_id)
        self._out.command(Cancel(response_id))
        active.response.cancel(reason, usage.count(active.context, active.response.output))

    def _settle(self) -> None:
        """After a response has ended: free the slot, and give the answer that is owed."""
        if self._default is not None and self._default not in self._active:
            self._default = None
        self.playback.settle()
        if self._owed and self._default is None:
            self._owed = False
            self._start(ResponseParams())

    def _start(self, params: ResponseParams) -> None:
        plan, context = self._plan(params), self._context(params)
        response = Response(self._out.ids("resp"), plan, self._shared.conversation, self._out)
        self._active[response.id] = _Active(response, context)
        if plan.in_conversation:
            self._default = response.id
        self._out.command(Start(response.id, context))

    def _plan(self, params: ResponseParams) -> Plan:
        config, asked, default = self._shared.realtime, _output(params), self._shared.speaking
        return Plan(
            modality=get(params.output_modalities, config.output_modalities)[0],  # type: ignore[index]
            max_output_tokens=get(params.max_output_tokens, config.max_output_tokens),  # type: ignore[arg-type]
            format=get(asked.format, default.format),  # type: ignore[arg-type]
            voice=get(asked.voice, default.voice),  # type: ignore[arg-type]
            metadata=get(params.metadata, None),
            in_conversation=params.conversation != "none",
        )

    def _context(self, params: ResponseParams) -> Context:
        config, plan = self._shared.realtime, self._plan(params)
        limit = plan.max_output_tokens
        return Context(
            instructions=get(params.instructions, get(config.instructions, "")),
            items=self._input(params),
            tools=tuple(get(params.tools, get(config.tools, []))),
            tool_choice=get(params.tool_choice, get(config.tool_choice, "auto")),
            modality=plan.modality,
            voice=_voice_name(plan.voice),
            speed=get(_output(params).speed, get(self._shared.speaking.speed, 1.0)),
            format=Pcm() if self._shared.media else plan.format,
            max_output_tokens=limit if isinstance(limit, int) else None,
        )

    def _input(self, params: ResponseParams) -> tuple[Item, ...]:
        """The conversation as it stands, or what ``input`` puts in its place (O-30)."""
        given: list[NewItem] | None = get(params.input, None)
        if given is None:
            return tuple(self._shared.conversation.items())
        return tuple(self._given(new, f"response.input[{index}]") for index, new in enumerate(given))

    def _given(self, new: NewItem, at: str) -> Item:
        if isinstance(new, ItemReference):
            return self._shared.conversation.get(str(get(new.id, "")), "retrieve")
        return from_wire(new, self._out.ids("item"), self._out.ids("call"), at)


def _output(params: ResponseParams) -> ResponseAudioOutput:
    audio = get(params.audio, None)
    return get(audio.output, ResponseAudioOutput()) if audio else ResponseAudioOutput()


def _voice_name(voice: Voice) -> str:
    return voice.id if isinstance(voice, CustomVoice) else voice
