"""The mind itself: asks its skills in turn and says the first answer, word by word."""

from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from datetime import datetime

from vivavoce.models.interfaces import Answer, Call, CallArguments, Finish, Message, ModelError, Prompt, Said, Tool
from vivavoce.models.llm.builtin.echo import again, echo, exactly
from vivavoce.models.llm.builtin.manners import GREETING, NOT_HEARD, manners, stand_in
from vivavoce.models.llm.builtin.sums import sums
from vivavoce.models.llm.builtin.times import date, time
from vivavoce.models.llm.builtin.tools import Choice, choose, force, result_in_words
from vivavoce.models.llm.builtin.words import Words

__all__ = ["BuiltinLlm"]


class BuiltinLlm:
    """Implements ``Llm``. ``clock`` gives now, with the local time zone."""

    name = "builtin"
    sees = False

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock

    async def answer(self, prompt: Prompt) -> AsyncGenerator[Answer, None]:
        reply = _call(prompt) or self._words(prompt)
        if isinstance(reply, Choice):
            yield Call(reply.tool.name)
            yield CallArguments(reply.arguments)
            yield Finish()
        else:
            for part in _word_by_word(reply, prompt.max_tokens):
                yield part

    async def close(self) -> None:
        pass

    def _words(self, prompt: Prompt) -> str:
        if results := _latest_results(prompt.messages):
            return exactly(prompt.instructions) or result_in_words(results)
        heard = _heard(prompt.messages)
        if (wanted := exactly(prompt.instructions)) is not None:
            return wanted
        if heard is None:
            return GREETING
        if not heard.lower:
            return NOT_HEARD
        return self._skills(heard, prompt.messages)

    def _skills(self, heard: Words, messages: Sequence[Message]) -> str:
        now = self._clock()
        return (
            again(heard, messages)
            or echo(heard)
            or sums(heard)
            or time(heard, now)
            or date(heard, now)
            or manners(heard)
            or stand_in(heard)
        )


def _call(prompt: Prompt) -> Choice | str | None:
    """The tool call that is due, a question for what it lacks, or None."""
    heard = _heard(prompt.messages) or Words.of("")
    if prompt.tool_choice == "required" or prompt.tool_choice.startswith("function:"):
        chosen = force(_eligible(prompt), heard)
        if chosen is None:
            raise ModelError("A tool call was demanded, but there is no such tool. Give the session the tool first.")
        return chosen
    if prompt.tool_choice == "none" or _latest_results(prompt.messages):
        return None
    chosen = choose(prompt.tools, heard)
    if chosen and chosen.missing:
        return f"For that I need to know the {' and the '.join(chosen.missing).replace('_', ' ')}."
    return chosen


def _eligible(prompt: Prompt) -> list[Tool]:
    named = prompt.tool_choice.partition(":")[2]
    return [tool for tool in prompt.tools if not named or tool.name == named]


def _heard(messages: Sequence[Message]) -> Words | None:
    """The latest thing that the user said."""
    return next((Words.of(message.text) for message in reversed(messages) if message.role == "user"), None)


def _latest_results(messages: Sequence[Message]) -> list[Message]:
    """The tool results since anybody last spoke."""
    results: list[Message] = []
    for message in reversed(messages):
        if message.role in ("user", "assistant"):
            break
        if message.role == "result":
            results.insert(0, message)
    return results


def _word_by_word(text: str, most: int | None) -> Iterator[Answer]:
    """A word counts as a token."""
    words = text.split()
    for index, word in enumerate(words[:most]):
        yield Said(f" {word}" if index else word)
    yield Finish("length" if most is not None and len(words) > most else "stop")
