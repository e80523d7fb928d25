"""One call of a tool: whatever becomes of it, a result that the model can speak of; what was the matter is logged."""

import asyncio
import logging
from collections.abc import Callable

from vivavoce.client.mcp import arguments_of
from vivavoce.client.mcp_error import McpError
from vivavoce.protocol.session.mcp import McpFailure
from vivavoce.tools.interface import MAX_RESULT, Caller, ServerTool, ToolError

__all__ = ["run"]

log = logging.getLogger(__name__)


async def run(tool: ServerTool, arguments: str, caller: Caller, clock: Callable[[], float]) -> str | McpFailure:
    """``arguments`` is a JSON text from a model. Cancelling this gives the call up; nothing else is ever raised."""
    begun = clock()
    result = await _attempt(tool, arguments, caller)
    outcome = result.kind if isinstance(result, McpFailure) else "ok"
    log.info("tool name=%s outcome=%s seconds=%.3f", tool.name, outcome, clock() - begun)
    return result


async def _attempt(tool: ServerTool, arguments: str, caller: Caller) -> str | McpFailure:
    try:
        async with asyncio.timeout(tool.timeout) as patience:
            result = await tool.call(arguments_of(tool.name, arguments), caller)
    except McpError as error:
        log.warning("tool %s: %s", tool.name, error)
        return error.failure
    except ToolError as error:
        return _failed(str(error) or "It failed.")
    except asyncio.CancelledError:
        if (task := asyncio.current_task()) is not None and task.cancelling():
            raise
        log.warning("tool %s gave itself up", tool.name)
        return _failed("It gave up.")
    except Exception as error:
        if patience.expired():
            log.warning("tool %s did not answer within %g s", tool.name, tool.timeout)
            return _failed(f"It did not answer within {tool.timeout:g} seconds.")
        log.warning("tool %s failed", tool.name, exc_info=error)
        return _failed("It failed, and nobody here knows why.")
    if len(result) > MAX_RESULT:
        log.warning("tool %s returned %d characters, which is more than a model is given", tool.name, len(result))
        return _failed(f"Its answer is too long to be used: {len(result)} characters; {MAX_RESULT} is the most.")
    return result


def _failed(words: str) -> McpFailure:
    return McpFailure("tool_execution_error", words[:MAX_RESULT])
