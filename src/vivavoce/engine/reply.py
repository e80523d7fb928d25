"""One answer: the mind makes words and calls, the voice speaks each clause while the mind goes on.

mind ──words──▶ clauses ──queue──▶ voice ──▶ the session, in order: a clause's words, then its sound
"""

import asyncio
from collections.abc import Awaitable, Callable

from vivavoce.audio.resample import Resampler
from vivavoce.engine.clauses import Clauses
from vivavoce.engine.formats import Encoder
from vivavoce.engine.made import Made
from vivavoce.engine.patience import MIND_SECONDS, VOICE_SECONDS, Patiently
from vivavoce.engine.senses import Senses
from vivavoce.models.interfaces import Answer, Call, CallArguments, Finish, ModelError, Prompt, Said
from vivavoce.protocol.session.commands import RATE, Context
from vivavoce.protocol.session.parts import Arguments, AudioPart, CallPart, Done, Failed, Part, TextPart, Usage

__all__ = ["PARTS_AHEAD", "Reply", "model_failed"]

PARTS_AHEAD = 64
"""Clauses and pieces of calls that the mind may be ahead of the voice."""

_REASONS = {"stop": "stop", "length": "max_output_tokens", "content_filter": "content_filter"}


def model_failed(error: BaseException) -> Failed:
    """For the client: a :class:`ModelError` is written for people."""
    return Failed("model_error", str(error))


class Reply:
    """Makes the parts of one response. ``give(part)`` takes each; ``room()`` is awaited before each sound, and
    returns once there is room for one."""

    def __init__(
        self,
        senses: Senses,
        context: Context,
        prompt: Prompt,
        give: Callable[[Part], None],
        room: Callable[[], Awaitable[None]],
    ) -> None:
        self._senses, self._context, self._prompt = senses, context, prompt
        self._give, self._room = give, room
        self._clauses = Clauses() if context.modality == "audio" else None
        self.made = Made()
        self._now = asyncio.get_running_loop().time
        self._ahead: asyncio.Queue[Part] = asyncio.Queue(PARTS_AHEAD)

    async def make(self) -> None:
        """The whole answer, ``Done`` or ``Failed`` at its end. Cancelling it stops mind and voice."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._think(), name="mind")
                group.create_task(self._speak(), name="voice")
        except* ModelError as failed:
            self._give(model_failed(failed.exceptions[0]))

    async def _think(self) -> None:
        """The mind's side: parts into the queue."""
        source = self._senses.llm.answer(self._prompt)
        async with Patiently(source, MIND_SECONDS, "The mind") as answer:
            async for made in answer:
                for part in self._parts(made):
                    await self._ahead.put(part)

    def _parts(self, made: Answer) -> list[Part]:
        if self.made.words_at is None:
            self.made.words_at = self._now()
        match made:
            case Said(text):
                self.made.characters += len(text)
                return [TextPart(clause) for clause in self._clauses.push(text)] if self._clauses else [TextPart(text)]
            case Call(name, call_id):
                return [*self._rest(), CallPart(name, call_id)]
            case CallArguments(text):
                self.made.characters += len(text)
                return [Arguments(text)]
            case Finish():
                self.made.input_tokens, self.made.output_tokens = made.input_tokens or 0, made.output_tokens or 0
                usage = Usage(made.input_tokens, made.output_tokens, made.cached_tokens)
                return [*self._rest(), Done(_REASONS[made.reason], usage)]

    def _rest(self) -> list[Part]:
        rest = self._clauses.finish() if self._clauses else ""
        return [TextPart(rest)] if rest.strip() else []

    async def _speak(self) -> None:
        """The voice's side: parts out of the queue, sound after each clause."""
        while True:
            part = await self._ahead.get()
            self._give(part)
            if isinstance(part, Done):
                return
            if isinstance(part, TextPart) and self._clauses:
                await self._sound(part.text)

    async def _sound(self, clause: str) -> None:
        tts, context = self._senses.tts, self._context
        resampler, encoder = Resampler(tts.rate, RATE), Encoder(context.format)
        sound = tts.speak(clause.strip(), context.voice, context.speed, context.language)
        async with Patiently(sound, VOICE_SECONDS, "The voice") as chunks:
            async for chunk in chunks:
                await self._sounded(resampler.push(chunk), encoder)
        await self._sounded(resampler.finish(), encoder)

    async def _sounded(self, pcm: bytes, encoder: Encoder) -> None:
        if pcm:
            if self.made.sound_at is None:
                self.made.sound_at = self._now()
            self.made.seconds += len(pcm) / 2 / RATE
            await self._room()
            self._give(AudioPart(encoder.push(pcm), len(pcm) // 2))
