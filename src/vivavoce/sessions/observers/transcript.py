"""What is said in a session, as its events tell it: each item as soon as it is finished, with when it was said and the
words of it that were heard. Of an answer that is still being given, what has been said up to its last sentence.

It does no I/O: an event goes in, and items that are to be written come out, whole, as they are now.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from vivavoce.access.agents import at
from vivavoce.protocol.frame import GAP, Frame
from vivavoce.protocol.session.commands import RATE
from vivavoce.sessions.observers.noted import Noted
from vivavoce.sessions.observers.remembered import Remembered
from vivavoce.store.items import END, Item

__all__ = ["TOLD", "Transcript"]

SENTENCE_ENDS: Final = frozenset(".!?…:;\n。！？؟।")
_AUDIO: Final = "input_audio_buffer."
_WORDS: Final = "conversation.item.input_audio_transcription."
_HERTZ: Final = {"audio/pcm": RATE * 2, "audio/pcmu": 8000, "audio/pcma": 8000}
"""Bytes a second."""

Data = Mapping[str, Any]


class Transcript:
    """``now`` gives unix seconds. ``media``: the client is a track, whose sound is 24 kHz PCM in any case."""

    def __init__(self, now: Callable[[], float], *, media: bool) -> None:
        self._now, self._media = now, media
        self._items = Remembered()
        self._outside: set[str] = set()
        """Responses that are no part of the conversation and not done yet."""
        self._began: dict[str, tuple[float, Any]] = {}
        """Of a user's item that is none yet: when its speaker began, and where in the audio, in milliseconds."""
        self._gaps = 0
        self._bytes_a_second = RATE * 2

    def told(self, frame: Frame) -> list[Item]:
        """What it tells of, to be written."""
        if note := TOLD.get(frame.type):
            note(self, frame.data)
        return self._items.take()

    def rest(self) -> list[Item]:
        """The session is over: what was begun is written as far as it came. On a track no more was heard of it than
        there was time for."""
        now = self._now()
        for noted in self._items:
            if not noted.finished and noted.spoken:
                noted.item = {"type": "message", "role": "assistant", **noted.item, "status": "incomplete"}
                self._items.changed(noted)
            if self._media and noted.sounds_at(now):
                noted.cuts.setdefault(0, round((now - noted.said_at) * 1000))
                self._items.changed(noted)
        return self._items.take()

    # Items ----------------------------------------------------------------------------------------------

    def _noted(self, id: Any) -> Noted:
        """What is told without saying of which item is of none."""
        if not isinstance(id, str):
            return Noted("", self._now())
        known = self._items.get(id)
        return known or self._items.begin(id, self._began.get(id, (self._now(), None))[0])

    def _become(self, item: Any) -> Noted | None:
        if not isinstance(item, Mapping) or not item.get("id"):
            return None
        noted = self._noted(item["id"])
        noted.item = item
        if noted.finished:
            self._items.changed(noted)
        return noted

    def _in_conversation(self, data: Data) -> None:
        if noted := self._become(data.get("item")):
            noted.place = "conversation"
            previous = data.get("previous_item_id", END)
            noted.previous = previous if previous is None else str(previous)
            self._began.pop(noted.id, None)

    def _made(self, data: Data) -> None:
        """By an answer; where it is one in the conversation, that is told of the item besides."""
        if noted := self._become(data.get("item")):
            noted.response = str(data.get("response_id"))
            if noted.response not in self._outside:
                noted.place = noted.place or "conversation"

    def _retrieved(self, data: Data) -> None:
        """News only of an item that was never told of: what is known of others is at least as good."""
        item = data.get("item")
        if isinstance(item, Mapping) and self._items.get(item.get("id")) is None and item.get("type") == "message":
            self._in_conversation({"item": item})

    def _gone(self, data: Data) -> None:
        """A client has taken it out of the conversation."""
        noted = self._noted(data.get("item_id"))
        noted.place = "deleted"
        self._items.changed(noted)

    # What a user says -----------------------------------------------------------------------------------

    def _speech_started(self, data: Data) -> None:
        self._began = {str(data.get("item_id")): (self._now(), data.get("audio_start_ms"))}

    def _speech_stopped(self, data: Data) -> None:
        id = str(data.get("item_id"))
        at, start = self._began.get(id, (self._now(), data.get("audio_start_ms")))
        end = data.get("audio_end_ms")
        noted = self._noted(id)
        noted.said_at, noted.began = at, True
        if isinstance(start, int) and isinstance(end, int):
            noted.ms = max(0, end - start)

    def _committed(self, data: Data) -> None:
        """What a speaker said while nobody listened for the end of it began unheard."""
        self._noted(data.get("item_id"))

    def _understood(self, data: Data) -> None:
        self._heard_user(data).understood[_index(data)] = str(data.get("transcript") or "")

    def _segment(self, data: Data) -> None:
        speaker, text = data.get("speaker"), str(data.get("text") or "").strip()
        self._heard_user(data).segments.append(f"{speaker}: {text}" if speaker else text)

    def _heard_user(self, data: Data) -> Noted:
        noted = self._noted(data.get("item_id"))
        if not noted.item:  # its own events were missed
            content = [{"type": "input_audio", "transcript": None}]
            noted.item = {"id": noted.id, "object": "realtime.item", "type": "message", "role": "user"}
            noted.item = {**noted.item, "status": "completed", "content": content}
            noted.place = noted.place or "conversation"
        self._items.changed(noted)
        return noted

    # What is answered -----------------------------------------------------------------------------------

    def _answer_begins(self, data: Data) -> None:
        response = _inner(data, "response")
        if response.get("conversation_id", "") is None:
            self._outside.add(str(response.get("id")))

    def _words_spoken(self, data: Data) -> None:
        self._words(data, "output_audio")

    def _words_written(self, data: Data) -> None:
        self._words(data, "output_text")

    def _words(self, data: Data, type: str) -> None:
        noted, delta = self._noted(data.get("item_id")), str(data.get("delta") or "")
        noted.part(_index(data), type).add_words(delta)
        if noted.item and not SENTENCE_ENDS.isdisjoint(delta):
            self._items.changed(noted)

    def sound(self, frame: Frame) -> None:
        """The same for an audio delta, of which there are fifty a second: nothing is to be written."""
        noted = self._noted(frame.data.get("item_id"))
        if not noted.began:
            noted.said_at, noted.began = self._now(), True
        length = len(frame.audio or b"") * RATE // self._bytes_a_second
        noted.part(_index(frame.data), "output_audio").samples += length

    def _sound_begins(self, data: Data) -> None:
        """On a track, which plays later than the sound is made."""
        if noted := self._spoken_in(data):
            noted.said_at, noted.began, noted.sounding = self._now(), True, True

    def _sound_ends(self, data: Data) -> None:
        noted = self._spoken_in(data)
        if noted is None:
            return
        noted.sounding = False
        if noted.began:
            noted.ms = round((self._now() - noted.said_at) * 1000)
        if noted.finished:
            self._items.changed(noted)

    def _spoken_in(self, data: Data) -> Noted | None:
        """The item that a response speaks; a track tells of responses."""
        response = str(data.get("response_id"))
        return next((noted for noted in self._items if noted.response == response and noted.spoken), None)

    def _truncated(self, data: Data) -> None:
        ms = data.get("audio_end_ms")
        noted = self._items.get(data.get("item_id"))
        if noted is not None and isinstance(ms, int):
            noted.cuts[_index(data)] = max(0, ms)
            self._items.changed(noted)

    def _answered(self, data: Data) -> None:
        """Whatever of it was not told by itself."""
        response = _inner(data, "response")
        id, output = str(response.get("id")), response.get("output")
        for item in output if isinstance(output, list) else ():
            known = self._items.get(item.get("id")) if isinstance(item, Mapping) else None
            if known is None or not known.finished:
                self._made({"item": item, "response_id": id})
        self._outside.discard(id)

    # The rest -------------------------------------------------------------------------------------------

    def _session(self, data: Data) -> None:
        if not self._media:
            self._bytes_a_second = _HERTZ.get(str(at(data, "session.audio.output.format.type")), RATE * 2)

    def _gap(self, data: Data) -> None:
        """Nobody here knows what was said in it."""
        self._gaps += 1
        noted = self._noted(f"gap_{self._now():.3f}_{self._gaps}")
        noted.item, noted.place = {"type": GAP, "seconds": data.get("seconds")}, "outside"
        self._items.changed(noted)


TOLD: Final[Mapping[str, Callable[[Transcript, Data], None]]] = {
    "session.created": Transcript._session,
    "session.updated": Transcript._session,
    f"{_AUDIO}speech_started": Transcript._speech_started,
    f"{_AUDIO}speech_stopped": Transcript._speech_stopped,
    f"{_AUDIO}timeout_triggered": Transcript._speech_stopped,
    f"{_AUDIO}committed": Transcript._committed,
    "conversation.item.added": Transcript._in_conversation,
    "conversation.item.done": Transcript._in_conversation,
    "conversation.item.truncated": Transcript._truncated,
    "conversation.item.deleted": Transcript._gone,
    "conversation.item.retrieved": Transcript._retrieved,
    f"{_WORDS}completed": Transcript._understood,
    f"{_WORDS}segment": Transcript._segment,
    "response.created": Transcript._answer_begins,
    "response.output_item.added": Transcript._made,
    "response.output_item.done": Transcript._made,
    "response.output_audio_transcript.delta": Transcript._words_spoken,
    "response.output_text.delta": Transcript._words_written,
    "output_audio_buffer.started": Transcript._sound_begins,
    "output_audio_buffer.stopped": Transcript._sound_ends,
    "output_audio_buffer.cleared": Transcript._sound_ends,
    "response.done": Transcript._answered,
    GAP: Transcript._gap,
}


def _inner(data: Data, key: str) -> Data:
    value = data.get(key)
    return value if isinstance(value, Mapping) else {}


def _index(data: Data) -> int:
    index = data.get("content_index")
    return index if isinstance(index, int) else 0
