"""Tools that this server runs for the model: Python functions, HTTP calls, MCP servers.

What somebody who writes a tool needs stands here: ``from vivavoce.tools import Caller, ToolError``.
"""

from vivavoce.tools.interface import Caller, ToolError

__all__ = ["Caller", "ToolError"]
