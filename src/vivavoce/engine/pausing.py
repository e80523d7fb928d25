"""What is done in a pause, before it is known what it is: words, an opinion on them, and the answer to them.

    a pause in a turn ──▶ words, and what their sound is like ──▶ is the turn over? ──▶ a draft of the answer
    a short sound over an answer ──▶ words ──▶ do they want the floor?

All of it is advice to the core, which may have gone on by then.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from vivavoce.audio.resample import convert
from vivavoce.engine.answers import Answers
from vivavoce.engine.backchannel import echoes, wants_floor
from vivavoce.engine.endpoint import DICTATING, SURE, finished
from vivavoce.engine.recognition import Recognition
from vivavoce.models.interfaces import Hints, ModelError, TurnModel
from vivavoce.protocol.session import Session
from vivavoce.protocol.session.commands import RATE, Doubted, MayEnd, Span, WentOn

__all__ = ["UNKNOWN", "Pausing", "weighed"]

UNKNOWN = 0.5
"""An opinion where there are no words to have one on."""
BY_SOUND = 0.6
"""How much of an opinion is that of the model."""
TAIL = RATE // 10
"""Samples of silence behind what a model of turns is given: it knows pauses of 0.2 s, and is asked after half that."""


class Pausing:
    """``cut`` gives the sound of a span; ``said`` is called when the core has been told something."""

    def __init__(
        self,
        core: Session,
        turn: TurnModel | None,
        recognition: Recognition,
        answers: Answers,
        group: asyncio.TaskGroup,
        cut: Callable[[Span], bytes],
        said: Callable[[], None],
        *,
        early: bool,
    ) -> None:
        self._core, self._turn, self._recognition, self._answers = core, turn, recognition, answers
        self._group, self._cut, self._said, self._early = group, cut, said, early
        self._task: asyncio.Task[None] | None = None

    def may_end(self, command: MayEnd, hints: Hints) -> None:
        self._recognition.draft(command.item_id, command.span, hints, wanted=command.wanted)
        self._begin(self._pause(command, hints), f"pause {command.item_id}")

    def doubted(self, command: Doubted, hints: Hints) -> None:
        self._recognition.draft(command.item_id, command.span, hints, wanted=True)
        self._begin(self._doubt(command.item_id), f"doubt {command.item_id}")

    def went_on(self, command: WentOn) -> None:
        self._drop()
        self._recognition.went_on(command.item_id, command.heard)
        self._answers.drop_draft()

    async def _pause(self, command: MayEnd, hints: Hints) -> None:
        item_id = command.item_id
        sound = self._group.create_task(self._sound(command.span)) if command.wanted else None
        try:
            words = await self._recognition.drafted(item_id)
            if sound is not None:
                opinion = weighed(words, await sound, hints.language)
                self._core.endpoint(item_id, opinion)
                self._said()
                if opinion < UNKNOWN:
                    return  # an answer to half a sentence
        finally:
            if sound is not None:
                sound.cancel()
        known = self._early and self._recognition.whole(item_id)
        if words and known and (context := self._core.preview(item_id, words)):
            self._answers.draft(item_id, context)

    async def _doubt(self, item_id: str) -> None:
        words = await self._recognition.drafted(item_id)
        echo = words is not None and echoes(words, self._core.spoken)
        self._core.judged(item_id, wants_floor=words is not None and wants_floor(words) and not echo, echo=echo)
        self._said()

    async def _sound(self, span: Span) -> float | None:
        """What a model of turns makes of it; None where there is none, or no time."""
        if self._turn is None:
            return None
        last = self._cut(Span(max(span.start, span.end - self._turn.seconds * RATE), span.end)) + bytes(2 * TAIL)
        try:
            return await self._turn.finished(convert(last, RATE, self._turn.rate))
        except ModelError:
            return None

    def _begin(self, work: Coroutine[Any, Any, None], name: str) -> None:
        self._drop()
        self._task = self._group.create_task(work, name=name)

    def _drop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None


def weighed(words: str | None, sound: float | None, language: str | None) -> float:
    """How likely (0 to 1) a turn is over: by its words, and by its sound where a model has heard it.

    Neither is believed alone, but that how long a number is can be heard in words only, and that a "yes" is finished
    however it sounds."""
    if words is None:
        return UNKNOWN if sound is None else sound
    read = finished(words, language or "en")
    if sound is None:
        return read
    if read <= DICTATING:
        return min(sound, read)
    return max(sound, UNKNOWN) if read == SURE else BY_SOUND * sound + (1 - BY_SOUND) * read
