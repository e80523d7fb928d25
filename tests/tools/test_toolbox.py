"""All tools of a server: whose they are, names that collide, MCP servers that come, go and offer what they like."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from mcp.server.mcpserver import MCPServer

from tests.support.mcp_server import mcp_host
from tests.support.tool_sessions import tools_agent
from tests.support.virtual_time import virtual_time
from vivavoce.access.agents import Agents
from vivavoce.access.tool_table import McpSpec, PythonSpec, ToolSpec
from vivavoce.client.mcp_error import failure
from vivavoce.protocol.session.mcp import McpFailure
from vivavoce.tools.interface import Caller, LoadError
from vivavoce.tools.running import run
from vivavoce.tools.servers import McpListing
from vivavoce.tools.toolbox import READY_SECONDS, Shelf, Toolbox

CALLER = Caller(session="sess_1", owner="local")


@pytest.fixture(autouse=True)
def _path():
    before = list(sys.path)
    yield
    sys.path[:] = before


def python(name: str) -> PythonSpec:
    return PythonSpec(at="tools[0]", target=f"mine.py:{name}")


def server(url: str, **given: Any) -> McpSpec:
    return McpSpec(at="tools[0]", label="clouds", url=url, **given)


def load(directory: Path, common: Sequence[ToolSpec], **agents: Sequence[ToolSpec]) -> tuple[Toolbox, Agents]:
    text = "".join(f'def {name}() -> str:\n    """It."""\n    return "{name}"\n\n' for name in "abc")
    (directory / "mine.py").write_text(text)
    them = Agents({name: tools_agent(name, serves=tuple(serves)) for name, serves in agents.items()})
    return Toolbox.load(common, them, directory), them


def test_an_agent_has_its_own_and_those_of_all(tmp_path):
    toolbox, agents = load(tmp_path, [python("a")], blue=[python("b")], red=[python("c")])
    assert list(toolbox.of(agents["blue"])) == ["a", "b"]
    assert list(toolbox.of(tools_agent(""))) == ["a"]
    assert toolbox.names == ["a", "b", "c"]
    toolbox.close()


def test_names_that_collide_are_refused(tmp_path):
    with pytest.raises(LoadError, match=r"agents.blue.tools: there are two tools called 'a'"):
        load(tmp_path, [python("a")], blue=[python("a")])
    them = Agents({"blue": tools_agent("blue", session={"tools": [{"type": "function", "name": "a"}]})})
    with pytest.raises(LoadError, match=r"agents.blue.tools: there are two tools called 'a'"):
        Toolbox.load([python("a")], them, tmp_path)
    (tmp_path / "other.py").write_text('def transfer_to_red() -> str:\n    """It."""\n')
    with pytest.raises(LoadError, match="are for handoffs"):
        Toolbox.load([PythonSpec(at="tools[0]", target="other.py:transfer_to_red")], Agents(), tmp_path)


async def test_an_mcp_server_is_listed_and_called(tmp_path):
    async with mcp_host() as host:
        toolbox, _ = load(tmp_path, [server(host.at("/mcp"), headers={"X-Key": "k-1"}, allowed=("forecast", "gone"))])
        running = asyncio.create_task(toolbox.run())
        await toolbox.ready()
        tools = toolbox.of(tools_agent(""))
        assert [(name, tool.label, tool.description) for name, tool in tools.items()] == [
            ("forecast", "clouds", "Tells the weather")
        ]
        assert tools["forecast"].parameters["required"] == ["city"]
        clock = asyncio.get_running_loop().time
        assert await run(tools["forecast"], '{"city": "Linz"}', CALLER, clock) == "rain in Linz"
        assert toolbox.listings[0].missing() == ["gone"]
        assert host.seen[0].headers["x-key"] == "k-1"
        running.cancel()
        await asyncio.wait([running])
    toolbox.close()


async def test_a_server_s_failures_are_in_its_words():
    async with mcp_host() as host:
        listing = McpListing(server(host.at("/mcp")), resolve_nothing)
        await listing.refresh()
        broken = next(tool for tool in listing.tools if tool.name == "broken")
        result = await run(broken, "{}", CALLER, asyncio.get_running_loop().time)
    assert isinstance(result, McpFailure)
    assert result.kind == "tool_execution_error"


async def resolve_nothing(host: str, port: int) -> Sequence[str]:
    return [host]


async def test_what_no_model_takes_as_a_name_and_what_is_taken_is_left_out(tmp_path, caplog):
    odd = MCPServer("odd")
    odd.tool(name="a.b c")(lambda: "x")
    odd.tool(name="a")(lambda: "x")
    async with mcp_host(odd) as host:
        toolbox, _ = load(tmp_path, [python("a"), server(host.at("/mcp"))])
        running = asyncio.create_task(toolbox.run())
        await toolbox.ready()
        assert [(tool.name, tool.label) for tool in toolbox.of(tools_agent("")).values()] == [("a", "server")]
        running.cancel()
        await asyncio.wait([running])
    assert "offers 'a.b c', which no model takes as a name" in caplog.text
    toolbox.close()


class Flaky(McpListing):
    """Answers every second time, after a while."""

    def __init__(self, seconds: float) -> None:
        super().__init__(server("https://mcp.example/mcp"), resolve_nothing)
        self.seconds, self.asked = seconds, 0

    async def refresh(self) -> None:
        self.asked += 1
        await asyncio.sleep(self.seconds)
        if self.asked % 2:
            raise failure("It is asleep.")


@virtual_time
async def test_one_that_does_not_answer_is_asked_again_and_holds_no_session_up_for_long(caplog):
    slow = Flaky(5.0)
    toolbox = Toolbox(Shelf(listed=[slow]))
    clock = asyncio.get_running_loop().time
    running = asyncio.create_task(toolbox.run())
    await toolbox.ready()
    assert clock() == READY_SECONDS
    await asyncio.sleep(40.0)
    assert slow.asked == 2
    await toolbox.ready()
    assert clock() == READY_SECONDS + 40.0
    await asyncio.sleep(300.0)
    assert slow.asked == 3
    running.cancel()
    await asyncio.wait([running])
    assert "the MCP server 'clouds' could not be listed: It is asleep." in caplog.text


async def test_without_servers_nothing_is_waited_for():
    toolbox = Toolbox()
    await toolbox.run()
    await toolbox.ready()
    toolbox.close()
