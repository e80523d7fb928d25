"""The server's tools in a session, on the stream of events and so with every backend.

Whoever answers is given them as functions. Clients see no call of such a function, since official SDKs answer a call
that they do not know themselves: they see an ``mcp_call``, and the response in which it stands stays open until the
model has made something of the result. One response and not two, since that is how the guide shows MCP (O-57), and
since a client may take a response that is done for the end of the turn, and ask for the next one at once; see
``asking.py`` for the SDK that does.

    function_call done ──▶ the tool runs ──▶ its output, response.create ──▶ … ──▶ response.done, once, for all of it
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from vivavoce.protocol.frame import APPEND, Frame
from vivavoce.sessions.answer import Answer, Call, State, changed
from vivavoce.sessions.asking import Asking
from vivavoce.sessions.bench import Bench, Ended
from vivavoce.sessions.calls import Calls
from vivavoce.sessions.fillers import Fillers
from vivavoce.sessions.filters import Asides, Filter, News
from vivavoce.sessions.hidden import Hidden
from vivavoce.sessions.holding import Holding
from vivavoce.sessions.parts import Parts
from vivavoce.sessions.persona import Persona
from vivavoce.sessions.saying import Saying
from vivavoce.tools.interface import Caller

__all__ = ["Tools"]

Frames = Sequence[Frame]


class Tools(Filter):
    """It stands next to whoever answers. ``caller`` tells for whom tools run; ``media`` whether we
    play the sound."""

    def __init__(
        self,
        persona: Persona,
        caller: Callable[[], Caller],
        bench: Bench,
        asides: Asides,
        new_id: Callable[[], str],
        *,
        media: bool = False,
    ) -> None:
        self._caller, self._bench, self._asides = caller, bench, asides
        self._clock = asyncio.get_running_loop().time
        self._interrupts = True
        self._hidden, self._say = Hidden(), Saying(asides, new_id)
        self._calls = Calls(persona, self._hidden, self._say, new_id)
        self._parts = Parts(self._say, self._hidden, media=media)
        self._fillers = Fillers(persona, bench, self._say, self, self._go_on, new_id)
        self._asking = Asking(
            persona, self._calls, self._fillers, hear=partial(asides.hear, self), say=self._say, new_id=new_id
        )
        self._open = Holding(
            self._calls, self._parts, self._fillers, self._asking, self._say, self._work, bench.cancel, new_id
        )
        self._told: dict[str, Callable[[Frame], Frames]] = {
            "session.created": self._configured,
            "session.updated": self._configured,
            "input_audio_buffer.speech_started": self._speech_started,
            "input_audio_buffer.speech_stopped": self._speech_stopped,
            "response.created": self._created,
            "response.output_item.added": self._item_added,
            "response.output_item.done": self._item_done,
            "response.function_call_arguments.delta": self._calls.arguments,
            "response.function_call_arguments.done": self._calls.arguments,
            "response.output_audio_transcript.done": self._spoken,
            "response.done": self._done,
            "conversation.item.added": self._conversation_added,
            "conversation.item.retrieved": self._calls.shown,
            "conversation.item.done": self._calls.done,
        }

    # What clients ask -------------------------------------------------------------------------------

    def sees(self, type: str) -> bool:
        return type != APPEND

    def inward(self, frame: Frame) -> Frames:
        if frame.type == "response.cancel":
            return self._cancel(frame)
        return self._asking.judge(frame, self._open.answer)

    def _cancel(self, frame: Frame) -> Frames:
        """What is under way is cancelled by whoever answers; what only waits for a tool, here."""
        answer, wanted = self._open.answer, frame.data.get("response_id")
        if answer is None or wanted not in (None, answer.id):
            return (frame,)
        if answer.waits:
            self._asides.hear(self, lambda: self._open.give_up(answer, "client_cancelled"))
            return ()
        return (changed(frame, response_id=answer.making) if wanted else frame,)

    # What whoever answers tells ---------------------------------------------------------------------

    def outward(self, frame: Frame) -> Frames:
        if isinstance(frame, News):
            return frame.make() if frame.to is self else (frame,)
        if frame.type == "error":
            return self._error(frame)
        self._calls.hide_output(frame)
        shown = self._hidden.shown(frame)
        if shown is None or self._parts.unheard(shown):
            return ()
        tell = self._told.get(shown.type)
        return self._parts.renamed(tell(shown) if tell else (shown,))

    def _configured(self, frame: Frame) -> Frames:
        hearing = ((frame.data.get("session") or {}).get("audio") or {}).get("input") or {}
        detection = hearing.get("turn_detection")
        self._interrupts = isinstance(detection, Mapping) and detection.get("interrupt_response") is not False
        return (frame,)

    def _error(self, frame: Frame) -> Frames:
        error = frame.data.get("error") or {}
        refusal = self._say.refusal(error)
        if refusal is not None:
            return refusal
        self._asking.refused(error)
        return (frame,)

    def _created(self, frame: Frame) -> Frames:
        response = frame.data.get("response") or {}
        if response.get("conversation_id", "") is not None:
            return (frame,) if self._open.begins(response) else ()
        if not self._fillers.begins(response):
            return (frame,)
        response_id, answer = str(response.get("id")), self._open.answer
        if answer and self._fillers.speaking:
            self._parts.join(response_id, answer)
        else:
            self._parts.mute(response_id)
        return ()

    def _item_added(self, frame: Frame) -> Frames:
        item, answer = frame.data.get("item") or {}, self._answer_of(frame)
        if answer is None:
            return (frame,)
        item_id = str(item.get("id"))
        answer.index(item_id)
        self._fillers.keep(frame)
        self._calls.note(item, answer)
        return self._calls.shown(frame)

    def _item_done(self, frame: Frame) -> Frames:
        item, answer = frame.data.get("item") or {}, self._answer_of(frame)
        call = self._calls.of(frame)
        if answer is None or call is None:
            if answer is not None:
                answer.put(item)
                self._fillers.keep(frame)
            return (frame,)
        if call.state is not State.MADE:
            return ()
        call.arguments = str(item.get("arguments") or call.arguments)
        if item.get("status") == "incomplete":
            return self._open.close(answer, call, None)
        return self._open.run(answer, call)

    def _spoken(self, frame: Frame) -> Frames:
        if answer := self._answer_of(frame):
            answer.said(str(frame.data.get("transcript") or ""), self._clock())
        return (frame,)

    def _conversation_added(self, frame: Frame) -> Frames:
        """Some servers tell of an item here first."""
        answer = self._open.answer
        if answer is not None and not answer.waits:
            self._calls.note(frame.data.get("item") or {}, answer)
        return self._calls.shown(frame)

    def _done(self, frame: Frame) -> Frames:
        response = frame.data.get("response") or {}
        over = self._fillers.ends(response)
        if self._parts.ended(str(response.get("id"))):
            return ()
        if over:
            return self._open.go_on()
        return self._open.made(frame, response)

    def _speech_started(self, frame: Frame) -> Frames:
        self._fillers.hush()
        answer = self._open.answer
        if answer is None or not self._interrupts or not answer.waits:
            return (frame,)
        return [frame, *self._open.give_up(answer, "turn_detected")]

    def _speech_stopped(self, frame: Frame) -> Frames:
        self._fillers.unhush()
        return (frame,)

    def _answer_of(self, frame: Frame) -> Answer | None:
        response_id = frame.data.get("response_id")
        answer = self._open.answer
        if answer is not None and answer.making == response_id:
            return answer
        return self._parts.of(response_id)

    def _work(self, call: Call, ended: Ended) -> None:
        self._bench.start(call.item_id, call.tool, call.arguments, self._caller(), self, ended)

    def _go_on(self) -> Frames:
        return self._open.go_on()
