"""What a listener loses of the answer, by its reports (RTCP), so that packets carry their predecessor then. Pure."""

__all__ = ["MAX_PERCENT", "Losses"]

MAX_PERCENT = 20
"""Beyond this, more repetition would take too much from the voice itself."""
FADE = 0.8
"""Of a reported loss that is kept for the next report, some seconds later: losses come in spells."""


class Losses:
    """Reports in, the loss to expect in per cent out."""

    def __init__(self) -> None:
        self._percent = 0.0

    def reported(self, fraction: int) -> int:
        """``fraction``: of the packets since the last report, in 256ths (RFC 3550, 6.4.1)."""
        self._percent = max(fraction * 100 / 256, self._percent * FADE)
        return min(MAX_PERCENT, int(self._percent))
