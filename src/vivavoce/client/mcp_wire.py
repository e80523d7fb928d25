"""MCP over HTTP, with the official client. Imported when the first server is used: half a second and 60 MB.

Streamable HTTP first; a server that refuses it is tried as one of the older kind, with server-sent events.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeVar

import httpx2
from mcp import Client, MCPError
from mcp import types as mcp
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from pydantic import ValidationError

from vivavoce import __version__
from vivavoce.client.allowlist import AllowList
from vivavoce.client.guard import CONNECT_SECONDS, GuardedTransport
from vivavoce.client.mcp_error import McpError, failure
from vivavoce.client.resolving import Resolve
from vivavoce.protocol.session.mcp import McpFailure

__all__ = ["MAX_TOOLS", "Server"]

MAX_TOOLS = 128
"""Tools that one server may offer."""
MAX_PAGES = 32
MAX_MESSAGE = 300
"""Characters of a server's own words in an error."""
FAREWELL_SECONDS = 1.0
"""How long an MCP session may take to end once the result is there."""
TIMEOUT = httpx2.Timeout(60.0, connect=CONNECT_SECONDS)
"""Whoever asks has a shorter patience of its own: this is for a connection that nobody waits for any more."""

_NOT_STREAMABLE = {400, 404, 405}
"""What a server of the older kind answers (MCP 2025-03-26, Transports, Backwards Compatibility)."""

for library in ("httpcore2", "httpx2", "mcp"):
    logging.getLogger(library).setLevel(logging.WARNING)  # below that they write addresses and headers down

_ME = mcp.Implementation(name="vivavoce", version=__version__)

T = TypeVar("T")


class Server:
    """One MCP server, for one listing or one call. The methods raise :class:`McpError`."""

    def __init__(
        self, url: str, headers: Mapping[str, str], allowed: AllowList, resolve: Resolve, remedy: str | None = None
    ) -> None:
        self._url, self._headers = url, dict(headers)
        self._guard = GuardedTransport(allowed, resolve, remedy=remedy)

    async def list_tools(self) -> list[dict[str, Any]]:
        """``name``, ``description``, ``input_schema`` and ``annotations`` of each tool."""
        return await self._asked(_tools)

    async def call_tool(self, name: str, arguments: dict[str, Any]) -> str:
        """The result as text."""
        request = mcp.CallToolRequest(params=mcp.CallToolRequestParams(name=name, arguments=arguments))

        async def call(client: Client) -> str:
            # client.call_tool() would list the tools again, to hold the result against a schema that nobody reads here
            result = await client.session.send_request(request, mcp.CallToolResult)
            if result.is_error:
                said = _text(result) or f"'{name}' failed and does not say why."
                raise McpError(McpFailure("tool_execution_error", said))
            return _text(result)

        return await self._asked(call)

    async def _asked(self, ask: Callable[[Client], Awaitable[T]]) -> T:
        try:
            return await _over(self._streamable(), ask)
        except Exception as error:
            fault = self._explained(_leaf(error))
            if self._guard.status not in _NOT_STREAMABLE or not isinstance(_leaf(error), MCPError):
                raise fault from None
        try:
            return await _over(self._events(), ask)
        except Exception as error:
            neither = isinstance(_leaf(error), httpx2.HTTPStatusError)
            raise (fault if neither else self._explained(_leaf(error))) from None

    @asynccontextmanager
    async def _streamable(self) -> AsyncIterator[Any]:
        async with self._http() as http, streamable_http_client(self._url, http_client=http) as streams:
            yield streams

    def _events(self) -> AbstractAsyncContextManager[Any]:
        return sse_client(self._url, httpx_client_factory=self._http)

    def _http(self, *_: Any, **__: Any) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(transport=self._guard, headers=self._headers, timeout=TIMEOUT, trust_env=False)

    def _explained(self, error: BaseException) -> BaseException:
        """In the API's terms; what is none of its faults, as it is."""
        if self._guard.refused:
            return self._guard.refused
        match error:
            case MCPError() if self._guard.status >= 400:
                message = f"The MCP server answers with HTTP status {self._guard.status}: {error.message}"
                return failure(self._harmless(message), self._guard.status, "http_error")
            case MCPError():
                return failure(self._harmless(error.message), error.code)
            case httpx2.HTTPError() | ValidationError():
                return failure(f"The MCP server broke off or answered what is no MCP ({type(error).__name__}).")
        return error

    def _harmless(self, message: str) -> str:
        """A server may repeat what it was told."""
        for secret in self._headers.values():
            message = message.replace(secret.removeprefix("Bearer "), "…")
        return message[:MAX_MESSAGE]


async def _over(transport: AbstractAsyncContextManager[Any], ask: Callable[[Client], Awaitable[T]]) -> T:
    """What ``ask`` gets from the server; then it matters no more how the connection ends."""
    results: list[T] = []
    try:
        async with asyncio.timeout(None) as patience:
            async with Client(transport, client_info=_ME) as client:
                results.append(await ask(client))
                patience.reschedule(asyncio.get_running_loop().time() + FAREWELL_SECONDS)
    except Exception:
        if not results:
            raise
    return results[0]


async def _tools(client: Client) -> list[dict[str, Any]]:
    tools: list[dict[str, Any]] = []
    cursor = None
    for _ in range(MAX_PAGES):
        page = await client.list_tools(cursor=cursor)
        tools += [_shown(tool) for tool in page.tools]
        if (cursor := page.next_cursor) is None or len(tools) > MAX_TOOLS:
            break
    if cursor is not None or len(tools) > MAX_TOOLS:
        raise failure(f"The MCP server offers more than {MAX_TOOLS} tools, which is the most that can be used.")
    return tools


def _shown(tool: mcp.Tool) -> dict[str, Any]:
    """As an ``mcp_list_tools`` item has it. A client drops the item where ``description`` is no text (C-36)."""
    annotations = tool.annotations and tool.annotations.model_dump(mode="json", by_alias=True, exclude_none=True)
    return {
        "name": tool.name,
        "description": tool.description or "",
        "input_schema": tool.input_schema,
        "annotations": annotations,
    }


def _text(result: mcp.CallToolResult) -> str:
    """The parts that are text; a mind reads nothing else."""
    return "\n".join(part.text for part in result.content if isinstance(part, mcp.TextContent))


def _leaf(error: BaseException) -> BaseException:
    """The first fault inside the groups that task groups make."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
