"""Tells where the time of each turn went, as a notice ``turn``: see ``engine/budget.py``.

Our own engine says it itself, in a TURN frame. Of an upstream only its events are known: when it said that the speaker
had stopped, which is the silence it was set to after the last sound, and when its words and its sound came.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from vivavoce.engine.budget import Budget
from vivavoce.protocol.frame import AUDIO_DELTA, TURN, Frame
from vivavoce.sessions.filters import Observer
from vivavoce.sessions.notices import Notices

__all__ = ["Turns"]

_WORDS = "response.output_audio_transcript.delta"


class Turns(Observer):
    """``now`` is in seconds of any monotonic clock; ``told``: TURN frames come, and nothing has to be made out."""

    def __init__(self, notices: Notices, now: Callable[[], float], *, told: bool) -> None:
        self._notices, self._now, self._told = notices, now, told
        self._silence = 0.0
        """Seconds that the speaker is silent before the turn counts as over, where that is known."""
        self._budget: Budget | None = None
        self._sounded = False

    def sees(self, type: str) -> bool:
        return type in _TOLD

    def told(self, frame: Frame) -> None:
        _TOLD[frame.type](self, frame.data)

    def _turn(self, data: Mapping[str, Any]) -> None:
        self._notices.tell("turn", **{name: value for name, value in data.items() if name != "type"})

    def _configured(self, data: Mapping[str, Any]) -> None:
        detection = _at(data, "session", "audio", "input", "turn_detection")
        silence = detection.get("silence_duration_ms")
        self._silence = silence / 1000 if isinstance(silence, int) else 0.0

    def _stopped(self, data: Mapping[str, Any]) -> None:
        if self._told:
            return
        now = self._now()
        self._budget, self._sounded = Budget(str(data.get("item_id")), now - self._silence), False
        self._budget.mark("decided", now)

    def _recognised(self, data: Mapping[str, Any]) -> None:
        if self._budget is not None and self._budget.item_id == data.get("item_id") and not self._sounded:
            self._budget.mark("recognised", self._now())

    def _answering(self, data: Mapping[str, Any]) -> None:
        if self._budget is not None and not self._budget.response_id:
            self._budget.response_id = str(_at(data, "response").get("id"))

    def _words(self, data: Mapping[str, Any]) -> None:
        if self._budget is not None and self._budget.response_id == data.get("response_id"):
            self._budget.mark_first("first_token", self._now())

    def _sound(self, data: Mapping[str, Any]) -> None:
        if self._budget is not None and not self._sounded and self._budget.response_id == data.get("response_id"):
            self._sounded = True
            self._budget.mark("first_audio", self._now())
            self._budget.mark("first_packet", self._now())

    def _done(self, data: Mapping[str, Any]) -> None:
        budget = self._budget
        if budget is not None and budget.response_id == _at(data, "response").get("id"):
            self._budget = None
            if self._sounded:
                self._notices.tell("turn", **budget.told({}))


_TOLD: Final[Mapping[str, Callable[[Turns, Mapping[str, Any]], None]]] = {
    TURN: Turns._turn,
    "session.created": Turns._configured,
    "session.updated": Turns._configured,
    "input_audio_buffer.speech_stopped": Turns._stopped,
    "conversation.item.input_audio_transcription.completed": Turns._recognised,
    "response.created": Turns._answering,
    _WORDS: Turns._words,
    AUDIO_DELTA: Turns._sound,
    "response.done": Turns._done,
}


def _at(data: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    """The object there; empty where there is none."""
    for key in path:
        found = data.get(key)
        data = found if isinstance(found, Mapping) else {}
    return data
