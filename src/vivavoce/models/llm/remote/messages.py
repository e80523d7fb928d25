"""The conversation in chat completions' terms, which are stricter than a spoken one: each call is followed by its
result at once, each result follows a call, and no message is empty."""

from collections.abc import Mapping, Sequence
from typing import Any

from vivavoce.models.interfaces import Message, Prompt, Tool

__all__ = ["messages", "tool_choice", "tools"]

NOT_HEARD = "[inaudible]"
"""In the place of something that was said and not understood."""
NO_RESULT = "There is no result yet."
"""For a call that was interrupted: servers refuse one without any."""


def messages(prompt: Prompt) -> list[dict[str, Any]]:
    results = {message.call_id: message.text for message in prompt.messages if message.role == "result"}
    found: list[dict[str, Any]] = []
    if prompt.instructions:
        found.append({"role": "system", "content": prompt.instructions})
    calls: list[Message] = []
    for message in prompt.messages:
        if message.role == "call":
            calls.append(message)
        elif message.role != "result":  # results stand with their calls
            found += _called(calls, results)
            calls = []
            found += _said(message)
    return [*found, *_called(calls, results)]


def tools(offered: Sequence[Tool]) -> list[dict[str, Any]]:
    return [
        {
            "type": "function",
            "function": {
                "name": tool.name,
                "description": tool.description,
                "parameters": dict(tool.parameters) or {"type": "object", "properties": {}},
            },
        }
        for tool in offered
    ]


def tool_choice(choice: str) -> str | dict[str, Any]:
    kind, _, name = choice.partition(":")
    return {"type": "function", "function": {"name": name}} if name else kind


def _said(message: Message) -> list[dict[str, Any]]:
    text = message.text
    if message.images:
        words = [{"type": "text", "text": text}] if text else []
        images = [{"type": "image_url", "image_url": {"url": url}} for url in message.images]
        return [{"role": message.role, "content": [*words, *images]}]
    if not text.strip():
        return [{"role": "user", "content": NOT_HEARD}] if message.role == "user" else []
    return [{"role": message.role, "content": text}]


def _called(calls: Sequence[Message], results: Mapping[str, str]) -> list[dict[str, Any]]:
    """Calls that were made together, and what came of each."""
    if not calls:
        return []
    made = [
        {"id": call.call_id, "type": "function", "function": {"name": call.name, "arguments": call.text or "{}"}}
        for call in calls
    ]
    came = [
        {"role": "tool", "tool_call_id": call.call_id, "content": results.get(call.call_id, NO_RESULT)}
        for call in calls
    ]
    return [{"role": "assistant", "content": None, "tool_calls": made}, *came]
