"""What a session would have to be told, if somebody else had to go on with it now: how it is set up, what was said and
heard, what is being answered, and what was asked and not granted yet. Told by the frames themselves; no I/O.
"""

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from vivavoce.protocol.frame import AUDIO_DELTA, PLAYED, Frame
from vivavoce.sessions.observers.transcript import Transcript
from vivavoce.store.items import END, Item

__all__ = ["ASKED", "ITEMS", "Answering", "Recall"]

ITEMS = 2000
"""Of a session, that are remembered; the oldest go first."""
ASKED = 64
"""Events of clients that may not be granted yet."""

_GRANTS = {
    "session.updated": "session.update",
    "conversation.item.added": "conversation.item.create",
    "response.created": "response.create",
}
_SETTINGS = (
    "type", "output_modalities", "instructions", "tools", "tool_choice", "max_output_tokens", "tracing", "truncation",
    "prompt", "audio", "include",
)  # fmt: skip
"""What of a session object is set, and not told."""


class Answering:
    """A response under way."""

    def __init__(self, response: Mapping[str, Any]) -> None:
        self.response = response
        self.item: Mapping[str, Any] | None = None
        """The item that is being made, and not done yet."""
        self.index = 0
        self.sounds = False
        self.output: list[Mapping[str, Any]] = []

    @property
    def in_conversation(self) -> bool:
        return self.response.get("conversation_id", "") is not None


class Recall:
    """``now`` gives unix seconds. ``tools`` are those that the session begins with, as they were set."""

    def __init__(self, now: Callable[[], float], *, media: bool, tools: Any = None) -> None:
        self._transcript = Transcript(now, media=media)
        self._media = media
        self._items: dict[str, Mapping[str, Any]] = {}
        self._order: list[str] = []
        self.session: Mapping[str, Any] = {}
        """The session object as who answers told it last."""
        self._tools = tools
        """As they were set, with what servers need to be let in."""
        self.answering: dict[str, Answering] = {}
        self.asked: deque[Frame] = deque(maxlen=ASKED)
        """Events that who answers has neither granted nor refused."""
        self.owed = False
        """A turn has ended that is to be answered, and no answer has begun."""
        self.speaking = False
        """The user speaks, or something of what was said is not committed."""
        self.unplayed: dict[str, tuple[str, int]] = {}
        """On a track: items whose sound was not heard to its end, with the response and the milliseconds heard."""

    @property
    def quiet(self) -> bool:
        """Nothing would be lost if somebody else went on now."""
        return not (self.answering or self.unplayed or self.asked or self.owed or self.speaking)

    # What passes ------------------------------------------------------------------------------------

    def sent(self, frame: Frame) -> None:
        if frame.type in _GRANTS.values():
            self.asked.append(frame)
        elif frame.type == PLAYED:
            self._played(frame.data)

    def told(self, frame: Frame) -> None:
        if frame.type == AUDIO_DELTA:
            self._sounds(frame.data)
            self._transcript.told(frame)
            return
        self._learn(frame)
        for item in self._transcript.told(frame):
            self._keep(item)

    def broken_off(self) -> None:
        """Nothing more comes of what was being said: of that, what was heard is an item now."""
        for item in self._transcript.rest():
            self._keep(item)
        self.owed = self.speaking = False

    # What is to be told -----------------------------------------------------------------------------

    def item(self, id: Any) -> Mapping[str, Any]:
        return self._items.get(str(id), {})

    def items(self) -> list[Mapping[str, Any]]:
        """Those of the conversation, in its order."""
        return [self._items[id] for id in self._order]

    def settings(self) -> dict[str, Any]:
        """The session patch that sets up another session like this one."""
        patch = {name: self.session[name] for name in _SETTINGS if self.session.get(name) is not None}
        if self._tools is not None:
            patch["tools"] = self._tools
        return patch

    # ------------------------------------------------------------------------------------------------

    def _learn(self, frame: Frame) -> None:
        data, kind = frame.data, frame.type
        if granted := _GRANTS.get(kind):
            self._granted(granted, data)
        match kind:
            case "session.created" | "session.updated":
                self.session = data.get("session") or {}
            case "error":
                self._refused((data.get("error") or {}).get("event_id"))
            case "output_audio_buffer.stopped" | "output_audio_buffer.cleared":
                self.unplayed.clear()
            case kind if kind.startswith("response."):
                self._answered(kind, data)
            case kind if kind.startswith("input_audio_buffer."):
                self._listened(kind)

    def _answered(self, kind: str, data: Mapping[str, Any]) -> None:
        match kind:
            case "response.created":
                self.owed = False
                response = data.get("response") or {}
                self.answering[str(response.get("id"))] = Answering(response)
            case "response.output_item.added" | "response.output_item.done":
                self._item_of(data, done=kind.endswith("done"))
            case "response.done":
                self.answering.pop(str((data.get("response") or {}).get("id")), None)

    def _listened(self, kind: str) -> None:
        match kind:
            case "input_audio_buffer.speech_started":
                self.speaking = True
            case "input_audio_buffer.committed":
                self.speaking, self.owed = False, self._answers_turns()
            case "input_audio_buffer.cleared" | "input_audio_buffer.timeout_triggered":
                self.speaking = False

    def _granted(self, asked: str, data: Mapping[str, Any]) -> None:
        for frame in self.asked:
            if frame.type == asked and _fits(frame.data.get("item"), data.get("item")):
                self.asked.remove(frame)
                if asked == "session.update":
                    self._tools = (frame.data.get("session") or {}).get("tools", self._tools)
                return

    def _refused(self, event_id: Any) -> None:
        for frame in self.asked:
            if event_id is not None and frame.data.get("event_id") == event_id:
                self.asked.remove(frame)
                return

    def _item_of(self, data: Mapping[str, Any], *, done: bool) -> None:
        if answering := self.answering.get(str(data.get("response_id"))):
            item: Mapping[str, Any] = data.get("item") or {}
            answering.item = None if done else item
            answering.index, answering.sounds = int(data.get("output_index") or 0), False
            if done:
                answering.output.append(item)

    def _sounds(self, data: Mapping[str, Any]) -> None:
        response_id = str(data.get("response_id"))
        if (answering := self.answering.get(response_id)) is not None:
            answering.sounds = True
        if self._media:
            self.unplayed.setdefault(str(data.get("item_id")), (response_id, 0))

    def _played(self, data: Mapping[str, Any]) -> None:
        if data["drained"]:
            self.unplayed.clear()
        elif known := self.unplayed.get(data["item_id"]):
            self.unplayed[data["item_id"]] = (known[0], data["audio_ms"])

    def _answers_turns(self) -> bool:
        hearing = (self.session.get("audio") or {}).get("input") or {}
        detection = hearing.get("turn_detection")
        return isinstance(detection, Mapping) and detection.get("create_response", True) is not False

    def _keep(self, item: Item) -> None:
        if item.place != "conversation":
            self._items.pop(item.id, None)
            self._order = [id for id in self._order if id != item.id]
            return
        if item.id not in self._items:
            self._order.insert(self._place(item.previous), item.id)
        self._items[item.id] = item.item
        for id in self._order[:-ITEMS]:
            del self._items[id]
        del self._order[:-ITEMS]

    def _place(self, previous: str | None) -> int:
        if previous is None:
            return 0
        if previous == END or previous not in self._items:
            return len(self._order)
        return self._order.index(previous) + 1


def _fits(asked: Any, told: Any) -> bool:
    """Whether an item is the one that was asked for, which need not have had an id."""
    if not isinstance(asked, Mapping) or not isinstance(told, Mapping):
        return True
    return asked.get("id") in (None, told.get("id")) and asked.get("type") == told.get("type")
