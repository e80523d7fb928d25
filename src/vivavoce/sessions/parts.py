"""Responses of the answerer's that clients do not see as such: parts of one that is open already, and those that
nobody is to hear of any more."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from vivavoce.protocol.frame import AUDIO_DELTA, Frame
from vivavoce.sessions.answer import Answer, changed
from vivavoce.sessions.hidden import Hidden
from vivavoce.sessions.saying import Saying

__all__ = ["Parts"]

REMEMBERED = 64
"""Responses that are known as part of another: a track may sound after they are done."""


class Parts:
    """``media``: we play the sound ourselves."""

    def __init__(self, say: Saying, hidden: Hidden, *, media: bool) -> None:
        self._say, self._hidden, self._media = say, hidden, media
        self._parts: OrderedDict[str, Answer] = OrderedDict()
        self._muted: set[str] = set()

    def join(self, response_id: str, answer: Answer) -> None:
        """What comes of this response belongs to the answer."""
        self._parts[response_id] = answer
        if len(self._parts) > REMEMBERED:
            self._parts.popitem(last=False)

    def of(self, response_id: object) -> Answer | None:
        return self._parts.get(str(response_id))

    def mute(self, response_id: str) -> None:
        self._muted.add(response_id)

    def ended(self, response_id: str) -> bool:
        """Whether it was muted, now that it is done."""
        muted = response_id in self._muted
        self._muted.discard(response_id)
        return muted

    def unheard(self, frame: Frame) -> bool:
        """Whether nobody is to be told of this; what was made of such a response is no part of the conversation."""
        if frame.data.get("response_id") not in self._muted or self._sounds(frame):
            return False
        item_id = (frame.data.get("item") or {}).get("id")
        if frame.type == "response.output_item.added" and isinstance(item_id, str) and item_id not in self._hidden:
            self._hidden.hide(item_id)
            self._say("conversation.item.delete", item_id=item_id)
        return True

    def renamed(self, frames: Sequence[Frame]) -> Sequence[Frame]:
        """As parts of the client's response."""
        return [self._renamed(frame) for frame in frames] if self._parts else frames

    def _renamed(self, frame: Frame) -> Frame:
        answer = self.of(frame.data.get("response_id"))
        if answer is None:
            return frame
        named: dict[str, Any] = {"response_id": answer.id}
        if "output_index" in frame.data:
            item_id = frame.data.get("item_id") or (frame.data.get("item") or {}).get("id")
            named["output_index"] = answer.index(str(item_id))
        return changed(frame, **named)

    def _sounds(self, frame: Frame) -> bool:
        """Whether it is for the track, which has to end what it began."""
        return frame.type.startswith("output_audio_buffer.") or (self._media and frame.type == AUDIO_DELTA)
