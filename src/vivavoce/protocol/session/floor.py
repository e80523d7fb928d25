"""Who has the floor while an answer sounds: how a voice over it is to be taken, and what to think of a silence of it.

A ``forgiving`` session doubts a voice over an answer (``doubt.py``), but for one over its last words, which answers it.
For a moment after an answer began to sound its echo comes back from a loudspeaker, until the client's echo
cancellation has settled: a voice that begins then is taken for none. One that began before is no echo.
"""

from vivavoce.protocol.session.commands import HoldPlayback
from vivavoce.protocol.session.playback import Playback
from vivavoce.protocol.session.quiet import Quiet
from vivavoce.protocol.session.state import Shared

__all__ = ["ECHO_AFTER", "GUARD", "LAST_WORDS", "STALLED", "Floor"]

LAST_WORDS = 1.0
"""Seconds from the end of an answer."""
ECHO_AFTER, GUARD = 0.08, 0.8
"""Seconds after its beginning: no echo is back sooner, and none is left later."""
STALLED = 40.0
"""Seconds in which a track plays nothing of what it has: nobody hears it. A caller who was cut off may need 30."""


class Floor:
    def __init__(self, shared: Shared, playback: Playback, quiet: Quiet) -> None:
        self._shared, self._playback, self._quiet = shared, playback, quiet
        self._guarded = (0.0, 0.0)
        self._held = False
        self._waiting: float | None = None
        """Since when the track has had something to play and has played nothing."""

    # How a voice is to be taken ---------------------------------------------------------------------

    def doubts(self, *, making: bool) -> bool:
        """Whether a voice now may be no interruption. ``making``: more of the answer is to come."""
        if not self._shared.forgiving:
            return False
        left = self._left
        return left > 0 and (making or left >= LAST_WORDS)

    def echoes(self, began: float) -> bool:
        """Whether a voice that began then is taken for the answer's echo."""
        return self._guarded[0] <= began < self._guarded[1]

    def echoed(self) -> None:
        """It was one: the echo cancellation has not settled yet."""
        self._guarded = (self._shared.now, self._shared.now + GUARD)

    def hold(self, *, on: bool) -> None:
        """The answer stands still: on a media track, and where a client that plays it has asked to be told."""
        if on is not self._held:
            self._held = on
            if self._shared.media:
                self._waiting = None if on else self._shared.now
            self._shared.out.command(HoldPlayback(on))

    # What sounds ------------------------------------------------------------------------------------

    def sounding(self) -> None:
        """More sound is about to be on its way: the hot path."""
        now = self._shared.now
        if self._shared.forgiving and not self._left:
            self._guarded = (now + ECHO_AFTER, now + GUARD)
        if self._shared.media and self._waiting is None and not self._held:
            self._waiting = now

    def played(self) -> None:
        """The track has told how far it is."""
        self._waiting = self._shared.now if self._playback.left and not self._held else None

    def silent(self) -> None:
        """What was to be heard was dropped."""
        self.hold(on=False)
        self._waiting = None

    @property
    def deadline(self) -> float | None:
        """When the answer has to be given up."""
        return None if self._waiting is None else self._waiting + STALLED

    @property
    def _left(self) -> float:
        return self._playback.left if self._shared.media else self._quiet.left()
