"""Where a turn begins and ends, from the probability of speech in one short window after another.

Only audio positions count here, never the clock: audio that arrives faster than real time gives the
same turns. The states and what moves between them:

    quiet ──voiced──▶ rising ──voiced for ONSET──▶ speaking ──unvoiced──▶ pausing ──silence over──▶ quiet
      ▲                 │                             ▲                      │
      └────unvoiced─────┘                             └────────voiced────────┘
"""

from dataclasses import dataclass
from enum import Enum

from vivavoce.protocol.session.commands import RATE, to_samples
from vivavoce.protocol.wire.config import SemanticVad, ServerVad, TurnDetection
from vivavoce.protocol.wire.shape import get

__all__ = ["ONSET", "Happened", "State", "Timing", "TurnDetector", "timing"]

ONSET = RATE * 64 // 1000
"""Speech must last this long to be a turn: two Silero windows, so that a click is none."""
MAY_END = RATE * 96 // 1000
"""After this much silence a turn *may* be over: the moment for a draft, and to ask whether its words are finished."""
HYSTERESIS = 0.15
"""Speech that has begun goes on down to this much below the threshold."""

SEMANTIC_THRESHOLD = 0.5
SEMANTIC_PADDING_MS = 300
LONGEST_WAIT_MS = {"low": 8000, "medium": 4000, "auto": 4000, "high": 2000}
"""S-19."""
LEAST_MS = {"low": 1000, "medium": 600, "auto": 600, "high": 300}
"""The silence that ends a turn whose words are surely finished."""
MOST_MS = {"low": 2500, "medium": 1500, "auto": 1500, "high": 800}
"""As far as a speaker's own pauses may stretch the wait for words that seem finished (``pauses.py``)."""


class State(Enum):
    QUIET = "quiet"
    RISING = "rising"
    SPEAKING = "speaking"
    PAUSING = "pausing"


class Happened(Enum):
    STARTED = "started"
    MAY_END = "may_end"
    WENT_ON = "went_on"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Timing:
    """Turn detection in samples. A semantic detector is a silence as long as it may wait, that an
    opinion ends sooner: after ``least`` of it or, by the speaker's own pauses, up to ``most``."""

    threshold: float
    prefix: int
    silence: int
    least: int
    most: int
    semantic: bool


def timing(config: TurnDetection) -> Timing:
    if isinstance(config, SemanticVad):
        eagerness = get(config.eagerness, "auto")
        longest, least, most = (to_samples(ms[eagerness]) for ms in (LONGEST_WAIT_MS, LEAST_MS, MOST_MS))
        return Timing(SEMANTIC_THRESHOLD, to_samples(SEMANTIC_PADDING_MS), longest, least, most, semantic=True)
    assert isinstance(config, ServerVad)
    prefix, silence = to_samples(get(config.prefix_padding_ms, 300)), to_samples(get(config.silence_duration_ms, 200))
    return Timing(get(config.threshold, 0.5), prefix, silence, silence, silence, semantic=False)


class TurnDetector:
    def __init__(self, timing: Timing, *, speaking: bool = False) -> None:
        """``speaking``: a turn is under way already."""
        self.timing = timing
        self.state = State.SPEAKING if speaking else State.QUIET
        self.since = 0
        """Where the state's sound or silence began; meaningless while quiet."""
        self.paused = 0
        """How long the latest pause was that the speaker went on after."""
        self._may_end_said = False
        self._enough: int | None = None
        """The silence that is enough this time, where an opinion was given."""

    @property
    def in_speech(self) -> bool:
        return self.state in (State.SPEAKING, State.PAUSING)

    @property
    def pausing(self) -> bool:
        return self.state is State.PAUSING

    def hear(self, start: int, end: int, probability: float) -> Happened | None:
        """Take the window from ``start`` to ``end``; windows come in order and without gaps."""
        floor = self.timing.threshold - (HYSTERESIS if self.in_speech else 0.0)
        voiced = probability >= max(floor, 0.01)
        match self.state, voiced:
            case State.QUIET, True:
                self._enter(State.RISING, start)
                return self._risen(end)
            case State.RISING, True:
                return self._risen(end)
            case State.RISING, False:
                self.state = State.QUIET
            case State.SPEAKING, False:
                self._enter(State.PAUSING, start)
                return self._paused(end)
            case State.PAUSING, False:
                return self._paused(end)
            case State.PAUSING, True:
                self.state, self.paused = State.SPEAKING, start - self.since
                return Happened.WENT_ON if self._may_end_said else None
        return None

    def settle(self, enough: int, heard: int) -> bool:
        """An opinion: so much silence is enough for this pause. Whether it has been as long at ``heard``; then the
        turn is over."""
        self._enough = enough
        if not self.pausing or heard - self.since < enough:
            return False
        self.reset()
        return True

    def again(self) -> None:
        """Say anew that a pause may be the end."""
        self._may_end_said = False

    def reset(self) -> None:
        """Forget a turn under way: it was committed or cleared by hand, or has stopped."""
        self.state = State.QUIET

    def _enter(self, state: State, at: int) -> None:
        self.state, self.since = state, at
        self._may_end_said, self._enough = False, None

    def _risen(self, end: int) -> Happened | None:
        if end - self.since < ONSET:
            return None
        self.state = State.SPEAKING
        return Happened.STARTED

    def _paused(self, end: int) -> Happened | None:
        if end - self.since >= (self.timing.silence if self._enough is None else self._enough):
            self.state = State.QUIET
            return Happened.STOPPED
        if not self._may_end_said and end - self.since >= MAY_END:
            self._may_end_said = True
            return Happened.MAY_END
        return None
