"""A tool as a session uses it, whatever it is made of; who is calling; and how a call fails in words."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from msgspec import UNSET, UnsetType

from vivavoce.access.filler import Filler
from vivavoce.access.tool_table import TIMEOUT_SECONDS

__all__ = ["MAX_RESULT", "Caller", "LoadError", "ServerTool", "ToolError"]

MAX_RESULT = 32_768
"""Characters of a result: a model has to read it while somebody waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """For whom a tool runs. A function that has a parameter of this type is given one; the model never fills it in."""

    session: str
    """``sess_…``"""
    owner: str
    """Whose session it is: ``local``, ``key:…``, ``user:…`` or ``share:…``. A user's is the ``sub`` of their token."""
    agent: str = ""
    """The agent that speaks just now; empty where there is none."""
    context: Mapping[str, str] = field(default_factory=dict)
    """What the page told of itself. Whoever controls the page wrote it: believe it no more than a form."""


class ToolError(Exception):
    """Raised by a tool, it tells the model in its words what went wrong, and the conversation goes on."""


class LoadError(Exception):
    """A tool cannot be used as it is written down. The message is for its owner: which, why, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerTool:
    name: str
    label: str
    """The ``server_label`` under which clients see it."""
    description: str
    parameters: Mapping[str, Any]
    """JSON Schema of an object."""
    call: Callable[[dict[str, Any], Caller], Awaitable[str]] = field(repr=False)
    """The result as text, from the arguments that the model gave. Raises :class:`ToolError`, or anything else."""
    timeout: float = TIMEOUT_SECONDS
    filler: Filler | UnsetType | None = UNSET
    """As :class:`~vivavoce.access.tool_table.ToolSpec` has it."""

    def definition(self) -> dict[str, Any]:
        """As whoever answers is told of it."""
        return {
            "type": "function",
            "name": self.name,
            "description": self.description,
            "parameters": dict(self.parameters),
        }
