"""Tools from vivavoce.toml: read, loaded before anybody is served, and looked at by doctor."""

import sys
from pathlib import Path

import click
import pytest

from tests.support.mcp_server import mcp_host
from vivavoce.access.tool_table import HttpSpec, McpSpec, PythonSpec
from vivavoce.cli import building
from vivavoce.cli.checks.finding import Finding
from vivavoce.cli.checks.tools import tools
from vivavoce.cli.settings import Settings, SettingsError, load

TOML = """
tools = ["shop.py:hours"]

[[agents.clerk.tools]]
http = "GET https://shop.example/{sku}"
name = "stock"
description = "What there is."
parameters = { type = "object", properties = { sku = { type = "string" } }, required = ["sku"] }
authorization_env = "SHOP_TOKEN"

[[agents.clerk.tools]]
mcp = "MCP"
label = "crm"
tools = ["forecast"]
"""
SHOP = 'def hours() -> str:\n    """When it is open."""\n    return "always"\n'
ENVIRON = {"SHOP_TOKEN": "tok-12345678"}


@pytest.fixture(autouse=True)
def _path():
    before = list(sys.path)
    yield
    sys.path[:] = before


def settings(directory: Path, toml: str = TOML, shop: str = SHOP, **options: object) -> Settings:
    (directory / "vivavoce.toml").write_text(toml.replace("MCP", "https://mcp.example/mcp"))
    (directory / "shop.py").write_text(shop)
    return load({"data_dir": str(directory / "data"), **options}, directory=directory, environ=ENVIRON)


async def found(given: Settings) -> list[Finding]:
    return [finding async for finding in tools(given)]


def test_tools_of_all_and_of_an_agent(tmp_path):
    given = settings(tmp_path)
    assert [type(spec) for spec in given.tools] == [PythonSpec]
    assert [type(spec) for spec in given.agents["clerk"].serves] == [HttpSpec, McpSpec]
    assert given.tools_dir == tmp_path
    assert "tok-12345678" in given.secrets
    assert "tok-12345678" not in repr(given)


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ('tools = "shop.py:hours"', "tools is a list, such as"),
        ('tools = ["shop"]', "tools[0]: write 'module:function' or 'file.py:function'; this is 'shop'."),
        ('[[tools]]\nmcp = "x"\n', "Missing required parameter: 'tools[0].label'."),
        ('[agents.a]\ntools = ["shop"]', "agents.a.tools[0]: write 'module:function'"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path, toml, words):
    with pytest.raises(SettingsError) as refused:
        settings(tmp_path, toml)
    assert f"{tmp_path / 'vivavoce.toml'}: {words}" in str(refused.value)


def test_the_server_does_not_start_with_a_tool_that_does_not_load(tmp_path):
    given = settings(tmp_path, 'tools = ["shop.py:hours"]', "1 / 0")
    with pytest.raises(click.ClickException, match="does not load: ZeroDivisionError"):
        building.build_app(given, 0, https=False)


async def test_doctor_loads_them_and_asks_mcp_servers(tmp_path):
    async with mcp_host() as host:
        given = settings(tmp_path, TOML.replace("MCP", host.at("/mcp")))
        assert [(each.level, each.says) for each in await found(given)] == [
            ("ok", "The MCP server 'crm' offers 1."),
            ("ok", "hours, stock, forecast."),
        ]
        missing = settings(tmp_path, TOML.replace("MCP", host.at("/mcp")).replace('"forecast"', '"gone"'))
        assert (await found(missing))[0].says == "The MCP server 'crm' has no gone."
    down = (await found(given))[0]
    assert (down.level, down.says) == ("fail", "The MCP server 'crm': Nothing answers at 127.0.0.1.")


async def test_doctor_tells_what_does_not_load_and_what_passes_by(tmp_path):
    broken = await found(settings(tmp_path, 'tools = ["shop.py:nothing"]'))
    assert [(each.level, each.says) for each in broken] == [
        ("fail", "tools[0] (shop.py:nothing): there is no 'nothing' in shop.py.")
    ]
    direct = settings(tmp_path, 'tools = ["shop.py:hours"]', backend="upstream", webrtc="direct",
                      upstream_url="http://127.0.0.1:9/v1")  # fmt: skip
    assert [each.level for each in await found(direct)] == ["ok", "warn"]
    assert await found(settings(tmp_path, "")) == []
