"""What a chat completion is made of, as far as it matters here. All else that a server sends is passed over, and with
it what a model says to itself (``reasoning``, ``reasoning_content``)."""

from typing import Any

import msgspec

__all__ = ["Choice", "Chunk", "Delta", "ToolCall", "decode"]


class Function(msgspec.Struct):
    name: str | None = None
    arguments: Any = None
    """JSON as a text; an object from some servers."""


class ToolCall(msgspec.Struct):
    index: int | None = None
    id: str | None = None
    function: Function | None = None


class Delta(msgspec.Struct):
    content: str | None = None
    refusal: str | None = None
    tool_calls: list[ToolCall] | None = None


class Choice(msgspec.Struct):
    delta: Delta | None = None
    message: Delta | None = None
    """In an answer that was not streamed, though it was asked for so."""
    finish_reason: str | None = None


class Details(msgspec.Struct):
    cached_tokens: int | None = None


class Usage(msgspec.Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: Details | None = None


class Chunk(msgspec.Struct):
    choices: list[Choice] | None = None
    usage: Usage | None = None
    error: Any = None


decode = msgspec.json.Decoder(Chunk).decode
"""Raises ``msgspec.DecodeError``."""
