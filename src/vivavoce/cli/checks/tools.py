"""The tools that this server runs: each is loaded, and each MCP server is asked what it offers."""

import asyncio
from collections.abc import AsyncIterator

from vivavoce.cli import compose
from vivavoce.cli.checks.finding import Finding, bad, fine, warn
from vivavoce.cli.settings import Settings
from vivavoce.client.mcp_error import McpError
from vivavoce.tools.interface import LoadError
from vivavoce.tools.servers import McpListing

__all__ = ["tools"]

PATIENCE = 10.0
"""Seconds that an MCP server may take."""


async def tools(settings: Settings) -> AsyncIterator[Finding]:
    try:
        toolbox = compose.toolbox(settings)
    except LoadError as error:
        yield bad("tools", str(error), "The server does not start with it.")
        return
    for listing in toolbox.listings:
        yield await _listed(listing)
    if names := toolbox.names:
        yield fine("tools", f"{', '.join(names)}.")
        if settings.answers == "upstream" and settings.webrtc == "direct":
            yield warn("tools", "Calls pass this server by, so pages see what the model asks of them.", "webrtc = auto")
    toolbox.close()


async def _listed(listing: McpListing) -> Finding:
    try:
        async with asyncio.timeout(PATIENCE):
            await listing.refresh()
    except (McpError, TimeoutError) as error:
        why = str(error) or f"It does not answer within {PATIENCE:g} s."
        return bad("tools", f"The MCP server '{listing.label}': {why}", "Sessions begin without its tools.")
    if missing := listing.missing():
        return warn("tools", f"The MCP server '{listing.label}' has no {', '.join(missing)}.", "Correct its tools.")
    return fine("tools", f"The MCP server '{listing.label}' offers {len(listing.tools)}.")
