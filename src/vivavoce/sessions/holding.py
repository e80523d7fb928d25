"""The answer that is open in a session: which calls run for it, when the model goes on with their results, and how it
ends. One writer of all that, so a client's response begins once and is done once."""

import asyncio
import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from vivavoce.protocol.frame import Frame
from vivavoce.protocol.session.mcp import McpFailure
from vivavoce.sessions.answer import Answer, Call, State
from vivavoce.sessions.asking import AFTERWARDS, Asking
from vivavoce.sessions.bench import Ended
from vivavoce.sessions.calls import Calls
from vivavoce.sessions.fillers import Fillers
from vivavoce.sessions.parts import Parts
from vivavoce.sessions.saying import Saying

__all__ = ["MAX_CALLS", "MAX_ROUNDS", "Holding"]

MAX_ROUNDS = 16
"""How often a model may go on in one response after calls."""
MAX_CALLS = 16
"""Calls of ours in one response; more are told that they were too many."""

Frames = Sequence[Frame]


class Holding:
    """``work`` has a call's tool run, ``stop`` gives up the call of this item. What a method gives is what clients
    are told."""

    def __init__(
        self,
        calls: Calls,
        parts: Parts,
        fillers: Fillers,
        asking: Asking,
        say: Saying,
        work: Callable[[Call, Ended], None],
        stop: Callable[[str], None],
        new_id: Callable[[], str],
    ) -> None:
        self._calls, self._parts, self._fillers, self._asking = calls, parts, fillers, asking
        self._say, self._work, self._stop, self._new_id = say, work, stop, new_id
        self._clock = asyncio.get_running_loop().time
        self.answer: Answer | None = None
        """The response that is open in the conversation."""
        self._unwanted = False
        """Whether a response that we asked for is to be cancelled as soon as it begins."""

    # Responses of whoever answers -------------------------------------------------------------------

    def begins(self, response: Mapping[str, Any]) -> bool:
        """Whether clients see it as a response that begins; else it is part of one, or nobody wants it any more."""
        response_id, answer = str(response.get("id")), self.answer
        if self._unwanted:
            self._unwanted = False
            self._parts.mute(response_id)
            self._say("response.cancel", response_id=response_id)
            return False
        if answer and answer.waits:
            answer.making, answer.asked_on = response_id, False
            self._parts.join(response_id, answer)
            return False
        self.answer = Answer(response, self._asking.taken(), response_id)
        return True

    def made(self, frame: Frame, response: Mapping[str, Any]) -> Frames:
        """``frame`` tells that it is done."""
        answer = self.answer
        if answer is None or answer.making != str(response.get("id")):
            return (frame,)
        answer.made(response)
        if not answer.calls:
            self.answer = None
            return (frame,)
        if response.get("status") != "completed":
            return self._end(answer, str(response.get("status")), response.get("status_details"))
        cut = [call for call in answer.running if call.state is State.MADE]  # its end was never told
        return [*(each for call in cut for each in self.close(answer, call, None)), *self.go_on()]

    # What becomes of calls --------------------------------------------------------------------------

    def run(self, answer: Answer, call: Call) -> Frames:
        """Its arguments are complete."""
        if len(answer.calls) > MAX_CALLS:
            too_many = McpFailure("tool_execution_error", f"There are more than {MAX_CALLS} calls in this answer.")
            return self.close(answer, call, too_many)
        self._work(call, partial(self._result, answer, call))
        self._fillers.wait(answer, call.tool)
        return self._calls.runs(answer, call)

    def close(self, answer: Answer, call: Call, result: str | McpFailure | None) -> Frames:
        """With this result; None is a call that was cut."""
        self._asking.given(math.inf)
        return self._calls.ended(answer, call, result)

    def _result(self, answer: Answer, call: Call, result: str | McpFailure) -> Frames:
        if call.state is State.ENDED:  # given up at the same moment
            return ()
        return [*self.close(answer, call, result), *self.go_on()]

    # How it goes on, and ends -----------------------------------------------------------------------

    def go_on(self) -> Frames:
        """If nothing is waited for any more: let the model go on with the results, or end the answer."""
        answer = self.answer
        if answer is None or not answer.waits or answer.asked_on or answer.running or self._fillers.speaking:
            return ()
        due = answer.due
        self._calls.give(due)
        if answer.others or not due:
            return self._end(answer, "completed", None)
        answer.rounds += 1
        answer.asked_on = True
        again = self._asking.again(answer, choose=answer.rounds < MAX_ROUNDS)
        self._say("response.create", partial(self._not_taken, answer), response=again)
        return ()

    def give_up(self, answer: Answer, reason: str) -> Frames:
        """A client, or a user who goes on, wants nothing more of an answer that waits."""
        if self.answer is not answer or not answer.waits:
            return ()
        self._unwanted = answer.asked_on
        return self._end(answer, "cancelled", {"type": "cancelled", "reason": reason})

    def _not_taken(self, answer: Answer) -> Frames:
        """Whoever answers does not go on: what there is, is the answer."""
        self._unwanted = False
        return self._end(answer, "completed", None)

    def _end(self, answer: Answer, status: str, details: Any) -> Frames:
        """The client's response is done; what still runs for it is given up."""
        if self.answer is not answer:
            return ()
        self.answer = None
        frames: list[Frame] = []
        if unheard := self._fillers.give_up():
            self._parts.mute(unheard)
            frames += self._fillers.broken_off(answer)
        for call in answer.running:
            self._stop(call.item_id)
            frames += self.close(answer, call, None)
        self._calls.give(answer.due)
        self._asking.latest = answer.response
        self._asking.given(self._clock() + AFTERWARDS)
        done = {"type": "response.done", "event_id": self._new_id(), "response": answer.done(status, details)}
        return [*frames, Frame("response.done", done)]
