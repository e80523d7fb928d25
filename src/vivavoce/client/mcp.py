"""The one client of MCP servers: lists tools and calls them, where the operator allows it.

A server is reached anew for each listing and each call, and nothing stays open between them. What goes wrong becomes
an :class:`McpError` in the API's kinds (E-36), in words that hold no credential.
"""

import asyncio
import importlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from vivavoce.client.allowlist import AllowList
from vivavoce.client.mcp_error import INVALID_PARAMS, failure
from vivavoce.client.resolving import Resolve, resolve
from vivavoce.protocol.wire.config import McpTool
from vivavoce.protocol.wire.shape import get

if TYPE_CHECKING:
    from vivavoce.client.mcp_wire import Server

__all__ = ["McpClient", "arguments_of"]

_OURS = frozenset(
    "connection content-length content-type expect host keep-alive proxy-authorization te trailer transfer-encoding "
    "upgrade".split()
)
"""Headers that are the transport's to write."""


class McpClient:
    """The engine's gateway (``engine/mcp.py``). ``resolve`` looks names up; ``remedy`` is how whoever runs this server
    lets it reach a private address, by default with ``--allow-mcp``."""

    def __init__(self, allowed: AllowList, resolve: Resolve = resolve, remedy: str | None = None) -> None:
        self._allowed, self._resolve, self._remedy = allowed, resolve, remedy

    async def warm(self) -> None:
        """Load what the first listing would wait for."""
        if self._allowed:
            await asyncio.to_thread(importlib.import_module, "vivavoce.client.mcp_wire")

    async def list_tools(self, server: McpTool) -> Sequence[Mapping[str, Any]]:
        return await (await self._server(server)).list_tools()

    async def call_tool(self, server: McpTool, name: str, arguments: str) -> str:
        return await self.call(server, name, arguments_of(name, arguments))

    async def call(self, server: McpTool, name: str, arguments: dict[str, Any]) -> str:
        """The result as text. Raises :class:`McpError`."""
        return await (await self._server(server)).call_tool(name, arguments)

    async def _server(self, tool: McpTool) -> "Server":
        """Where to go and with what, if it may be gone to at all."""
        url = get(tool.server_url, None) or ""
        if self._allowed.find_url(url) is None:
            raise failure(f"{_origin(url)} is no MCP server that this one may reach. {_how(url)}")
        headers = dict(get(tool.headers, {}))
        for name in headers:
            if name.lower() in _OURS or name.lower().startswith("mcp-"):
                raise failure(f"The header '{name}' cannot be set for an MCP server.", INVALID_PARAMS)
        if token := get(tool.authorization, None):
            headers["Authorization"] = f"Bearer {token}"
        await self.warm()
        from vivavoce.client.mcp_wire import Server  # half a second, but for warm(), which took it to a thread

        return Server(url, headers, self._allowed, self._resolve, self._remedy)


def arguments_of(name: str, arguments: str) -> dict[str, Any]:
    """The arguments that a mind wrote. Raises :class:`McpError`."""
    try:
        given = msgspec.json.decode(arguments or "{}")
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise failure(f"The arguments of '{name}' are not JSON: {error}.", INVALID_PARAMS) from None
    if not isinstance(given, dict):
        raise failure(f"The arguments of '{name}' are not a JSON object.", INVALID_PARAMS)
    return given


def _origin(url: str) -> str:
    """The part of an address that holds no secret."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "This address"
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _how(url: str) -> str:
    origin = _origin(url)
    if origin.startswith(("http://", "https://")) and "@" not in url:
        return f"Whoever runs it can allow it: vivavoce serve --allow-mcp {origin}"
    return "Give an http:// or https:// address, and credentials in 'authorization' or 'headers'."
