"""Voices over an answer, before it is known what they are: the answer waits, and nobody is told."""

from vivavoce.protocol.session.commands import RATE
from vivavoce.protocol.session.doubt import INSISTS, INSISTS_ALOUD, Doubt, Outcome
from vivavoce.protocol.session.replies import Replies
from vivavoce.protocol.session.state import Shared
from vivavoce.protocol.session.turn import ONSET

__all__ = ["Overheard"]


class Overheard:
    def __init__(self, shared: Shared, replies: Replies) -> None:
        self._out, self._replies = shared.out, replies
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
        """What only concerns the answer is done; the rest is for who holds the turn."""
        if outcome is Outcome.NOTHING:
            self._replies.floor.hold(on=False)
        return outcome
