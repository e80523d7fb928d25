"""MCP servers of a session: which are known by their label, what they offer, and what may be called (O-53 to O-58).

The core never speaks to one: it asks the driver to list and to call. A server's tools are listed once, when
its label first appears, and are known by that label for the rest of the session.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vivavoce.protocol.session.commands import ListMcp, McpFunction
from vivavoce.protocol.session.items import Item
from vivavoce.protocol.session.state import Shared
from vivavoce.protocol.wire.config import McpApproval, McpTool, McpToolFilter, Tool
from vivavoce.protocol.wire.errors import ProtocolError
from vivavoce.protocol.wire.shape import UnsetType, get

__all__ = ["Mcp", "McpFailure"]


@dataclass(frozen=True, slots=True)
class McpFailure:
    """Why a listing or a call failed, in the API's kinds (E-36): ``protocol_error``, ``http_error`` (both with
    a code) or ``tool_execution_error``."""

    kind: str
    message: str
    code: int = 0

    def view(self) -> dict[str, Any]:
        error: dict[str, Any] = {"type": self.kind, "message": self.message}
        return error if self.kind == "tool_execution_error" else {**error, "code": self.code}


@dataclass(slots=True)
class _Server:
    tool: McpTool
    item: Item
    tools: tuple[Mapping[str, Any], ...] | None = None
    """``{"name", "description", "input_schema", "annotations"}`` of each; None until they are listed."""


class Mcp:
    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._servers: dict[str, _Server] = {}
        self._waiting: list[tuple[set[str], Callable[[], None]]] = []

    # Definition -------------------------------------------------------------------------------------

    def check(self, tools: Sequence[Tool], at: str) -> None:
        """Raises for a definition that is wrong (O-56), before anything of it is used."""
        labels: set[str] = set()
        for index, tool in enumerate(tools):
            if isinstance(tool, McpTool):
                if tool.server_label in labels:
                    raise _wrong(f"There are two MCP servers labelled '{tool.server_label}'.", f"{at}[{index}]")
                labels.add(tool.server_label)
                self._check_one(tool, f"{at}[{index}]")

    def adopt(self, tools: Sequence[Tool]) -> None:
        """Have the servers listed that are not known yet."""
        for tool in tools:
            if isinstance(tool, McpTool) and tool.server_label not in self._servers:
                self._list(tool)

    def when_listed(self, tools: Sequence[Tool], then: Callable[[], None]) -> None:
        """Call ``then`` once every server of these tools is listed, or has failed to be (O-58)."""
        labels = {tool.server_label for tool in tools if isinstance(tool, McpTool)}
        waiting = {label for label in labels if self._servers[label].tools is None}
        if waiting:
            self._waiting.append((waiting, then))
        else:
            then()

    def listed(self, server_label: str, found: Sequence[Mapping[str, Any]] | McpFailure) -> None:
        """The driver's answer to :class:`ListMcp`."""
        server, out = self._servers[server_label], self._shared.out
        failed = isinstance(found, McpFailure)
        tools: tuple[Mapping[str, Any], ...] = ()
        if isinstance(found, McpFailure):
            server.item.fields["error"] = found.message  # where the Responses API has it; here no event would say why
        else:
            tools = tuple(found)
        server.tools = tools
        server.item.fields["tools"] = [dict(tool) for tool in tools]
        server.item.status = "incomplete" if failed else "completed"
        self._shared.conversation.done(server.item)
        out.event(f"mcp_list_tools.{'failed' if failed else 'completed'}", item_id=server.item.id)
        waiting, self._waiting = self._waiting, []
        for labels, then in waiting:
            labels.discard(server_label)
            if labels:
                self._waiting.append((labels, then))
            else:
                then()
        if failed:
            del self._servers[server_label]  # giving the label again tries again

    # Use --------------------------------------------------------------------------------------------

    def offered(self, tools: Sequence[Tool]) -> tuple[McpFunction, ...]:
        """What a mind may call of the listed servers among ``tools`` (O-54)."""
        functions = []
        for tool in tools:
            server = self._servers.get(tool.server_label) if isinstance(tool, McpTool) else None
            for found in (server.tools or ()) if server else ():
                assert isinstance(tool, McpTool)
                if _matches(tool.allowed_tools, found, default=True):
                    name, schema = found["name"], found.get("input_schema") or {}
                    functions.append(McpFunction(tool.server_label, name, found.get("description") or "", schema))
        return tuple(functions)

    def definition(self, server_label: str) -> McpTool:
        return self._servers[server_label].tool

    def needs_approval(self, tool: McpTool, name: str) -> bool:
        """``require_approval`` of the tool in force; ``always`` unless said otherwise (S-31)."""
        rule = tool.require_approval
        if not isinstance(rule, McpApproval):
            return rule != "never"
        found = self._found(tool.server_label, name)
        return not _matches(rule.never, found, default=False) and _matches(rule.always, found, default=True)

    # ------------------------------------------------------------------------------------------------

    def _found(self, label: str, name: str) -> Mapping[str, Any]:
        tools = self._servers[label].tools or ()
        return next((found for found in tools if found["name"] == name), {"name": name})

    def _list(self, tool: McpTool) -> None:
        out = self._shared.out
        fields = {"server_label": tool.server_label, "tools": []}
        item = Item(out.ids("mcpl"), "mcp_list_tools", "in_progress", fields=fields)
        self._servers[tool.server_label] = _Server(tool, item)
        out.event("mcp_list_tools.in_progress", item_id=item.id)
        self._shared.conversation.add(item)
        out.command(ListMcp(tool))

    def _check_one(self, tool: McpTool, at: str) -> None:
        if get(tool.connector_id, None) or get(tool.tunnel_id, None):
            raise _wrong("Connectors and tunnels are run by OpenAI; give a 'server_url' here.", f"{at}.connector_id")
        known = self._servers.get(tool.server_label)
        if not get(tool.server_url, None) and known is None:
            raise _wrong("An MCP server needs a 'server_url' the first time it is named.", f"{at}.server_url")
        headers = {name.lower() for name in get(tool.headers, {})}
        if get(tool.authorization, None) and "authorization" in headers:
            raise _wrong("Give 'authorization' or an Authorization header, not both.", f"{at}.authorization")


def _matches(rule: list[str] | McpToolFilter | UnsetType | None, found: Mapping[str, Any], *, default: bool) -> bool:
    if rule is None or isinstance(rule, UnsetType):
        return default
    if isinstance(rule, list):
        return found["name"] in rule
    names, read_only = get(rule.tool_names, None), get(rule.read_only, None)
    if names is not None and found["name"] not in names:
        return False
    annotations = found.get("annotations") or {}
    return read_only is None or bool(annotations.get("readOnlyHint")) == read_only


def _wrong(message: str, param: str) -> ProtocolError:
    return ProtocolError("invalid_value", message, param=param)
