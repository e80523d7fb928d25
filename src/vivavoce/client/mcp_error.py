"""How the listing or the call of an MCP server fails, in the API's terms (E-36)."""

from vivavoce.protocol.session.mcp import McpFailure

__all__ = ["INVALID_PARAMS", "UNREACHABLE", "McpError", "failure"]

INVALID_PARAMS = -32602  # JSON-RPC 2.0, 5.1
UNREACHABLE = -32000


class McpError(Exception):
    """The words hold no credential."""

    def __init__(self, failure: McpFailure) -> None:
        super().__init__(failure.message)
        self.failure = failure


def failure(message: str, code: int = UNREACHABLE, kind: str = "protocol_error") -> McpError:
    return McpError(McpFailure(kind, message, code))
