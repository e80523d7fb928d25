"""MCP servers for one session: lists and calls run in the background, and each ends with an answer to the core.

Which servers may be reached at all, and how, is the gateway's to say: see :class:`McpGateway`.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from vivavoce.client.mcp_error import McpError
from vivavoce.protocol.session.commands import CallMcp, ListMcp
from vivavoce.protocol.session.mcp import McpFailure
from vivavoce.protocol.wire.config import McpTool

__all__ = ["CALL_SECONDS", "LIST_SECONDS", "McpGateway", "McpServers"]

log = logging.getLogger(__name__)

LIST_SECONDS = 10.0
CALL_SECONDS = 60.0


class McpGateway(Protocol):
    """The one way to MCP servers, for the whole process."""

    async def list_tools(self, server: McpTool) -> Sequence[Mapping[str, Any]]:
        """``name``, ``description``, ``input_schema``, ``annotations`` of each tool. Raises :class:`McpError`."""

    async def call_tool(self, server: McpTool, name: str, arguments: str) -> str:
        """The result as text. ``arguments`` is a JSON text from a model: it may be wrong. Raises :class:`McpError`."""


class McpServers:
    """``listed(label, tools | failure)`` and ``result(response_id, item_id, text | failure)`` take the answers."""

    def __init__(
        self,
        gateway: McpGateway | None,
        group: asyncio.TaskGroup,
        listed: Callable[[str, Sequence[Mapping[str, Any]] | McpFailure], None],
        result: Callable[[str, str, str | McpFailure], None],
    ) -> None:
        self._gateway, self._group = gateway, group
        self._listed, self._result = listed, result
        self._calls: dict[str, set[asyncio.Task[None]]] = {}

    def list(self, command: ListMcp) -> None:
        self._group.create_task(self._list(command.tool), name=f"list {command.tool.server_label}")

    def call(self, command: CallMcp) -> None:
        task = self._group.create_task(self._call(command), name=f"call {command.name}")
        calls = self._calls.setdefault(command.response_id, set())
        calls.add(task)
        task.add_done_callback(lambda _: self._call_ended(command.response_id, task))

    def cancel(self, response_id: str) -> None:
        """Give up the calls of a response."""
        for task in self._calls.get(response_id, ()):
            task.cancel()

    def _call_ended(self, response_id: str, task: asyncio.Task[None]) -> None:
        calls = self._calls[response_id]
        calls.discard(task)
        if not calls:
            del self._calls[response_id]

    async def _list(self, server: McpTool) -> None:
        found: Sequence[Mapping[str, Any]] | McpFailure
        try:
            async with asyncio.timeout(LIST_SECONDS):
                found = await self._reachable().list_tools(server)
        except Exception as error:
            found = _failure(error, LIST_SECONDS)
            log.warning("the MCP server '%s' could not be listed: %s", server.server_label, found.message)
        self._listed(server.server_label, found)

    async def _call(self, command: CallMcp) -> None:
        result: str | McpFailure
        try:
            async with asyncio.timeout(CALL_SECONDS):
                result = await self._reachable().call_tool(command.tool, command.name, command.arguments)
        except Exception as error:
            result = _failure(error, CALL_SECONDS)
        self._result(command.response_id, command.item_id, result)

    def _reachable(self) -> McpGateway:
        if self._gateway is None:
            raise McpError(McpFailure("protocol_error", "This server reaches no MCP servers: none is allowed.", -32000))
        return self._gateway


def _failure(error: Exception, seconds: float) -> McpFailure:
    match error:
        case McpError():
            return error.failure
        case TimeoutError():
            return McpFailure("protocol_error", f"The MCP server did not answer within {seconds:g} s.", -32001)
        case _:
            log.error("an MCP server could not be used", exc_info=error)
            return McpFailure("protocol_error", "The MCP server could not be used.", -32603)
