"""The tools in force: the agent's, and beside them a client's own."""

from collections.abc import Mapping, Sequence
from typing import Any

from vivavoce.access.agents import Agent
from vivavoce.protocol.wire.errors import ProtocolError

__all__ = ["as_servers", "merged", "shown"]

Tool = Mapping[str, Any]

_NONE: Mapping[str, str] = {}
_SECRETS = ("authorization", "headers")
"""What a tool may hold that goes in and never comes out."""


def merged(agent: Agent, own: Sequence[Tool], asked: Any, within: str, served: Mapping[str, str] = _NONE) -> list[Tool]:
    """The agent's tools (``own``) and then the client's. A client may send back what it was shown of the agent's.
    ``served`` has the names of those that this server runs, and the label under which clients see each. Raises
    :class:`ProtocolError` for a tool that it may not bring, and for one with a taken name."""
    if not isinstance(asked, list):
        raise ProtocolError("invalid_type", f"'{within}' is a list.", param=within)
    taken = {_name(tool): shown(tool, own=True) for tool in own}
    added = []
    for index, tool in enumerate(asked):
        where = f"{within}[{index}]"
        if not isinstance(tool, Mapping):
            raise ProtocolError("invalid_type", f"'{where}' is an object.", param=where)
        if _is_served(tool, served, where):
            continue
        if _name(tool) not in taken:
            _check(agent, tool, where)
            added.append(tool)
        elif not _same(shown(tool, own=True), taken[_name(tool)]):
            raise ProtocolError(
                "field_locked", f"The agent has a tool '{_name(tool)}' already; give yours another name.", param=where
            )
    return [*own, *added]


def as_servers(tools: Sequence[Tool], served: Mapping[str, str]) -> list[Tool]:
    """Tools as an echo shows them: those that this server runs are a client's to see, and not to answer."""
    labels: dict[str, list[str]] = {}
    for tool in tools:
        if tool.get("type") == "function" and (label := served.get(str(tool.get("name")))):
            labels.setdefault(label, []).append(str(tool["name"]))
    others = [tool for tool in tools if tool.get("type") != "function" or tool.get("name") not in served]
    servers = [
        {"type": "mcp", "server_label": label, "allowed_tools": names, "require_approval": "never"}
        for label, names in labels.items()
    ]
    return [*others, *servers]


def shown(tool: Tool, *, own: bool = False) -> dict[str, Any]:
    """A tool as an echo may show it: no credential, and of a server of the agent's ``own`` not even the address, which
    may be a secret itself."""
    hidden = (*_SECRETS, "server_url") if own else _SECRETS
    return {key: value for key, value in tool.items() if key not in hidden}


def _is_served(tool: Tool, served: Mapping[str, str], where: str) -> bool:
    """Whether a client sends back what it was shown of a tool that this server runs."""
    if tool.get("type") == "function" and tool.get("name") in served:
        words = f"This server runs a tool '{tool['name']}' itself; give yours another name."
        raise ProtocolError("field_locked", words, param=where)
    if tool.get("type") != "mcp" or tool.get("server_label") not in served.values():
        return False
    if "server_url" in tool:
        words = f"This server has tools under the label '{tool['server_label']}' itself; give yours another label."
        raise ProtocolError("field_locked", words, param=where)
    return True


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
