"""What was said before, told to a new session at another server, which then goes on as if it had been there.

Each item becomes one that a client may create: words in the place of sound, a call with its result in the place of a
tool that a server called. What the upstream says of that is swallowed, since no client has asked for it.
"""

import asyncio
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from vivavoce.backends.upstream.line import UpstreamLine
from vivavoce.protocol.frame import Closed, Frame

__all__ = ["create", "retell"]

log = logging.getLogger(__name__)

Item = Mapping[str, Any]

MAX_ID = 32
"""Characters of an id that the API takes (E-38)."""
_ORIGIN = "history"
_ECHOES = ("conversation.item.added", "conversation.item.done", "conversation.item.created")
_FINAL = _ECHOES[1:]


async def retell(line: UpstreamLine, items: Sequence[Item], seconds: float) -> None:
    """Returns once the upstream has taken all of it, or said nothing for so many seconds; what else it said meanwhile
    waits to be received. An item that it refuses is left out. Raises :class:`Closed`."""
    wanted = [made for item in items for made in create(item)]
    owed = {str(made["id"]) for made in wanted}
    said: list[Frame] = []
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(_tell(line, wanted))
            while owed:
                async with asyncio.timeout(seconds):
                    frame = await line.receive()
                if frame.origin == _ORIGIN:
                    owed.discard(str((frame.data.get("error") or {}).get("event_id")))
                elif frame.type not in _ECHOES or (id := _id(frame)) not in owed:
                    said.append(frame)
                elif frame.type in _FINAL:
                    owed.discard(id)
    except* TimeoutError:
        log.warning("the upstream has not said of %d items that it knows them now", len(owed))
    except* Closed as gone:
        raise gone.exceptions[0] from None
    line.put_back(said)


async def _tell(line: UpstreamLine, items: Sequence[Item]) -> None:
    kind = "conversation.item.create"
    for item in items:  # its id names the event too: so an error says which one it was
        await line.send(Frame(kind, {"type": kind, "event_id": item["id"], "item": item}, origin=_ORIGIN))


def create(item: Item) -> Iterator[dict[str, Any]]:
    """What a client creates to have this item in the conversation: one item, none, or a pair."""
    id = str(item["id"])[:MAX_ID]
    match item.get("type"):
        case "message":
            if content := [part for part in map(_content, item.get("content") or ()) if part]:
                yield {"id": id, "type": "message", "role": item.get("role"), "content": content}
        case "function_call":
            yield _call(id, item.get("call_id"), item)
        case "function_call_output":
            yield _output(id, item.get("call_id"), item.get("output"))
        case "mcp_call":
            call_id = f"call_{id}"[:MAX_ID]
            yield _call(id, call_id, item)
            yield _output(f"out_{id}"[:MAX_ID], call_id, item.get("output") or item.get("error"))


def _call(id: str, call_id: Any, item: Item) -> dict[str, Any]:
    called = {"name": item.get("name"), "arguments": item.get("arguments") or "{}"}
    return {"id": id, "type": "function_call", "call_id": call_id, **called}


def _output(id: str, call_id: Any, output: Any) -> dict[str, Any]:
    told = output if isinstance(output, str) else json.dumps(output)
    return {"id": id, "type": "function_call_output", "call_id": call_id, "output": told}


def _content(part: Item) -> dict[str, Any] | None:
    match part.get("type"):
        case "input_image":
            return dict(part) if part.get("image_url") else None
        case "output_audio" | "output_text" | "audio" | "text":
            words, kind = part.get("transcript") or part.get("text"), "output_text"
        case _:
            words, kind = part.get("transcript") or part.get("text"), "input_text"
    return {"type": kind, "text": words} if words else None


def _id(frame: Frame) -> str:
    return str((frame.data.get("item") or {}).get("id"))
