"""The tools in force: the agent's, and beside them a client's own."""

from collections.abc import Mapping, Sequence
from typing import Any

from vivavoce.access.agents import Agent
from vivavoce.protocol.wire.errors import ProtocolError

__all__ = ["merged", "shown"]

Tool = Mapping[str, Any]

_SECRETS = ("authorization", "headers")
"""What a tool may hold that goes in and never comes out."""


def merged(agent: Agent, own: Sequence[Tool], asked: Any, within: str) -> list[Tool]:
    """The agent's tools (``own``) and then the client's. A client may send back what it was shown of the agent's.
    Raises :class:`ProtocolError` for a tool that it may not bring, and for one with a taken name."""
    if not isinstance(asked, list):
        raise ProtocolError("invalid_type", f"'{within}' is a list.", param=within)
    taken = {_name(tool): shown(tool, own=True) for tool in own}
    added = []
    for index, tool in enumerate(asked):
        where = f"{within}[{index}]"
        if not isinstance(tool, Mapping):
            raise ProtocolError("invalid_type", f"'{where}' is an object.", param=where)
        if _name(tool) not in taken:
            _check(agent, tool, where)
            added.append(tool)
        elif not _same(shown(tool, own=True), taken[_name(tool)]):
            raise ProtocolError(
                "field_locked", f"The agent has a tool '{_name(tool)}' already; give yours another name.", param=where
            )
    return [*own, *added]


def shown(tool: Tool, *, own: bool = False) -> dict[str, Any]:
    """A tool as an echo may show it: no credential, and of a server of the agent's ``own`` not even the address, which
    may be a secret itself."""
    hidden = (*_SECRETS, "server_url") if own else _SECRETS
    return {key: value for key, value in tool.items() if key not in hidden}


def _check(agent: Agent, tool: Tool, where: str) -> None:
    name = "tools" if tool.get("type") == "function" else "mcp"
    if name not in agent.client_may:
        what = "functions" if name == "tools" else "MCP servers"
        raise ProtocolError("field_locked", f"This agent takes no {what} from a client.", param=where)


def _same(sent: Tool, ours: Tool) -> bool:
    """An echo may have come back with fields filled in."""
    return all(sent.get(key) == value for key, value in ours.items())


def _name(tool: Tool) -> str:
    return f"{tool.get('type')} {tool.get('server_label') if tool.get('type') == 'mcp' else tool.get('name')}"
