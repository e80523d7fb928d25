"""Takes the time of each turn of one session, and tells it in a TURN frame when the first sound is on its way."""

from collections.abc import Callable
from dataclasses import asdict

from vivavoce.engine.budget import Budget
from vivavoce.engine.made import Discarded, Made
from vivavoce.protocol.frame import AUDIO_DELTA, TURN, Frame
from vivavoce.protocol.session.commands import Start, Transcribe

__all__ = ["Stopwatch"]

PACKET_MS = 20
"""Of a media track: a report that so much was played comes when the last packet of it leaves."""


class Stopwatch:
    """``now`` is the clock of all times; ``discarded`` counts anew with each call; ``tell`` takes the frame."""

    def __init__(
        self,
        now: Callable[[], float],
        discarded: Callable[[], Discarded],
        tell: Callable[[Frame], None],
        *,
        media: bool,
    ) -> None:
        self._now, self._discarded, self._tell, self._media = now, discarded, tell, media
        self._budget: Budget | None = None
        self._made = Made()
        self._playing = ""
        """The item that the answer begins with, on its way to a track."""

    @property
    def running(self) -> bool:
        return self._budget is not None

    def turn(self, command: Transcribe) -> None:
        """A turn is over."""
        now = self._now()
        self._budget = Budget(command.item_id, now if command.silent_since is None else command.silent_since)
        self._budget.mark("decided", now)
        self._made, self._playing = Made(), ""

    def recognised(self, item_id: str, at: float) -> None:
        if self._budget is not None and self._budget.item_id == item_id:
            self._budget.mark("recognised", at)

    def answer(self, command: Start) -> None:
        """An answer begins; the one to this turn is taken the time of."""
        items = command.context.items
        if self._budget is not None and items and items[-1].id == self._budget.item_id:
            self._budget.response_id = command.response_id

    def making(self, response_id: str, made: Made) -> None:
        if self._budget is not None and self._budget.response_id == response_id:
            self._made = made

    def sent(self, frame: Frame) -> None:
        """On its way: to a client that plays by itself it is the sound, to a track only what waits to be played."""
        if self._budget is None or frame.type != AUDIO_DELTA or frame.data["response_id"] != self._budget.response_id:
            return
        if self._media:
            self._playing = self._playing or frame.data["item_id"]
        else:
            self._stop(self._now())

    def played(self, item_id: str, ms: int) -> None:
        """A track has played so much of an item."""
        if self._playing and self._playing == item_id:
            self._stop(self._now() - max(0, ms - PACKET_MS) / 1000)

    def _stop(self, first_packet: float) -> None:
        budget, self._budget, self._playing = self._budget, None, ""
        assert budget is not None
        budget.mark("first_token", self._made.words_at)
        budget.mark("first_audio", self._made.sound_at)
        budget.mark("first_packet", first_packet)
        self._tell(Frame(TURN, {"type": TURN, **budget.told(asdict(self._discarded()))}))
