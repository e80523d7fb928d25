"""One clock for all that is spoken: each call is given its beat every 20 ms, many of them in one go.

A timer for each call would wake the process fifty times a second and call, and to be woken costs about as much as to
send a packet. Beats fall on four moments of each 20 ms, so the process is woken 200 times a second at most, however
many calls there are. A call's first packet leaves at once, and its second comes up to 5 ms early.
"""

import asyncio
import logging
from collections.abc import Callable
from weakref import WeakKeyDictionary

from vivavoce.audio.opus import FRAME_MS

__all__ = ["EARLY", "Beat", "Pacer", "pacer"]

Beat = Callable[[float], bool]
"""Is given the loop's time, and says whether it wants to be called again."""

PHASES = 4
STEPS = 1000 * PHASES // FRAME_MS
"""A second's."""
EARLY = 1 / STEPS + 0.001
"""Seconds by which a beat may come before 20 ms have passed: a step, and what the timers of uvloop are rounded by."""

log = logging.getLogger(__name__)


class Pacer:
    """One event loop's."""

    def __init__(self) -> None:
        self._phases = [_Phase() for _ in range(PHASES)]

    def join(self, beat: Beat, due: float) -> None:
        """Calls ``beat`` at ``due``, or up to 5 ms before, and every 20 ms from then on, until it says no."""
        step = int(due * STEPS + 1e-6)
        self._phases[step % PHASES].join(beat, step)


class _Phase:
    def __init__(self) -> None:
        self._beats: dict[Beat, None] = {}  # in the order in which they came
        self._step = 0  # the next one

    def join(self, beat: Beat, step: int) -> None:
        if not self._beats:
            self._step = step
            asyncio.get_running_loop().call_at(step / STEPS, self._strike)
        self._beats[beat] = None

    def _strike(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        for beat in list(self._beats):
            if not _again(beat, now):
                del self._beats[beat]
        if self._beats:
            missed = max(0, int((now * STEPS - self._step) // PHASES))
            self._step += PHASES * (1 + missed)
            loop.call_at(self._step / STEPS, self._strike)


def _again(beat: Beat, now: float) -> bool:
    try:
        return beat(now)
    except Exception:
        log.exception("the sound of a call is broken off")
        return False


_pacers: WeakKeyDictionary[asyncio.AbstractEventLoop, Pacer] = WeakKeyDictionary()


def pacer() -> Pacer:
    """The one of the running loop."""
    return _pacers.setdefault(asyncio.get_running_loop(), Pacer())
