"""How well turns are taken: who is cut in on, how long a finished speaker waits, and what a cough does to an answer.

    python -m bench.turn_taking

Speaks the script of ``bench/conversations.py`` with flite's voices to the engine with its real voice activity (and
Smart Turn, where it is installed), once for each detector. Recognition is the script itself, 80 ms late, so that what
is measured is the taking of turns alone; time is virtual, so a conversation of minutes takes seconds and is always
the same. Needs ``flite``.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from statistics import median, quantiles
from typing import Any

from bench.conversations import OVERHEARD, TURNS, VOICES, Overheard, Turn
from bench.stage import RATE, STOPPED, Script, Senses, Told, converse, coughed, spoken
from tests.support.virtual_time import run_virtual
from vivavoce.models.catalog import find
from vivavoce.models.interfaces import TurnModel
from vivavoce.models.turn.smart_turn import SmartTurn
from vivavoce.protocol.frame import FLUSH, HOLD

LEAD, AFTER = 0.5, 9.0
"""Seconds of silence before a turn, and after it: more than the longest wait."""
INTO_THE_ANSWER = 3.0
WORDS = 60
"""Of the answer that is spoken over: half a minute."""


@dataclass
class Score:
    pauses: int = 0
    cut_in: int = 0
    delays: list[float] = field(default_factory=list)

    def row(self) -> str:
        rate = f"{100 * self.cut_in / self.pauses:4.0f} %" if self.pauses else "     –"
        late = quantiles(self.delays, n=10)[-1] if len(self.delays) > 1 else self.delays[0]
        return f"{rate}  {median(self.delays):6.0f} {late:6.0f}"


async def turn(voice: str, turn: Turn, detector: "Detector", score: Score) -> None:
    script = Script()
    script.silence(LEAD)
    for part in turn.said:
        if isinstance(part, int):
            script.silence(part / 1000)
        else:
            script.say(spoken(voice, part), part.lower().strip(".?").replace(",", ""))
    script.silence(AFTER)
    end = script.words[-1][1] / RATE

    def over(told: Told) -> bool:
        return any(at >= end for at in told.at(STOPPED))

    stopped = (await converse(Senses(script, detector.model()), detector.detection, over)).at(STOPPED)
    for (_, silent, _), (spoke_on, _, _) in zip(script.words, script.words[1:], strict=False):
        score.pauses += 1
        score.cut_in += any(silent / RATE <= at < spoke_on / RATE + 0.1 for at in stopped)
    score.delays += [(at - end) * 1000 for at in stopped[-1:]]


async def overheard(voice: str, case: Overheard, *, forgiving: bool) -> tuple[bool, float, float]:
    """Whether it ended the answer, after how many milliseconds nothing more was heard of that, and for how long."""
    script = Script()
    script.silence(INTO_THE_ANSWER)
    sound = coughed(case.sound) if isinstance(case.sound, int) else spoken(voice, case.sound)
    script.say(sound, case.heard)
    script.silence(3)
    detection = {"type": "server_vad", "silence_duration_ms": 200}
    told = await converse(Senses(script, None, WORDS), detection, forgiving=forgiving, speaks_first=True)
    began = script.words[0][0] / RATE
    silent = min(told.at(FLUSH, f"{HOLD} True"), default=None)
    interrupted = bool(told.at("input_audio_buffer.speech_started"))
    gone_on = min(told.at(f"{HOLD} False"), default=None)
    gap = gone_on - silent if silent is not None and gone_on is not None and not interrupted else 0.0
    return interrupted, (silent - began) * 1000 if silent is not None else 0.0, gap * 1000


@dataclass(frozen=True)
class Detector:
    name: str
    detection: dict[str, Any]
    model: Callable[[], TurnModel | None] = lambda: None


def detectors() -> Iterator[Detector]:
    for ms in (200, 500, 1000):
        yield Detector(f"server_vad, {ms} ms", {"type": "server_vad", "silence_duration_ms": ms})
    for eagerness in ("high", "medium", "low"):
        detection = {"type": "semantic_vad", "eagerness": eagerness}
        yield Detector(f"words, {eagerness}", detection)
        if find("turn").installed:
            yield Detector(f"Smart Turn, {eagerness}", detection, shared)


@cache
def shared() -> SmartTurn:
    return SmartTurn()


def main() -> None:
    kinds = list(dict.fromkeys(turn.kind for turn in TURNS))
    print(f"{'early cut-ins; ms to the end of the turn, p50 p90':50}", *(f"{kind:>24}" for kind in kinds))
    for detector in detectors():
        scores = {kind: Score() for kind in kinds}
        for voice in VOICES:
            for each in TURNS:
                run_virtual(turn(voice, each, detector, scores[each.kind]))
        print(f"{detector.name:50}", *(f"{scores[kind].row():>24}" for kind in kinds))
    for forgiving in (False, True):
        print(f"\nover an answer, {'forgiving' if forgiving else 'as the protocol has it'}")
        print(f"{'':26}{'ends the answer':>16}{'sound stops, ms p50 max':>26}{'pause when it goes on, ms':>28}")
        for kind in dict.fromkeys(case.kind for case in OVERHEARD):
            found = [
                run_virtual(overheard(voice, case, forgiving=forgiving))
                for case in OVERHEARD if case.kind == kind for voice in VOICES
            ]  # fmt: skip
            stops, gaps = [ms for _, ms, _ in found if ms] or [0.0], [ms for _, _, ms in found if ms] or [0.0]
            ended = sum(interrupted for interrupted, _, _ in found)
            print(
                f"{kind:26}{ended:>10} of {len(found):<3}{median(stops):>14.0f} {max(stops):>10.0f}{max(gaps):>20.0f}"
            )


if __name__ == "__main__":
    main()
