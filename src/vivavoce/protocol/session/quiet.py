"""Since when nobody has spoken, for the idle timeout (S-22): from the end of an answer's *sound*, not of its making."""

from vivavoce.protocol.session.commands import RATE
from vivavoce.protocol.session.state import Shared

__all__ = ["Quiet"]


class Quiet:
    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self.since: float | None = None
        """None while somebody speaks, and before the first answer."""
        self._answering = False
        self._from = 0.0
        """When the latest answer began to sound, …"""
        self._samples = 0
        """… and how long it is: where the client plays it, that is when it has heard it."""

    def answer_began(self) -> None:
        self._answering, self.since, self._samples = True, None, 0

    def sounded(self, samples: int) -> None:
        if not self._samples:
            self._from = self._shared.now
        self._samples += samples

    def left(self) -> float:
        """Seconds of sound that a client which plays by itself has still to hear."""
        return max(0.0, self._from + self._samples / RATE - self._shared.now) if self._samples else 0.0

    def silenced(self) -> None:
        """Such a client plays no more of the answer."""
        self._samples = 0

    def answer_ended(self) -> None:
        """It is made, and where the server plays it, heard."""
        if self._answering:
            self._answering = False
            heard = 0.0 if self._shared.media else self._from + self._samples / RATE
            self.since = max(self._shared.now, heard)

    def broken(self) -> None:
        """A turn has begun, or the silence was told of."""
        self.since = None
