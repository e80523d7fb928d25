"""A voice over an answer: an interruption, or a cough, an "mhm", the answer's own echo? Where a client asks for it
(``forgiving``), the answer pauses and nobody is told until that is known:

    none ──a voice──▶ hearing ──``insists`` of voice──────────────────▶ an interruption
      ▲                │   ▲
      │         ASK_AFTER  │ voice again
      │       of silence   │
      │                ▼   │
      └──nothing────── asked ──words that want the floor───────────────▶ an interruption
           by the words, or no word of them in PATIENCE

Lengths are samples of input, so that audio, not the clock, drives it.
"""

from enum import Enum

from vivavoce.protocol.session.commands import RATE

__all__ = ["ASK_AFTER", "INSISTS", "INSISTS_ALOUD", "PATIENCE", "Doubt", "Outcome"]

INSISTS = RATE * 960 // 1000
"""Who speaks for so long means it; coughs and "mhm" are shorter. The answer stands still meanwhile, …"""
INSISTS_ALOUD = RATE * 640 // 1000
"""… or where the client plays it, it goes on, and cannot be talked against for long."""
ASK_AFTER = RATE * 96 // 1000
PATIENCE = RATE * 1200 // 1000
"""For the words; an answer stands still no longer than this."""


class Outcome(Enum):
    ASK = "what was said?"
    SPOKE_ON = "the question is void"
    INTERRUPTION = "the speaker wants the floor"
    NOTHING = "the answer goes on"


class _State(Enum):
    NONE = "none"
    HEARING = "hearing"
    ASKED = "asked"


class Doubt:
    def __init__(self, insists: int = INSISTS) -> None:
        self._insists = insists
        self._state = _State.NONE
        self.item_id = ""
        """Of the turn that it will be, should it be one."""
        self.since = 0
        """Where the voice began."""
        self._voice = self._silence = 0

    @property
    def active(self) -> bool:
        return self._state is not _State.NONE

    def begin(self, item_id: str, since: int, voice: int) -> None:
        """A voice from ``since`` on, of which so much counts so far."""
        self._state, self.item_id, self.since = _State.HEARING, item_id, since
        self._voice, self._silence = voice, 0

    def hear(self, samples: int, *, voiced: bool) -> Outcome | None:
        """The next window."""
        if not self.active:
            return None
        if voiced:
            self._voice, self._silence = self._voice + samples, 0
            if self._voice >= self._insists:
                return self._end(Outcome.INTERRUPTION)
            if self._state is _State.ASKED:
                self._state = _State.HEARING
                return Outcome.SPOKE_ON
            return None
        self._silence += samples
        if self._state is _State.HEARING and self._silence >= ASK_AFTER:
            self._state = _State.ASKED
            return Outcome.ASK
        return self._end(Outcome.NOTHING) if self._silence >= PATIENCE else None

    def judged(self, item_id: str, *, wants_floor: bool) -> Outcome | None:
        """The answer to ``ASK``; None where it comes too late."""
        if self._state is not _State.ASKED or item_id != self.item_id:
            return None
        return self._end(Outcome.INTERRUPTION if wants_floor else Outcome.NOTHING)

    def drop(self) -> Outcome | None:
        """Nothing more is heard of it."""
        return self._end(Outcome.NOTHING) if self.active else None

    def _end(self, outcome: Outcome) -> Outcome:
        self._state = _State.NONE
        return outcome
