"""A few words while a tool takes long, so that nobody wonders whether the line is dead.

They are spoken out of band, made of nothing but themselves, and shown inside the answer that waits. So the model never
reads them, and no item of the conversation holds them; what a client asks about such an item is answered here. Nobody
is talked over: a phrase waits until what was said before has sounded and the user is quiet, and the answer waits until
the phrase is made.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import UNSET

from vivavoce.access.filler import Filler
from vivavoce.protocol.frame import Frame
from vivavoce.sessions.answer import Answer
from vivavoce.sessions.bench import Bench
from vivavoce.sessions.persona import Persona
from vivavoce.sessions.saying import Saying
from vivavoce.tools.interface import ServerTool

__all__ = ["Fillers"]

MARK = {"vivavoce": "filler"}
"""``metadata`` of the response; no client sees it."""
_TIMER = "filler"
MAX_KEPT = 32


class Fillers:
    """Those of one session. ``to`` is the filter that reminders go to; ``over`` makes what clients are told when a
    phrase was refused."""

    def __init__(
        self,
        persona: Persona,
        bench: Bench,
        say: Saying,
        to: object,
        over: Callable[[], Sequence[Frame]],
        new_id: Callable[[], str],
    ) -> None:
        self._persona, self._bench, self._say, self._to, self._over = persona, bench, say, to, over
        self._new_id = new_id
        self._clock = asyncio.get_running_loop().time
        self.items: dict[str, Mapping[str, Any]] = {}
        """What was said, as clients know it."""
        self._asked = False
        self._wanted = False
        self._response: str | None = None
        """The response that speaks one just now."""
        self._hushed = False
        """Whether the user is speaking."""
        self._begun: Mapping[str, Any] | None = None
        """The item that clients know of and that is not made yet."""

    @property
    def speaking(self) -> bool:
        """Whether an answer has to wait for a phrase to be made."""
        return self._wanted and (self._asked or self._response is not None)

    def wait(self, answer: Answer, tool: ServerTool) -> None:
        """A tool has begun to run."""
        filler = self._persona.agent.filler if tool.filler is UNSET else tool.filler
        if isinstance(filler, Filler) and answer.response.get("output_modalities") == ["audio"]:
            self._set(answer, filler, filler.wait(answer.fillers))

    def hush(self) -> None:
        self._hushed = True

    def unhush(self) -> None:
        self._hushed = False

    def begins(self, response: Mapping[str, Any]) -> bool:
        """Whether this response out of band is the one that we have asked for. An upstream may forget its mark."""
        if not self._asked or response.get("metadata") not in (None, {}, MARK):
            return False
        self._asked, self._response = False, str(response.get("id"))
        if not self._wanted:
            self._say("response.cancel", response_id=self._response)
        return True

    def keep(self, frame: Frame) -> None:
        """An item has been begun, or made."""
        item = frame.data.get("item") or {}
        if frame.data.get("response_id") == self._response:
            self._begun = item if frame.type == "response.output_item.added" else None
            self.items[str(item.get("id"))] = item
            if len(self.items) > MAX_KEPT:
                del self.items[next(iter(self.items))]

    def ends(self, response: Mapping[str, Any]) -> bool:
        """Whether this was it."""
        if self._response is None or response.get("id") != self._response:
            return False
        self._response = None
        return True

    def broken_off(self, answer: Answer) -> Sequence[Frame]:
        """Of a phrase whose rest nobody hears: the item that clients saw begin also ends, as it is."""
        if self._begun is None:
            return ()
        item, self._begun = {**self._begun, "status": "incomplete"}, None
        answer.put(item)
        done = {"type": "response.output_item.done", "event_id": self._new_id(), "response_id": answer.id}
        return (Frame(done["type"], {**done, "output_index": answer.index(str(item.get("id"))), "item": item}),)

    def give_up(self) -> str | None:
        """The answer waits no more. The response that nobody is to hear the rest of, where there is one."""
        self._bench.cancel(_TIMER)
        if self._wanted and self._response is not None:
            self._say("response.cancel", response_id=self._response)
        self._wanted = False
        return self._response

    def _set(self, answer: Answer, filler: Filler, seconds: float) -> None:
        def due() -> Sequence[Frame]:
            self._due(answer, filler)
            return ()

        self._bench.remind(_TIMER, seconds, self._to, due)

    def _due(self, answer: Answer, filler: Filler) -> None:
        if not answer.running or answer.fillers >= len(filler.phrases) or self.speaking:
            return
        sounds = answer.sounds_until - self._clock()
        if sounds > 0 or self._hushed or not answer.waits:
            self._set(answer, filler, max(sounds, 0.0) + filler.wait(answer.fillers))
            return
        phrase = filler.phrases[answer.fillers].replace('"', "'")
        answer.fillers += 1
        self._asked = self._wanted = True
        words = f'Say exactly "{phrase}" and nothing else.'
        content = [{"type": "input_text", "text": words}]  # some models answer nobody but a user
        response = {
            "conversation": "none",
            "input": [{"type": "message", "role": "user", "content": content}],
            "instructions": words,
            "tool_choice": "none",
            "metadata": MARK,
        }
        self._say("response.create", self._refused, response=response)
        self._set(answer, filler, filler.wait(answer.fillers))

    def _refused(self) -> Sequence[Frame]:
        self._asked = False
        return self._over()
