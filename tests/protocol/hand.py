"""A hand on a session of the core: tell it something, and see what follows from that.

Ids are counted (``item_1``, ``resp_1``, …) and so is time. Every event that comes out is held against the
official types on the way.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any, TypeVar

from tests.support.official import check_event, on_the_wire
from vivavoce.protocol.frame import Frame
from vivavoce.protocol.session import Session
from vivavoce.protocol.session.commands import RATE, Command
from vivavoce.protocol.session.config import Config, Defaults, Settings, defaults
from vivavoce.protocol.session.parts import Part
from vivavoce.protocol.session.transcription import Heard, HeardFailed

__all__ = ["WINDOW", "Hand", "Told", "counted_ids"]

WINDOW = 768
"""Samples of one window of voice activity: 32 ms at 24 kHz."""

C = TypeVar("C")


class Told(list[Frame | Command]):
    """What came out, in order."""

    @property
    def names(self) -> list[str]:
        """Types of events, and class names of commands."""
        return [each.type if isinstance(each, Frame) else type(each).__name__ for each in self]

    @property
    def types(self) -> list[str]:
        """Types of the events alone."""
        return [each.type for each in self if isinstance(each, Frame)]

    @property
    def events(self) -> list[dict[str, Any]]:
        return [on_the_wire(each) for each in self if isinstance(each, Frame)]

    def all(self, type: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["type"] == type]

    def one(self, type: str) -> dict[str, Any]:
        (event,) = self.all(type)
        return event

    def commands(self, kind: type[C]) -> list[C]:
        return [each for each in self if isinstance(each, kind)]

    def command(self, kind: type[C]) -> C:
        (command,) = self.commands(kind)
        return command

    @property
    def error(self) -> dict[str, Any]:
        """The one error there is, and nothing but it."""
        assert self.names == ["error"], self.names
        return dict(self.events[0]["error"])

    @property
    def refusal(self) -> tuple[str | None, str | None]:
        """Code and param of the one error."""
        return self.error["code"], self.error["param"]


def counted_ids() -> Any:
    count: Counter[str] = Counter()

    def ids(prefix: str) -> str:
        count[prefix] += 1
        return f"{prefix}_{count[prefix]}"

    return ids


class Hand:
    def __init__(
        self,
        *,
        media: bool = False,
        kind: str = "realtime",
        config: Config | None = None,
        limits: bool = False,
        forgiving: bool = False,
        **session: Any,
    ) -> None:
        """``session``: an update that is sent at once; what it tells is dropped, as ``session.created`` is."""
        self.now = 0.0
        self.kind, self.media = kind, media
        self.position = 0
        self.session = Session(
            self.now,
            Settings("sess_1", "gpt-realtime", 3600, tells_limits=limits),
            config or defaults(kind, Defaults()),
            counted_ids(),
            media=media,
            forgiving=forgiving,
        )
        self.created = self.told()
        if session:
            assert self.update(**session).types == ["session.updated"]

    def told(self) -> Told:
        told = Told(self.session.drain())
        for event in told.events:
            check_event(event)
        return told

    # What a client does -----------------------------------------------------------------------------

    def say(self, type: str, **fields: Any) -> Told:
        return self.tell({"type": type, **fields})

    def tell(self, event: Mapping[str, Any]) -> Told:
        """Any event, right or wrong."""
        self.session.client(self.now, event)
        return self.told()

    def update(self, **session: Any) -> Told:
        return self.say("session.update", session={"type": self.kind, **session})

    def hearing(self, **settings: Any) -> Told:
        """An update of ``session.audio.input``."""
        return self.update(audio={"input": settings})

    def create(self, text: str, role: str = "user", **fields: Any) -> Told:
        kind = "output_text" if role == "assistant" else "input_text"
        item = {"type": "message", "role": role, "content": [{"type": kind, "text": text}]}
        if "id" in fields:
            item["id"] = fields.pop("id")
        return self.say("conversation.item.create", item=item, **fields)

    def respond(self, **response: Any) -> Told:
        return self.say("response.create", response=response) if response else self.say("response.create")

    # What is heard ----------------------------------------------------------------------------------

    def audio(self, ms: float) -> Told:
        """Input that says nothing of speech in it."""
        return self._hear(round(ms * RATE / 1000))

    def voice(self, ms: float) -> Told:
        return self._windows(ms, 1.0)

    def silence(self, ms: float) -> Told:
        return self._windows(ms, 0.0)

    def turn(self) -> Told:
        """A spoken turn of half a second and the silence that ends it."""
        return Told([*self.voice(512), *self.silence(224)])

    def wait(self, seconds: float) -> Told:
        """Nothing comes in; the driver ticks when the session asked for it, as often as it asks."""
        until = self.now + seconds
        while (deadline := self.session.deadline()) <= until and deadline > self.now:
            self._tick(deadline)
        self._tick(until)
        return self.told()

    # What the models do -----------------------------------------------------------------------------

    def model(self, response_id: str, *parts: Part) -> Told:
        for part in parts:
            self.session.model(self.now, response_id, part)
        return self.told()

    def heard(self, item_id: str, text: str) -> Told:
        self.session.transcript(item_id, Heard(text))
        return self.told()

    def sure(self, item_id: str, words: str) -> Told:
        """Recognition is sure of the first words."""
        self.session.transcript_begins(item_id, words)
        return self.told()

    def unheard(self, item_id: str, message: str) -> Told:
        self.session.transcript(item_id, HeardFailed(message))
        return self.told()

    def judged(self, item_id: str, *, wants_floor: bool, echo: bool = False) -> Told:
        self.session.judged(item_id, wants_floor=wants_floor, echo=echo)
        return self.told()

    def played(self, item_id: str, ms: int, *, drained: bool = False) -> Told:
        self.session.played(self.now, item_id, ms, drained=drained)
        return self.told()

    # ------------------------------------------------------------------------------------------------

    def _hear(self, samples: int) -> Told:
        self.now += samples / RATE
        self.position += samples
        self.session.audio(self.now, samples)
        return self.told()

    def _windows(self, ms: float, probability: float) -> Told:
        told = Told()
        for _ in range(round(ms * RATE / 1000 / WINDOW)):
            told += self._hear(WINDOW)
            self.session.speech(self.position, probability)
            told += self.told()
        return told

    def _tick(self, at: float) -> None:
        self.now = at
        self.session.tick(at)
