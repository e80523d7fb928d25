"""What clients of chat completions send, as far as a model here is told of it. Sampling parameters are taken and have
no effect on models that have none; what would change the shape of the answer is refused."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from vivavoce.models.interfaces import Message, Prompt, Tool
from vivavoce.protocol.wire.errors import ProtocolError
from vivavoce.protocol.wire.shape import check

__all__ = ["Chat", "ChatMessage", "flat_choice", "flat_tool", "nested_choice", "nested_tool", "prompt"]

Json = Mapping[str, Any]
Tokens = Annotated[int, Meta(ge=1)] | None

MAX_MESSAGES = 2048


class StreamOptions(msgspec.Struct):
    include_usage: bool | None = None


class Chat(msgspec.Struct, kw_only=True):
    messages: Annotated[list[dict[str, Any]], Meta(min_length=1, max_length=MAX_MESSAGES)]
    model: Annotated[str, Meta(max_length=256)] = ""
    """``agent:NAME`` speaks with an agent."""
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    tools: list[dict[str, Any]] | None = None
    tool_choice: str | dict[str, Any] | None = None
    max_tokens: Tokens = None
    max_completion_tokens: Tokens = None
    n: int | None = None
    response_format: dict[str, Any] | None = None
    modalities: list[str] | None = None
    logprobs: bool | None = None
    metadata: dict[str, Any] | None = None
    """``thread`` names the thread that this belongs to."""
    agent: str | None = None
    context: Any = None
    """Page context. These two are ours."""

    @property
    def most(self) -> int | None:
        return self.max_completion_tokens or self.max_tokens

    @property
    def tells_usage(self) -> bool:
        return bool(self.stream_options and self.stream_options.include_usage)


class Part(msgspec.Struct):
    type: str
    text: str | None = None
    refusal: str | None = None
    image_url: dict[str, Any] | str | None = None


class Function(msgspec.Struct):
    name: str
    arguments: str = "{}"


class ToolCall(msgspec.Struct):
    id: str
    function: Function | None = None
    """None: a call of another kind, which is between the client and an upstream."""


class ChatMessage(msgspec.Struct):
    role: str
    content: str | list[Part] | None = None
    tool_calls: list[ToolCall] | None = None
    tool_call_id: str | None = None

    @property
    def words(self) -> str:
        if not isinstance(self.content, list):
            return self.content or ""
        return "\n".join(part.text or part.refusal or "" for part in self.content if part.text or part.refusal)


def prompt(
    chat: Chat,
    messages: Sequence[ChatMessage],
    instructions: str,
    *,
    tools: Sequence[Json],
    choice: Any,
    most: int | None,
) -> Prompt:
    """What a mind here is asked; tools and ``choice`` as the Realtime API writes them, ``most`` in tokens. Raises
    :class:`ProtocolError` for what no mind here can do."""
    _check(chat)
    given = [part for index, message in enumerate(messages) for part in _steps(message, f"messages[{index}]")]
    while given and given[0].role == "system":
        instructions = f"{instructions}\n\n{given.pop(0).text}".strip()
    return Prompt(
        instructions,
        given,
        [Tool(tool["name"], tool.get("description") or "", tool.get("parameters") or {}) for tool in tools],
        f"function:{choice['name']}" if isinstance(choice, Mapping) else choice or "auto",
        most,
    )


def _check(chat: Chat) -> None:
    for param, given, usual in (
        ("n", chat.n, 1),
        ("response_format", (chat.response_format or {}).get("type"), "text"),
        ("modalities", chat.modalities, ["text"]),
        ("logprobs", chat.logprobs, False),
    ):
        if given not in (None, usual):
            words = f"The model that answers here cannot do this: leave '{param}' out."
            raise ProtocolError("unsupported_parameter", words, param=param)


def _steps(message: ChatMessage, at: str) -> list[Message]:
    match message.role:
        case "system" | "developer":
            return [Message("system", message.words)]
        case "user":
            return [Message("user", message.words, images=tuple(_images(message, at)))]
        case "assistant":
            said = [Message("assistant", message.words)] if message.words else []
            calls = ((call.id, call.function) for call in message.tool_calls or ())
            return [*said, *(Message("call", made.arguments, made.name, id) for id, made in calls if made)]
        case "tool":
            return [Message("result", message.words, call_id=message.tool_call_id or "")]
    words = f"A message's role is system, developer, user, assistant or tool, not {message.role[:64]!r}."
    raise ProtocolError("invalid_value", words, param=f"{at}.role")


def _images(message: ChatMessage, at: str) -> list[str]:
    found = []
    for index, part in enumerate(message.content if isinstance(message.content, list) else ()):
        where = f"{at}.content[{index}]"
        if part.type == "image_url":
            url = part.image_url.get("url") if isinstance(part.image_url, dict) else part.image_url
            if not isinstance(url, str) or not url.startswith("data:image/"):
                words = "An image comes as a data: URL here; this server fetches none."
                raise ProtocolError("invalid_value", words, param=where)
            found.append(url)
        elif part.type not in ("text", "refusal"):
            words = f"A part of type {part.type[:64]!r} is not for this model. Speech goes to /v1/audio/transcriptions."
            raise ProtocolError("invalid_value", words, param=f"{where}.type")
    return found


class _Nested(msgspec.Struct):
    name: Annotated[str, Meta(min_length=1, max_length=64)]
    description: str | None = None
    parameters: dict[str, Any] | None = None


def flat_tool(tool: Json, at: str) -> dict[str, Any]:
    """As the Realtime API writes it. Raises :class:`ProtocolError`."""
    if tool.get("type") != "function":
        raise ProtocolError("invalid_value", "A tool is of type 'function' here.", param=f"{at}.type")
    function = check(tool.get("function"), _Nested, f"{at}.function")
    fields = msgspec.to_builtins(function)
    return {"type": "function", **{name: value for name, value in fields.items() if value is not None}}


def nested_tool(tool: Json) -> dict[str, Any]:
    return {"type": "function", "function": {key: value for key, value in tool.items() if key != "type"}}


def flat_choice(choice: Any) -> Any:
    """Raises :class:`ProtocolError`."""
    if isinstance(choice, Mapping):
        name = check(choice.get("function"), _Nested, "tool_choice.function").name
        return {"type": "function", "name": name}
    if choice not in ("auto", "none", "required"):
        raise ProtocolError("invalid_value", "It is auto, none, required or a function.", param="tool_choice")
    return choice


def nested_choice(choice: Any) -> Any:
    return {"type": "function", "function": {"name": choice["name"]}} if isinstance(choice, Mapping) else choice
