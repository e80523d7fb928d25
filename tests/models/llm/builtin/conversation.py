"""Asking the built-in mind, at a quarter to four on a Friday afternoon in London."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from vivavoce.models.interfaces import Answer, Message, Prompt, Said, Tool
from vivavoce.models.llm.builtin import BuiltinLlm

__all__ = ["NOW", "parts", "reply"]

NOW = datetime(2026, 11, 20, 15, 42, tzinfo=ZoneInfo("Europe/London"))


async def parts(
    said: str | Sequence[Message] | None,
    tools: Sequence[Tool] = (),
    tool_choice: str = "auto",
    instructions: str = "",
    max_tokens: int | None = None,
) -> list[Answer]:
    messages = [Message("user", said)] if isinstance(said, str) else said or []
    prompt = Prompt(instructions, messages, tools, tool_choice, max_tokens)
    return [part async for part in BuiltinLlm(lambda: NOW).answer(prompt)]


async def reply(said: str | Sequence[Message] | None, instructions: str = "") -> str:
    answer = await parts(said, instructions=instructions)
    return "".join(part.text for part in answer if isinstance(part, Said))
