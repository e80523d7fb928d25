"""A real MCP server on loopback, made with the official package: a forecast, and a tool that fails."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import uvicorn
from mcp.server.mcpserver import MCPServer
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from vivavoce.server.run import listen

__all__ = ["McpHost", "mcp_host", "serving_http", "weather"]


@dataclass
class McpHost:
    port: int
    seen: list[Request] = field(default_factory=list)
    """Every request that came in."""

    def at(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"


def weather() -> MCPServer:
    server = MCPServer("weather")

    @server.tool(description="Tells the weather")
    def forecast(city: str) -> str:
        return f"rain in {city}"

    @server.tool()
    def broken() -> str:
        raise RuntimeError("the barometer is stuck")

    return server


@asynccontextmanager
async def mcp_host(server: MCPServer | None = None) -> AsyncIterator[McpHost]:
    """At ``/mcp``."""
    async with serving_http((server or weather()).streamable_http_app()) as host:
        yield host


@asynccontextmanager
async def serving_http(app: ASGIApp) -> AsyncIterator[McpHost]:
    """Any application, on a free loopback port."""
    listening = listen("127.0.0.1", 0)
    host = McpHost(listening.getsockname()[1])

    async def watched(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            host.seen.append(Request(scope))
        await app(scope, receive, send)

    server = uvicorn.Server(uvicorn.Config(watched, log_config=None, access_log=False, timeout_graceful_shutdown=1))
    async with asyncio.TaskGroup() as group:
        running = group.create_task(server.serve([listening]))
        try:
            yield host
        finally:
            server.should_exit = True
            await asyncio.wait([running])
