"""An answer begun in a pause, before it is known that the pause is the end of the turn.

    pause ──▶ words ──▶ mind and voice, held back ──┬── the turn ends, same prompt ──▶ given at once, then live
                                                    └── the speaker goes on ─────────▶ dropped, without a trace

It has no response id, makes no event and runs no tool: its parts reach the core only when a response asks for
exactly what it was made from.
"""

import asyncio
from collections.abc import Awaitable, Callable

from vivavoce.engine.reply import Reply
from vivavoce.engine.senses import Senses
from vivavoce.models.interfaces import Prompt
from vivavoce.protocol.session.commands import RATE, Context
from vivavoce.protocol.session.parts import AudioPart, Failed, Part

__all__ = ["MAX_HELD", "Draft"]

MAX_HELD = 5 * RATE
"""Samples of sound that a draft makes before it waits to be wanted."""


class Draft:
    def __init__(
        self, senses: Senses, item_id: str, context: Context, prompt: Prompt, group: asyncio.TaskGroup
    ) -> None:
        """``item_id``: the turn that this would answer."""
        self.item_id = item_id
        self._context, self._prompt = context, prompt
        self._held: list[Part] = []
        self._samples = 0
        self._wanted = asyncio.Event()
        self._give: Callable[[Part], None] = self._hold
        self._room: Callable[[], Awaitable[object]] = self._wait
        reply = Reply(senses, context, prompt, lambda part: self._give(part), self._make_room)
        self.made = reply.made
        self._task = group.create_task(reply.make(), name=f"draft answer to {item_id}")

    def fits(self, context: Context, prompt: Prompt) -> bool:
        """Whether this is what a response with this context and prompt would be."""
        ours, theirs = self._context, context
        sound = (ours.modality, ours.voice, ours.speed, ours.format, ours.language)
        failed = any(isinstance(part, Failed) for part in self._held) or self._task.cancelled()
        return not failed and prompt == self._prompt and sound == (
            theirs.modality, theirs.voice, theirs.speed, theirs.format, theirs.language
        )  # fmt: skip

    async def release(self, give: Callable[[Part], None], room: Callable[[], Awaitable[None]]) -> None:
        """Give what was made so far, and the rest as it is made. Cancelling this stops the making."""
        for part in self._held:
            give(part)
        self._give, self._room = give, room
        self._wanted.set()
        await self._task

    def drop(self) -> None:
        self._task.cancel()

    def _hold(self, part: Part) -> None:
        self._held.append(part)
        if isinstance(part, AudioPart):
            self._samples += part.samples

    async def _make_room(self) -> None:
        await self._room()

    async def _wait(self) -> None:
        if self._samples >= MAX_HELD:
            await self._wanted.wait()
            await self._room()
