"""Which responses are under way: one may speak in the conversation, any number out of band beside it (O-32)."""

from vivavoce.protocol.session import usage
from vivavoce.protocol.session.commands import Cancel, Context
from vivavoce.protocol.session.making import Making
from vivavoce.protocol.session.mcp import Mcp, McpFailure
from vivavoce.protocol.session.parts import Done, Failed
from vivavoce.protocol.session.planning import Plan
from vivavoce.protocol.session.response import Response
from vivavoce.protocol.session.state import Shared
from vivavoce.protocol.wire.config import Tool
from vivavoce.protocol.wire.errors import ProtocolError

__all__ = ["MAX_RESPONSES", "UnderWay"]

MAX_RESPONSES = 16
"""Of one session."""


class UnderWay:
    def __init__(self, shared: Shared, mcp: Mcp) -> None:
        self._shared, self._mcp, self._out = shared, mcp, shared.out
        self._active: dict[str, Making] = {}
        self.default: str | None = None
        """The response that speaks in the conversation."""

    def __contains__(self, response_id: object) -> bool:
        return response_id in self._active

    def find(self, response_id: str) -> Making | None:
        return self._active.get(response_id)

    # How they begin ---------------------------------------------------------------------------------

    def check_room(self, *, out_of_band: bool) -> None:
        """Raises :class:`ProtocolError` where one more is too many."""
        if not out_of_band and self.default is not None:
            raise ProtocolError(
                "conversation_already_has_active_response",
                f"Conversation already has an active response in progress: {self.default}. Wait until the response "
                "is finished before creating a new one.",
            )
        if len(self._active) >= MAX_RESPONSES:
            message = f"There are {MAX_RESPONSES} responses under way; wait until one is done."
            raise ProtocolError("rate_limit_exceeded", message)

    def start(self, plan: Plan, context: Context, tools: tuple[Tool, ...], *, own_tools: bool) -> None:
        """``own_tools``: they were given with this response, so their servers may have to be asked first (O-58)."""
        response = Response(self._out.ids("resp"), plan, self._shared.conversation, self._out)
        active = self._active[response.id] = Making(response, context, tools, self._mcp, self._out)
        if plan.in_conversation:
            self.default = response.id
        if own_tools:
            self._mcp.adopt(tools)
            self._mcp.when_listed(tools, lambda: self._listed(active))
        else:
            active.begin()

    def _listed(self, active: Making) -> None:
        if active.response.id in self._active:
            active.listed()

    # How they end -----------------------------------------------------------------------------------

    def finish(self, response_id: str, done: Done) -> None:
        active = self._active.pop(response_id)
        active.response.finish(done, active.count())

    def fail(self, response_id: str, failed: Failed) -> None:
        """Its maker has failed."""
        self._active.pop(response_id).response.fail(failed, usage.ZERO)

    def give_up(self, response_id: str, failed: Failed) -> None:
        """It fails, and its maker is told to stop."""
        active = self._stop(response_id)
        active.response.fail(failed, active.count())

    def cancel(self, response_id: str, reason: str) -> None:
        active = self._stop(response_id)
        active.response.cancel(reason, active.count())

    def _stop(self, response_id: str) -> Making:
        self._out.command(Cancel(response_id))
        return self._active.pop(response_id)

    def settle(self) -> None:
        """After one has ended: free the slot, and tell how many more there may be (E-31, O-07): here a request is a
        response under way, and one that has ended frees its place at once."""
        if self.default not in self._active:
            self.default = None
        if self._shared.settings.tells_limits:
            requests = {"name": "requests", "limit": MAX_RESPONSES, "remaining": MAX_RESPONSES - len(self._active)}
            self._out.event("rate_limits.updated", rate_limits=[{**requests, "reset_seconds": 0.0}])

    # MCP calls --------------------------------------------------------------------------------------

    def awaits(self, request_id: str) -> bool:
        """Whether a call waits for the client's word under this id."""
        return any(active.awaits(request_id) for active in self._active.values())

    def approved(self, request_id: str, *, approve: bool, reason: str | None) -> None:
        """The client's answer to an approval request."""
        active = next(active for active in self._active.values() if active.awaits(request_id))
        active.approved(request_id, approve=approve, reason=reason)

    def mcp_result(self, response_id: str, item_id: str, result: str | McpFailure) -> None:
        """The driver's answer to :class:`CallMcp`; dropped if the response has ended meanwhile."""
        if active := self._active.get(response_id):
            active.result(item_id, result)
