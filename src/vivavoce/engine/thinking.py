"""What a mind is asked: the context of a response, in a mind's terms."""

from collections.abc import Iterator

from vivavoce.models.interfaces import Llm, Message, ModelError, Prompt, Tool
from vivavoce.protocol.session.commands import Context
from vivavoce.protocol.session.items import Item
from vivavoce.protocol.wire.config import FunctionChoice, McpChoice, ToolChoice
from vivavoce.protocol.wire.shape import get

__all__ = ["prompt", "unheard"]


def unheard(context: Context) -> list[str]:
    """Items whose words recognition still owes."""
    return [item.id for item in context.items if any(part.words is None for part in item.content)]


def prompt(context: Context, llm: Llm) -> Prompt:
    """Raises :class:`ModelError` for an image that the mind cannot see."""
    messages = [message for item in context.items for message in _messages(item)]
    if not llm.sees and any(message.images for message in messages):
        raise ModelError(f"The model '{llm.name}' cannot see images; send text, or choose one that can with --llm.")
    functions = [Tool(tool.name, get(tool.description, ""), get(tool.parameters, {})) for tool in context.tools]
    of_servers = [Tool(tool.name, tool.description, tool.parameters) for tool in context.mcp]
    return Prompt(
        instructions=context.instructions,
        messages=messages,
        tools=[*functions, *of_servers],
        tool_choice=_choice(context.tool_choice),
        max_tokens=context.max_output_tokens,
    )


def _messages(item: Item) -> Iterator[Message]:
    fields = item.fields
    match item.type:
        case "message":
            words = " ".join(part.words for part in item.content if part.words)
            images = tuple(part.image_url for part in item.content if part.image_url)
            yield Message(item.role, words, images=images)  # type: ignore[arg-type]
        case "function_call":
            yield Message("call", fields["arguments"], name=fields["name"], call_id=fields["call_id"])
        case "function_call_output":
            yield Message("result", fields["output"], call_id=fields["call_id"])
        case "mcp_call":
            yield Message("call", fields["arguments"], name=fields["name"], call_id=item.id)
            yield Message("result", str(fields.get("output") or fields.get("error") or ""), call_id=item.id)


def _choice(choice: ToolChoice) -> str:
    match choice:
        case FunctionChoice():
            return f"function:{choice.name}"
        case McpChoice():
            return f"function:{get(choice.name, '')}" if get(choice.name, "") else "required"
        case _:
            return choice
