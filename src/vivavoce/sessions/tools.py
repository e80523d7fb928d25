"""The server's tools in a session, on the stream of events and so with every backend.

Whoever answers is given them as functions. Clients see no call of such a function, since official SDKs answer a call
that they do not know themselves: they see an ``mcp_call``, and the response in which it stands stays open until the
model has made something of the result. One response and not two, since that is how the guide shows MCP (O-57), and
since a client may take a response that is done for the end of the turn, and ask for the next one at once; see
``asking.py`` for the SDK that does.

    function_call done ──▶ the tool runs ──▶ its output, response.create ──▶ … ──▶ response.done, once, for all of it
"""

import asyncio
import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from vivavoce.protocol.frame import APPEND, Frame
from vivavoce.protocol.session.mcp import McpFailure
from vivavoce.sessions.answer import Answer, Call, State, changed
from vivavoce.sessions.asking import AFTERWARDS, Asking
from vivavoce.sessions.bench import Bench
from vivavoce.sessions.calls import Calls
from vivavoce.sessions.fillers import Fillers
from vivavoce.sessions.filters import Asides, Filter, News
from vivavoce.sessions.hidden import Hidden
from vivavoce.sessions.parts import Parts
from vivavoce.sessions.persona import Persona
from vivavoce.sessions.saying import Saying
from vivavoce.tools.interface import Caller

__all__ = ["MAX_CALLS", "MAX_ROUNDS", "Tools"]

MAX_ROUNDS = 16
"""How often a model may go on in one response after calls."""
MAX_CALLS = 16
"""Calls of ours in one response; more are told that they were too many."""

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
        self._persona, self._caller, self._bench = persona, caller, bench
        self._asides, self._new_id = asides, new_id
        self._clock = asyncio.get_running_loop().time
        self._answer: Answer | None = None
        """The response that is open in the conversation."""
        self._unwanted = False
        """Whether a response that we asked for is to be cancelled as soon as it begins."""
        self._calls, self._hidden, self._say = Calls(persona, new_id), Hidden(), Saying(asides, new_id)
        self._parts = Parts(self._say, self._hidden, media=media)
        self._interrupts = True
        self._fillers = Fillers(persona, bench, self._say, self, self._go_on)
        self._asking = Asking(
            persona, self._calls, self._fillers, hear=partial(asides.hear, self), say=self._say, new_id=new_id
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
        return self._asking.judge(frame, self._answer)

    def _cancel(self, frame: Frame) -> Frames:
        """What is under way is cancelled by whoever answers; what only waits for a tool, here."""
        answer, wanted = self._answer, frame.data.get("response_id")
        if answer is None or wanted not in (None, answer.id):
            return (frame,)
        if answer.waits:
            self._asides.hear(self, lambda: self._given_up(answer, "client_cancelled"))
            return ()
        return (changed(frame, response_id=answer.making) if wanted else frame,)

    # What whoever answers tells ---------------------------------------------------------------------

    def outward(self, frame: Frame) -> Frames:
        if isinstance(frame, News):
            return frame.make() if frame.to is self else (frame,)
        if frame.type == "error":
            return self._error(frame)
        self._calls.hide_output(frame, self._hidden)
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
        response_id, answer = str(response.get("id")), self._answer
        if response.get("conversation_id", "") is None:
            if not self._fillers.begins(response):
                return (frame,)
            if answer and self._fillers.speaking:
                self._parts.join(response_id, answer)
            else:
                self._parts.mute(response_id)
            return ()
        if self._unwanted:
            self._unwanted = False
            self._parts.mute(response_id)
            self._say("response.cancel", response_id=response_id)
            return ()
        if answer and answer.waits:
            answer.making, answer.asked_on = response_id, False
            self._parts.join(response_id, answer)
            return ()
        self._answer = Answer(response, self._asking.taken(), response_id)
        return (frame,)

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
            return self._closed(answer, call, None)
        return self._run(answer, call)

    def _spoken(self, frame: Frame) -> Frames:
        if answer := self._answer_of(frame):
            answer.said(str(frame.data.get("transcript") or ""), self._clock())
        return (frame,)

    def _conversation_added(self, frame: Frame) -> Frames:
        """Some servers tell of an item here first."""
        answer = self._answer
        if answer is not None and not answer.waits:
            self._calls.note(frame.data.get("item") or {}, answer)
        return self._calls.shown(frame)

    def _done(self, frame: Frame) -> Frames:
        response = frame.data.get("response") or {}
        response_id = str(response.get("id"))
        over = self._fillers.ends(response)
        if self._parts.ended(response_id):
            return ()
        if over:
            return self._go_on()
        answer = self._answer
        if answer is None or answer.making != response_id:
            return (frame,)
        answer.made(response)
        if not answer.calls:
            self._answer = None
            return (frame,)
        if response.get("status") != "completed":
            return self._end(answer, str(response.get("status")), response.get("status_details"))
        cut = [call for call in answer.running if call.state is State.MADE]  # its end was never told
        return [*(each for call in cut for each in self._closed(answer, call, None)), *self._go_on()]

    # What becomes of calls --------------------------------------------------------------------------

    def _run(self, answer: Answer, call: Call) -> Frames:
        if len(answer.calls) > MAX_CALLS:
            too_many = McpFailure("tool_execution_error", f"There are more than {MAX_CALLS} calls in this answer.")
            return self._closed(answer, call, too_many)
        ended = partial(self._result, answer, call)
        self._bench.start(call.item_id, call.tool, call.arguments, self._caller(), self, ended)
        self._fillers.wait(answer, call.tool)
        return self._calls.runs(answer, call)

    def _result(self, answer: Answer, call: Call, result: str | McpFailure) -> Frames:
        if call.state is State.ENDED:  # given up at the same moment
            return ()
        return [*self._closed(answer, call, result), *self._go_on()]

    def _closed(self, answer: Answer, call: Call, result: str | McpFailure | None) -> Frames:
        self._asking.given(math.inf)
        return self._calls.ended(answer, call, result)

    def _go_on(self) -> Frames:
        """If nothing is waited for any more: let the model go on with the results, or end the answer."""
        answer = self._answer
        if answer is None or not answer.waits or answer.asked_on or answer.running or self._fillers.speaking:
            return ()
        due = answer.due
        self._give(due)
        if answer.others or not due:
            return self._end(answer, "completed", None)
        answer.rounds += 1
        answer.asked_on = True
        again = self._asking.again(answer, choose=answer.rounds < MAX_ROUNDS)
        self._say("response.create", partial(self._not_taken, answer), response=again)
        return ()

    def _not_taken(self, answer: Answer) -> Frames:
        """Whoever answers does not go on: what there is, is the answer."""
        self._unwanted = False
        return self._end(answer, "completed", None)

    def _give(self, calls: Sequence[Call]) -> None:
        """The results, each behind its call."""
        for call in calls:
            call.output_id = f"result_{self._new_id().removeprefix('event_')}"[:32]
            self._hidden.hide(call.output_id, behind=call.item_id)
            item = {"id": call.output_id, "type": "function_call_output", "call_id": call.call_id}
            item["output"] = call.output()
            self._say("conversation.item.create", previous_item_id=call.item_id, item=item)

    def _end(self, answer: Answer, status: str, details: Any) -> Frames:
        """The client's response is done; what still runs for it is given up."""
        if self._answer is not answer:
            return ()
        self._answer = None
        frames: list[Frame] = []
        if unheard := self._fillers.give_up():
            self._parts.mute(unheard)
            frames += self._broken_off(answer)
        for call in answer.running:
            self._bench.cancel(call.item_id)
            frames += self._closed(answer, call, None)
        self._give(answer.due)
        self._asking.latest = answer.response
        self._asking.given(self._clock() + AFTERWARDS)
        done = {"type": "response.done", "event_id": self._new_id(), "response": answer.done(status, details)}
        return [*frames, Frame("response.done", done)]

    def _broken_off(self, answer: Answer) -> Frames:
        """Of a phrase whose rest nobody hears: each item that was begun also ends."""
        item = self._fillers.broken_off()
        if item is None:
            return ()
        answer.put(item)
        done = {"type": "response.output_item.done", "event_id": self._new_id(), "response_id": answer.id}
        return (Frame(done["type"], {**done, "output_index": answer.index(str(item.get("id"))), "item": item}),)

    def _given_up(self, answer: Answer, reason: str) -> Frames:
        """A client, or a user who goes on, wants nothing more of an answer that waits."""
        if self._answer is not answer or not answer.waits:
            return ()
        self._unwanted = answer.asked_on
        return self._end(answer, "cancelled", {"type": "cancelled", "reason": reason})

    def _speech_started(self, frame: Frame) -> Frames:
        self._fillers.hush()
        answer = self._answer
        if answer is None or not self._interrupts or not answer.waits:
            return (frame,)
        return [frame, *self._given_up(answer, "turn_detected")]

    def _speech_stopped(self, frame: Frame) -> Frames:
        self._fillers.unhush()
        return (frame,)

    # ------------------------------------------------------------------------------------------------

    def _answer_of(self, frame: Frame) -> Answer | None:
        response_id = frame.data.get("response_id")
        if self._answer is not None and self._answer.making == response_id:
            return self._answer
        return self._parts.of(response_id)
