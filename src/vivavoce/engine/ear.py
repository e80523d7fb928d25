"""The ear of one session: what the client sends becomes PCM in a timeline, and windows of voice activity.

Positions are 24 kHz samples from the start of the session, as in the core, which says from where on the
timeline must be kept. Everything here runs inline, once a frame: the hot path.
"""

import logging
import math
from collections.abc import Callable
from functools import partial

from vivavoce.audio import noise
from vivavoce.engine.formats import Decoder
from vivavoce.engine.rounds import Rounds
from vivavoce.models.interfaces import Vad, VadStream
from vivavoce.protocol.session.commands import RATE, Span
from vivavoce.protocol.wire.config import Format, NoiseReduction, Pcm
from vivavoce.protocol.wire.shape import get

__all__ = ["Ear"]

log = logging.getLogger(__name__)

SLACK = RATE
"""What is no longer asked for is dropped a second at a time."""


class Ear:
    def __init__(self, rounds: Rounds, speech: Callable[[int, float], None]) -> None:
        """``speech(end, probability)`` is told of each window of voice activity, a round later at most."""
        self._rounds, self._speech = rounds, speech
        self._decoder = Decoder(Pcm())
        self._reduction: NoiseReduction | None = None
        self._reducer: noise.NoiseReducer | None = None
        self._timeline = bytearray()
        self._origin = 0
        """Position of the timeline's first sample."""
        self._activity: _Activity | None = None

    @property
    def received(self) -> int:
        return self._origin + len(self._timeline) // 2

    @property
    def format(self) -> Format:
        """Of what comes in."""
        return self._decoder.format

    def configure(self, format: Format, reduction: NoiseReduction | None = None) -> None:
        if type(format) is not type(self._decoder.format):
            self._decoder = Decoder(format)
        if reduction != self._reduction:
            self._reduction, self._reducer = reduction, _reducer(reduction)

    def hear(self, data: bytes) -> int:
        """Take a client's audio; returns how many samples it came to. Raises :class:`ProtocolError`."""
        pcm = self._decoder.push(data)
        if self._reducer:
            pcm = self._reducer.push(pcm)
        self._timeline += pcm
        return len(pcm) // 2

    def listen(self, wanted: bool, samples: int) -> None:
        """Look for voice in the last ``samples``, if that is ``wanted`` now; it may begin or end at any time."""
        if not wanted:
            self._activity = None
            return
        received, activity = self.received, self._activity
        if activity is None:
            activity = self._activity = _Activity(self._rounds.vad, received - samples)
        while received - activity.next >= activity.window:
            window = Span(activity.next, activity.next + activity.window)
            activity.next = window.end
            self._rounds.add(activity.stream, self.cut(window), partial(self._speech, window.end))

    def settle(self) -> None:
        """All that was heard so far is told of before this returns."""
        if self._activity is not None:
            self._rounds.settle(self._activity.stream)

    def cut(self, span: Span) -> bytes:
        """The PCM of a span. What was forgotten of it is missing."""
        start = max(0, span.start - self._origin)
        return bytes(self._timeline[2 * start : 2 * max(start, span.end - self._origin)])

    def forget(self, before: int) -> None:
        """What is before this position is not asked for any more."""
        if self._activity is not None:
            before = min(before, self._activity.next)
        if before - self._origin >= SLACK:
            del self._timeline[: 2 * (before - self._origin)]
            self._origin = before


_STRONGEST = {"near_field": noise.LEVELS // 2, "far_field": noise.LEVELS}
"""A microphone at the mouth hears little noise; one across the room hears more of it than of the voice."""


def _reducer(wanted: NoiseReduction | None) -> noise.NoiseReducer | None:
    """S-25. Where it cannot be had, the session goes on without."""
    level = math.ceil(get(wanted.strength, 1.0) * _STRONGEST[wanted.type]) if wanted else 0
    if level and not noise.available():
        log.warning("noise reduction is wanted and not installed: pip install webrtc-noise-gain")
        return None
    return noise.NoiseReducer(level) if level else None


class _Activity:
    """One run of voice activity over the timeline, from a position on."""

    def __init__(self, vad: Vad, start: int) -> None:
        self.stream: VadStream = vad.stream()
        self.window = vad.window
        self.next = start
        """Where the next window begins."""
