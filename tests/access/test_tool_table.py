"""Tools as their owner writes them down."""

from typing import Any

import pytest

from vivavoce.access.agent_table import AgentError, read_agents
from vivavoce.access.filler import Filler
from vivavoce.access.tool_table import HttpSpec, McpSpec, PythonSpec, ToolError, read_tool, secrets_of

ENVIRON = {"SHOP_TOKEN": "tok-12345678", "SHOP_KEY": "key-12345678"}
HTTP = {"http": "GET https://shop.example/{sku}", "name": "stock", "description": "What there is."}


def read(written: Any) -> Any:
    return read_tool(written, "tools[0]", ENVIRON)


def test_a_text_is_a_python_function():
    spec = read("shop.py:stock")
    assert isinstance(spec, PythonSpec)
    assert (spec.target, spec.timeout) == ("shop.py:stock", 15.0)
    assert read({"python": "shop.orders:stock", "timeout": 60, "filler": False}).filler is None


def test_credentials_come_from_the_environment_and_are_not_shown():
    spec = read({**HTTP, "headers": {"X-V": "2"}, "headers_env": {"X-Key": "SHOP_KEY"},
                 "authorization_env": "SHOP_TOKEN"})  # fmt: skip
    assert isinstance(spec, HttpSpec)
    assert (spec.method, spec.url) == ("GET", "https://shop.example/{sku}")
    assert spec.headers == {"X-V": "2", "X-Key": "key-12345678", "Authorization": "Bearer tok-12345678"}
    assert "12345678" not in repr(spec)
    assert secrets_of([spec]) == ["key-12345678", "tok-12345678"]


def test_an_mcp_server():
    spec = read({"mcp": "https://mcp.example/mcp", "label": "crm", "tools": ["find"], "private": True,
                 "filler": ["One.", "Two."], "filler_after": 1.5})  # fmt: skip
    assert isinstance(spec, McpSpec)
    assert (spec.label, spec.allowed, spec.private) == ("crm", ("find",), True)
    assert spec.filler == Filler(("One.", "Two."), 1.5)


@pytest.mark.parametrize(
    ("written", "words"),
    [
        (3, "tools[0] is a Python function, 'module:function', or a table with python, http or mcp in it."),
        ({"python": "a:b", "http": "GET https://x.example"}, "or a table with python, http or mcp in it."),
        ("weather", "tools[0]: write 'module:function' or 'file.py:function'; this is 'weather'."),
        ("weather.py:", "write 'module:function'"),
        ("weather.py:a.b", "write 'module:function'"),
        ({"python": "a:b", "timeout": 0}, "tools[0].timeout"),
        ({"python": "a:b", "timeout": 9999}, "tools[0].timeout"),
        ({"python": "a:b", "colour": "red"}, "tools[0].colour is no field of such a tool."),
        ({"http": "https://x.example", "name": "a", "description": "b"}, "tools[0].http is a method (GET, POST,"),
        ({"http": "STEAL https://x.example", "name": "a", "description": "b"}, "tools[0].http is a method"),
        ({**HTTP, "name": "a b"}, "tools[0].name: a tool's name has letters"),
        ({**HTTP, "headers": {"Authorization": "Bearer x"}}, "a credential belongs in the environment"),
        ({**HTTP, "headers": {"X": "a\nb"}}, "the header 'X' cannot be sent"),
        ({**HTTP, "authorization_env": "NOWHERE"}, "the variable NOWHERE is not set."),
        ({"mcp": "https://x.example", "label": "server"}, "is what this server's own tools are labelled"),
        ({"mcp": "https://x.example"}, "label"),
    ],
)
def test_what_is_wrong_is_said(written, words):
    with pytest.raises(ToolError) as refused:
        read(written)
    assert words in str(refused.value)


def agent(**table: Any) -> Any:
    return read_agents({"blue": table}, ENVIRON)["blue"]


def test_an_agent_has_tools_of_every_kind_beside_each_other():
    page = {"type": "function", "name": "open_page"}
    theirs = {"type": "mcp", "server_label": "x", "server_url": "https://mcp.example"}
    blue = agent(tools=["shop.py:stock", page, HTTP, theirs])
    assert [type(spec) for spec in blue.serves] == [PythonSpec, HttpSpec]
    assert [tool["type"] for tool in blue.session["tools"]] == ["function", "mcp"]
    assert blue.serves[1].at == "agents.blue.tools[2]"
    assert blue.watched


@pytest.mark.parametrize(
    ("table", "filler"),
    [
        ({}, Filler(("One moment.", "I am still looking."))),
        ({"filler_after": 5}, Filler(("One moment.", "I am still looking."), 5.0)),
        ({"filler": False}, None),
        ({"filler": "Moment, bitte."}, Filler(("Moment, bitte.",))),
        ({"transcription": {"model": "whisper-1", "language": "de"}}, None),
        ({"transcription": False}, Filler(("One moment.", "I am still looking."))),
    ],
)
def test_what_an_agent_says_meanwhile(table, filler):
    assert agent(**table).filler == filler


def test_a_call_that_passes_by_has_no_tools_of_ours():
    with pytest.raises(AgentError, match=r"agents\.blue\.media: a call that is direct passes this server by"):
        agent(tools=["shop.py:stock"], media="direct")
    with pytest.raises(AgentError, match=r"agents\.blue\.tools\[0\]: write 'module:function'"):
        agent(tools=["shop"])
