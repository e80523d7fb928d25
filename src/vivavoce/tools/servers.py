"""MCP servers of the owner's as tools. What one offers is listed beforehand, so that no session waits for it."""

import logging
from collections.abc import Sequence
from typing import Any

from vivavoce.access.tool_table import NAME, McpSpec
from vivavoce.client.allowlist import Allowed, AllowList
from vivavoce.client.mcp import McpClient
from vivavoce.client.resolving import Resolve
from vivavoce.protocol.wire.config import McpTool
from vivavoce.tools.interface import Caller, LoadError, ServerTool

__all__ = ["McpListing"]

log = logging.getLogger(__name__)


class McpListing:
    """One server. Raises :class:`LoadError` for an address that is none."""

    def __init__(self, spec: McpSpec, resolve: Resolve) -> None:
        self._spec = spec
        try:
            allowed = Allowed.parse(f"{spec.url.partition('?')[0]}{'#private' if spec.private else ''}")
        except ValueError as error:
            raise LoadError(f"{spec.at}.mcp {error}.") from None
        self._client = McpClient(AllowList([allowed]), resolve, remedy="private = true")
        self._server = McpTool(server_label=spec.label, server_url=spec.url, headers=dict(spec.headers))
        self.tools: tuple[ServerTool, ...] = ()
        """What it offered when it was last asked."""

    @property
    def label(self) -> str:
        return self._spec.label

    async def refresh(self) -> None:
        """Ask it what it offers. Raises ``McpError``; what it offered before then still counts."""
        found = await self._client.list_tools(self._server)
        self.tools = tuple(self._tool(each) for each in found if self._wanted(each["name"]))

    def missing(self) -> Sequence[str]:
        """Tools that its owner named and it does not offer."""
        offered = {tool.name for tool in self.tools}
        return [name for name in self._spec.allowed or () if name not in offered]

    def _wanted(self, name: str) -> bool:
        if not NAME.fullmatch(name):
            log.warning("the MCP server '%s' offers %r, which no model takes as a name", self.label, name)
            return False
        return self._spec.allowed is None or name in self._spec.allowed

    def _tool(self, found: Any) -> ServerTool:
        name = found["name"]

        async def call(arguments: dict[str, Any], caller: Caller) -> str:
            return await self._client.call(self._server, name, arguments)

        return ServerTool(
            name=name,
            label=self.label,
            description=found["description"],
            parameters=found["input_schema"] or {"type": "object", "properties": {}},
            call=call,
            timeout=self._spec.timeout,
            filler=self._spec.filler,
        )
