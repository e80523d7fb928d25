"""The pieces of tool calls, put together: servers differ in how they say which piece belongs to which call.

OpenAI numbers the calls (``index``) and names each once (``id``). Ollama and Gemini give all of them the number 0, and
each an id; others give no number, or repeat the name in every piece. The first call is told as it comes; those beside
it are kept until it is complete, since a piece may yet come for any of them.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from vivavoce.models.interfaces import Answer, Call, CallArguments
from vivavoce.models.llm.remote.chunk import ToolCall

__all__ = ["Calls"]


@dataclass(slots=True)
class _Open:
    index: int | None
    id: str
    name: str
    arguments: str = ""


class Calls:
    def __init__(self) -> None:
        self._open: list[_Open] = []

    def __bool__(self) -> bool:
        return bool(self._open)

    def push(self, pieces: Sequence[ToolCall]) -> Iterator[Answer]:
        for piece in pieces:
            function = piece.function
            name = (function.name if function else None) or ""
            arguments = _text(function.arguments if function else None)
            call = self._find(piece, name)
            if call is None:
                call = _Open(piece.index, piece.id or "", name)
                self._open.append(call)
                if call is self._open[0]:
                    yield Call(call.name, call.id)
            if call is not self._open[0]:
                call.arguments += arguments
            elif arguments:
                yield CallArguments(arguments)

    def finish(self) -> Iterator[Answer]:
        """The calls beside the first, one after the other."""
        for call in self._open[1:]:
            yield Call(call.name, call.id)
            yield CallArguments(call.arguments or "{}")

    def _find(self, piece: ToolCall, name: str) -> _Open | None:
        """The call that this is a piece of; None for the first piece of another."""
        for call in reversed(self._open):
            if piece.id and call.id:
                if piece.id == call.id:
                    return call
            elif piece.index == call.index and not (name and name != call.name):
                return call
        return None


def _text(arguments: Any) -> str:
    if arguments is None or isinstance(arguments, str):
        return arguments or ""
    return json.dumps(arguments)
