"""The answers of one session: those under way, and the draft of the next, begun in a pause that may end the turn."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from vivavoce.engine import thinking
from vivavoce.engine.draft import Draft
from vivavoce.engine.made import Discarded, Made
from vivavoce.engine.recognition import Recognition
from vivavoce.engine.reply import Reply, model_failed
from vivavoce.engine.senses import Senses
from vivavoce.models.interfaces import ModelError
from vivavoce.protocol.session.commands import Context, Start
from vivavoce.protocol.session.parts import Failed, Part
from vivavoce.protocol.wire.config import Format

__all__ = ["Answers"]

MAX_DRAFTS = 3
"""Answers to one turn that are begun before it has ended."""

log = logging.getLogger(__name__)

Give = Callable[[Part], None]


class Answers:
    """``give(response_id, part)`` takes what is made; ``room()`` is awaited before each sound;
    ``making(response_id, made)`` is told what an answer under way comes to."""

    def __init__(
        self,
        senses: Senses,
        recognition: Recognition,
        group: asyncio.TaskGroup,
        *,
        give: Callable[[str, Part], None],
        room: Callable[[], Awaitable[None]],
        making: Callable[[str, Made], None],
    ) -> None:
        self._senses, self._recognition, self._group = senses, recognition, group
        self._give, self._room, self._making = give, room, making
        self._running: dict[str, tuple[Format, asyncio.Task[None]]] = {}
        self._draft: Draft | None = None
        self._drafted = ("", 0)
        """How many drafts the latest turn to have any has had."""
        self.discarded = Discarded()

    def start(self, command: Start) -> None:
        task = self._group.create_task(self._answer(command), name=f"answer {command.response_id}")
        running = self._running[command.response_id] = (command.context.format, task)
        task.add_done_callback(lambda _: self._ended(command.response_id, running))

    def cancel(self, response_id: str) -> None:
        if running := self._running.get(response_id):
            running[1].cancel()

    def format(self, response_id: str) -> Format:
        """In which the sound of an answer under way is made."""
        return self._running[response_id][0]

    def draft(self, item_id: str, context: Context) -> None:
        """Begin on the answer to a turn that may end now, unless it has had its share of drafts."""
        self.drop_draft()
        of, number = self._drafted
        self._drafted = (item_id, number + 1 if of == item_id else 1)
        if self._drafted[1] > MAX_DRAFTS:
            return
        try:
            prompt = thinking.prompt(context, self._senses.llm)
        except ModelError:
            return  # the response itself will say so
        self._draft = Draft(self._senses, item_id, context, prompt, self._group)

    def drop_draft(self) -> None:
        if self._draft is not None:
            self._draft.drop()
            self.discarded.draft(self._draft.made)
            self._draft = None

    def _ended(self, response_id: str, running: tuple[Format, asyncio.Task[None]]) -> None:
        if self._running.get(response_id) is running:  # after an MCP call another goes on with the same response
            del self._running[response_id]

    async def _answer(self, command: Start) -> None:
        def give(part: Part) -> None:
            self._give(command.response_id, part)

        try:
            await self._recognition.known(thinking.unheard(command.context))
            await self._make(command, give)
        except ModelError as error:
            give(model_failed(error))
        except Exception:
            log.exception("an answer failed by a fault of ours")
            give(Failed("internal_error", "The server failed to make this answer; ask again."))

    async def _make(self, command: Start, give: Give) -> None:
        """From the draft, if it was made for just this; anew otherwise."""
        context = command.context
        prompt = thinking.prompt(context, self._senses.llm)
        draft = self._draft
        if draft is not None and any(item.id == draft.item_id for item in context.items):
            if draft.fits(context, prompt):
                self._draft = None
                self._making(command.response_id, draft.made)
                await draft.release(give, self._room)
                return
            self.drop_draft()
        reply = Reply(self._senses, context, prompt, give, self._room)
        self._making(command.response_id, reply.made)
        await reply.make()
