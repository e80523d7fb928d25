"""One response under way: the steps of its mind, and the MCP calls between them (O-55, O-57).

mind ──▶ parts … Done ──┬── nothing called ────────────────────────────────▶ the response may end
                        └── calls run, or wait for the client's approval ──▶ the mind goes on with the results
"""

from dataclasses import replace
from typing import Any

from vivavoce.protocol.session import usage
from vivavoce.protocol.session.commands import CallMcp, Context, Start
from vivavoce.protocol.session.items import Item
from vivavoce.protocol.session.mcp import Mcp, McpFailure
from vivavoce.protocol.session.outbox import Outbox
from vivavoce.protocol.session.parts import CallPart, Done, Usage
from vivavoce.protocol.session.response import Response
from vivavoce.protocol.wire.config import McpTool, Tool

__all__ = ["MAX_STEPS", "Making"]

MAX_STEPS = 16
"""How often a mind may go on in one response after MCP calls."""


class Making:
    def __init__(self, response: Response, context: Context, tools: tuple[Tool, ...], mcp: Mcp, out: Outbox) -> None:
        self.response = response
        self._context, self._tools, self._mcp, self._out = context, tools, mcp, out
        self._usage = Usage()
        self._steps = 1
        self._used = 0
        """How many items of the response's own output are in the context already."""
        self._approvals: dict[str, Item] = {}
        """Calls that wait for the client's word, by the id of the request."""

    def begin(self) -> None:
        """Have the mind begin, or go on."""
        self._out.command(Start(self.response.id, self._context))

    def listed(self) -> None:
        """The MCP servers that were given with the response itself are known now (O-58)."""
        self._context = replace(self._context, mcp=self._mcp.offered(self._tools))
        self.begin()

    def call(self, part: CallPart) -> None:
        """The mind calls a function of the client's, or a tool of a server's."""
        labels = {function.name: function.server_label for function in self._context.mcp}
        self.response.call(part, labels.get(part.name))

    def step_done(self, done: Done) -> bool:
        """The mind has finished, or finished asking. Whether that was all: else it goes on by itself."""
        self._usage = self._usage.plus(done.usage)
        self.response.close_open("completed" if done.reason == "stop" else "incomplete")
        if done.reason != "stop" or not self.response.waiting or self._steps >= MAX_STEPS:
            return True
        for call in list(self.response.waiting):
            self._ask_or_run(call)
        return False

    def count(self) -> dict[str, Any]:
        """Usage of all steps; what the response itself put into the context is not counted as input again."""
        items = self._context.items[: len(self._context.items) - self._used]
        return usage.count(replace(self._context, items=items), self.response.output, self._usage)

    def awaits(self, request_id: str) -> bool:
        return request_id in self._approvals

    def approved(self, request_id: str, *, approve: bool, reason: str | None) -> None:
        """The client's answer to an approval request."""
        call = self._approvals.pop(request_id)
        if approve:
            self._run(call)
        else:
            message = f"The call was declined: {reason}" if reason else "The call was declined."
            self._take(call, McpFailure("tool_execution_error", message))

    def result(self, item_id: str, result: str | McpFailure) -> None:
        """The driver's answer to :class:`CallMcp`."""
        call = next((call for call in self.response.waiting if call.id == item_id), None)
        if call is not None:
            self._take(call, result)

    def _ask_or_run(self, call: Item) -> None:
        label, name = call.fields["server_label"], call.fields["name"]
        tool = next(tool for tool in self._tools if isinstance(tool, McpTool) and tool.server_label == label)
        if self._mcp.needs_approval(tool, name):
            self._approvals[self.response.ask_approval(call)] = call
        else:
            self._run(call)

    def _run(self, call: Item) -> None:
        self.response.call_runs(call)
        tool, fields = self._mcp.definition(call.fields["server_label"]), call.fields
        self._out.command(CallMcp(self.response.id, call.id, tool, fields["name"], fields["arguments"]))

    def _take(self, call: Item, result: str | McpFailure) -> None:
        if isinstance(result, McpFailure):
            self.response.call_ended(call, {"error": result.view()}, failed=True)
        else:
            self.response.call_ended(call, {"output": result}, failed=False)
        if not self.response.waiting:
            self._steps += 1
            items = (*self._context.items, *self.response.output[self._used :])
            self._context, self._used = replace(self._context, items=items), len(self.response.output)
            self.begin()
