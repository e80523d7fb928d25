"""Where a turn begins and ends, from the probability of speech in one short window after another.

Only audio positions count here, never the clock: audio that arrives faster than real time gives the
same turns. The states and what moves between them:

    quiet ──voiced──▶ rising ──voiced for ONSET──▶ speaking ──unvoiced──▶ pausing ──silence over──▶ quiet
      ▲                 │                             ▲                      │
      └────unvoiced─────┘                             └────────voiced────────┘
"""

from dataclasses import dataclass
from enum import Enum

from vivavoce.protocol.session.commands import RATE
from vivavoce.protocol.wire.config import SemanticVad, ServerVad, TurnDetection
from vivavoce.protocol.wire.shape import get

__all__ = ["Happened", "State", "Timing", "TurnDetector", "timing"]

ONSET = RATE * 64 // 1000
"""Speech must last this long to be a turn: two Silero windows, so that a click is none."""
MAY_END = RATE * 96 // 1000
"""After this much silence a turn *may* be over: the moment for a detector's opinion, or a draft."""
HYSTERESIS = 0.15
"""Speech that has begun goes on down to this much below the threshold."""

SEMANTIC_THRESHOLD = 0.5
SEMANTIC_PADDING_MS = 300
LONGEST_WAIT_MS = {"low": 8000, "medium": 4000, "auto": 4000, "high": 2000}
"""S-19."""


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
    opinion ends sooner."""

    threshold: float
    prefix: int
    silence: int
    semantic: bool


def timing(config: TurnDetection) -> Timing:
    if isinstance(config, SemanticVad):
        wait = LONGEST_WAIT_MS[get(config.eagerness, "auto")]
        return Timing(SEMANTIC_THRESHOLD, _samples(SEMANTIC_PADDING_MS), _samples(wait), True)
    assert isinstance(config, ServerVad)
    threshold, prefix = get(config.threshold, 0.5), get(config.prefix_padding_ms, 300)
    return Timing(threshold, _samples(prefix), _samples(get(config.silence_duration_ms, 200)), False)


class TurnDetector:
    def __init__(self, timing: Timing) -> None:
        self.timing = timing
        self.state = State.QUIET
        self.since = 0
        """Where the state's sound or silence began; meaningless while quiet."""
        self._may_end_said = False

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
                self.state = State.SPEAKING
                return Happened.WENT_ON if self._may_end_said else None
        return None

    def reset(self) -> None:
        """Forget a turn under way: it was committed or cleared by hand, or has stopped."""
        self.state = State.QUIET

    def _enter(self, state: State, at: int) -> None:
        self.state, self.since = state, at
        self._may_end_said = False

    def _risen(self, end: int) -> Happened | None:
        if end - self.since < ONSET:
            return None
        self.state = State.SPEAKING
        return Happened.STARTED

    def _paused(self, end: int) -> Happened | None:
        if end - self.since >= self.timing.silence:
            self.state = State.QUIET
            return Happened.STOPPED
        if not self._may_end_said and end - self.since >= MAY_END:
            self._may_end_said = True
            return Happened.MAY_END
        return None


def _samples(ms: int) -> int:
    return ms * RATE // 1000
