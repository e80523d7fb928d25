"""Voices over an answer, before it is known what they are: what is asked of the driver, and told of to nobody."""

from collections.abc import Callable

from vivavoce.protocol.session.commands import RATE, Doubted, Span, WentOn
from vivavoce.protocol.session.doubt import INSISTS, INSISTS_ALOUD, Doubt, Outcome
from vivavoce.protocol.session.replies import Replies
from vivavoce.protocol.session.state import Shared
from vivavoce.protocol.session.turn import ONSET

__all__ = ["Overheard"]


class Overheard:
    """``span(since)`` is the input from before a voice that began there up to what was heard."""

    def __init__(self, shared: Shared, replies: Replies, span: Callable[[int], Span]) -> None:
        self._out, self._replies, self._span = shared.out, replies, span
        self._doubt = Doubt(INSISTS if shared.media else INSISTS_ALOUD)
        self._echo = (0, -RATE)
        """The latest voice that was taken for one, from where to where."""

    @property
    def active(self) -> bool:
        """Whether there is one to be doubted."""
        return self._doubt.active

    @property
    def since(self) -> int:
        return self._doubt.since

    @property
    def item_id(self) -> str:
        """Of the turn that it will be, should it be one."""
        return self._doubt.item_id

    def takes(self, since: int, end: int, when: float) -> bool:
        """Whether the voice from ``since`` to ``end``, which began at that time, is to be doubted or no voice at all;
        else it begins a turn."""
        if not self._replies.doubtful:
            return False
        first, last = self._echo
        began = first if since - last <= ONSET else since  # who speaks on after it is heard from the beginning
        if self._replies.floor.echoes(when):
            self._echo = (began, end)
        else:
            self._doubt.begin(self._out.ids("item"), began, end - since)
            self._replies.floor.hold(on=True)
        return True

    def hear(self, samples: int, *, voiced: bool) -> Outcome | None:
        """The next window."""
        return self._settled(self._doubt.hear(samples, voiced=voiced))

    def judged(self, item_id: str, *, wants_floor: bool, echo: bool) -> Outcome | None:
        """An opinion on :class:`Doubted`; None where it comes too late."""
        outcome = self._doubt.judged(item_id, wants_floor=wants_floor)
        if outcome is Outcome.NOTHING and echo:
            self._replies.floor.echoed()
        return self._settled(outcome)

    def drop(self) -> Outcome | None:
        """Nothing more is heard of it."""
        return self._settled(self._doubt.drop())

    def _settled(self, outcome: Outcome | None) -> Outcome | None:
        """What only concerns us is done; the rest is for who holds the turn."""
        match outcome:
            case Outcome.ASK:
                self._out.command(Doubted(self.item_id, self._span(self.since)))
            case Outcome.SPOKE_ON:
                self._out.command(WentOn(self.item_id, self._span(self.since).end))
            case Outcome.NOTHING:
                self._replies.floor.hold(on=False)
        return outcome
