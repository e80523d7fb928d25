"""All tools of this server, loaded once: those that every session has, and those of each agent."""

import asyncio
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from vivavoce.access.agents import TRANSFER, Agent, Agents
from vivavoce.access.tool_table import HttpSpec, McpSpec, PythonSpec, ToolSpec
from vivavoce.client.mcp_error import McpError
from vivavoce.client.resolving import Resolve, resolve
from vivavoce.tools.elsewhere import Elsewhere
from vivavoce.tools.functions import load_function
from vivavoce.tools.interface import LoadError, ServerTool
from vivavoce.tools.servers import McpListing

__all__ = ["READY_SECONDS", "Toolbox"]

log = logging.getLogger(__name__)

READY_SECONDS = 3.0
"""How long the first sessions wait for MCP servers to tell what they offer."""
LIST_SECONDS = 10.0
AGAIN_SECONDS, RETRY_SECONDS = 300.0, 30.0
"""After how long a server is asked again, and one that did not answer."""


class Shelf:
    """The tools that were written down in one place."""

    def __init__(self, fixed: Sequence[ServerTool] = (), listed: Sequence[McpListing] = ()) -> None:
        self._fixed, self.listed = tuple(fixed), tuple(listed)

    def __iter__(self) -> Iterator[ServerTool]:
        yield from self._fixed
        for listing in self.listed:
            yield from listing.tools


class Toolbox:
    """``Toolbox()`` is empty. :meth:`run` and :meth:`close` are for whoever serves."""

    def __init__(self, common: Shelf | None = None, agents: Mapping[str, Shelf] | None = None) -> None:
        self._common, self._agents = common or Shelf(), dict(agents or {})
        self._elsewhere: Elsewhere | None = None
        self._asked = asyncio.Event()

    @classmethod
    def load(cls, common: Sequence[ToolSpec], agents: Agents, directory: Path, resolve: Resolve = resolve) -> "Toolbox":
        """``directory`` is where files of functions are. Raises :class:`LoadError`, for names that collide too."""
        elsewhere = Elsewhere()
        shelf = _load(common, directory, elsewhere, resolve)
        self = cls(shelf, {each.name: _load(each.serves, directory, elsewhere, resolve) for each in agents})
        self._elsewhere = elsewhere
        _check("tools", [*shelf], ())
        for agent in agents:
            _check(f"agents.{agent.name}.tools", [*shelf, *self._agents[agent.name]], agent.session.get("tools", ()))
        return self

    def of(self, agent: Agent) -> dict[str, ServerTool]:
        """Those in force while this agent speaks, by name. One whose name is taken, by another or by a function of the
        agent's client, is left out: an MCP server may come to offer anything."""
        taken = {tool.get("name") for tool in agent.session.get("tools", ())}
        found: dict[str, ServerTool] = {}
        for tool in (*self._common, *self._agents.get(agent.name, ())):
            if tool.name not in taken:
                found.setdefault(tool.name, tool)
        return found

    async def ready(self) -> None:
        """Once every MCP server was asked what it offers, or that has taken too long."""
        if self.listings and not self._asked.is_set():
            try:
                async with asyncio.timeout(READY_SECONDS):
                    await self._asked.wait()
            except TimeoutError:
                log.warning("a session begins before all MCP servers have told what they offer")

    async def run(self) -> None:
        """Asks MCP servers what they offer, again and again, until it is cancelled."""
        while self.listings:
            well = await asyncio.gather(*map(_refreshed, self.listings))
            self._asked.set()
            await asyncio.sleep(AGAIN_SECONDS if all(well) else RETRY_SECONDS)

    @property
    def names(self) -> list[str]:
        """Of all tools there are, each once."""
        shelves = (self._common, *self._agents.values())
        return list(dict.fromkeys(tool.name for shelf in shelves for tool in shelf))

    def close(self) -> None:
        if self._elsewhere is not None:
            self._elsewhere.close()

    @property
    def listings(self) -> list[McpListing]:
        """The MCP servers among them."""
        return [listing for shelf in (self._common, *self._agents.values()) for listing in shelf.listed]


def _load(specs: Sequence[ToolSpec], directory: Path, elsewhere: Elsewhere, resolve: Resolve) -> Shelf:
    fixed: list[ServerTool] = []
    listed: list[McpListing] = []
    for spec in specs:
        match spec:
            case PythonSpec():
                fixed.append(load_function(spec, directory, elsewhere))
            case HttpSpec():
                from vivavoce.tools.http import load_http  # a fifth of a second, for those who have one

                fixed.append(load_http(spec, resolve))
            case McpSpec():
                listed.append(McpListing(spec, resolve))
    return Shelf(fixed, listed)


def _check(at: str, tools: Sequence[ServerTool], others: Iterable[Mapping[str, Any]]) -> None:
    """Names are the model's only handle on a tool. Raises :class:`LoadError`."""
    names = [tool.name for tool in tools] + [str(tool["name"]) for tool in others if tool.get("name")]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise LoadError(f"{at}: there are two tools called '{twice}'; give one of them another name.")
    if reserved := next((tool.name for tool in tools if tool.name.startswith(TRANSFER)), None):
        raise LoadError(f"{at}: '{reserved}': names that begin with {TRANSFER} are for handoffs.")


async def _refreshed(listing: McpListing) -> bool:
    try:
        async with asyncio.timeout(LIST_SECONDS):
            await listing.refresh()
    except (McpError, TimeoutError) as error:
        why = str(error) or f"no answer within {LIST_SECONDS:g} s"
        log.warning("the MCP server '%s' could not be listed: %s", listing.label, why)
        return False
    except Exception:
        log.exception("the MCP server '%s' could not be listed", listing.label)
        return False
    for name in listing.missing():
        log.warning("the MCP server '%s' has no tool '%s'", listing.label, name)
    return True
