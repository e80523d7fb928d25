"""The client of MCP servers, with a real one."""

import asyncio
import json
import logging
from collections.abc import Sequence
from typing import Any

import pytest
from mcp.server.mcpserver import MCPServer
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.support.leaks import no_leaks
from tests.support.mcp_server import mcp_host, serving_http, weather
from vivavoce.client import mcp_wire
from vivavoce.client.allowlist import Allowed, AllowList
from vivavoce.client.mcp import McpClient
from vivavoce.client.mcp_error import McpError
from vivavoce.protocol.session.mcp import McpFailure
from vivavoce.protocol.wire.config import McpTool


async def loopback(host: str, port: int) -> Sequence[str]:
    return ["127.0.0.1"]


def client(*allowed: str) -> McpClient:
    return McpClient(AllowList(map(Allowed.parse, allowed)), loopback)


def server(url: str, **more: Any) -> McpTool:
    return McpTool(server_label="weather", server_url=url, **more)


async def fails(url: str, *allowed: str, name: str = "forecast", arguments: str = '{"city": "Rome"}') -> McpFailure:
    with pytest.raises(McpError) as caught:
        await client(*(allowed or (url,))).call_tool(server(url), name, arguments)
    return caught.value.failure


async def test_tools_are_listed():
    async with no_leaks(), mcp_host() as host:
        forecast, broken = await client(host.at("/")).list_tools(server(host.at("/mcp")))
    assert (forecast["name"], forecast["description"]) == ("forecast", "Tells the weather")
    assert forecast["input_schema"]["required"] == ["city"]
    assert broken["description"] == ""


async def test_a_tool_is_called():
    async with no_leaks(), mcp_host() as host:
        url = host.at("/mcp")
        assert await client(url).call_tool(server(url), "forecast", '{"city": "Rome"}') == "rain in Rome"


async def test_a_server_of_the_older_kind():
    async with serving_http(weather().sse_app()) as host:
        weather_service = client(host.at("/"))
        assert len(await weather_service.list_tools(server(host.at("/sse")))) == 2
        assert (
            await weather_service.call_tool(server(host.at("/sse")), "forecast", '{"city": "Rome"}') == "rain in Rome"
        )


async def test_credentials_reach_the_server_and_no_log(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    async with mcp_host() as host:
        url = host.at("/mcp?key=in-the-address")
        tool = server(url, authorization="tok-secret", headers={"X-Key": "also-secret"})
        await client(url.partition("?")[0]).list_tools(tool)
    for request in host.seen:
        assert request.headers["authorization"] == "Bearer tok-secret"
        assert request.headers["x-key"] == "also-secret"
        assert request.query_params["key"] == "in-the-address"
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("mcp.server")]
    assert not [line for line in ours if "secret" in line or "in-the-address" in line]


async def test_what_a_tool_says_of_its_failure():
    async with mcp_host() as host:
        failed = await fails(host.at("/mcp"), name="broken", arguments="{}")
    assert failed == McpFailure("tool_execution_error", "Error executing tool broken")


@pytest.mark.parametrize("arguments", ["{", "[1]", '"text"', '{"city": "\udcff"}', "[" * 100_000])
async def test_arguments_that_are_no_object(arguments: str):
    async with mcp_host() as host:
        failed = await fails(host.at("/mcp"), arguments=arguments)
    assert (failed.kind, failed.code) == ("protocol_error", -32602)
    assert failed.message.startswith("The arguments of 'forecast' are not")
    assert not host.seen


async def test_a_server_that_is_not_allowed_is_not_reached():
    async with mcp_host() as host:
        for allowed in ("https://mcp.example", host.at("/other"), f"http://localhost:{host.port}"):
            failed = await fails(host.at("/mcp"), allowed)
            assert failed.kind == "protocol_error"
            assert failed.message == (
                f"http://127.0.0.1:{host.port} is no MCP server that this one may reach. Whoever runs it can allow it: "
                f"vivavoce serve --allow-mcp http://127.0.0.1:{host.port}"
            )
        assert not host.seen


async def test_an_address_with_a_password_in_it_is_refused_without_repeating_it():
    failed = await fails("https://me:tok-secret@mcp.example/", "https://mcp.example")
    assert "tok-secret" not in failed.message


@pytest.mark.parametrize("name", ["Host", "Content-Length", "Transfer-Encoding", "Mcp-Session-Id"])
async def test_headers_that_are_not_a_client_s_to_set(name: str):
    with pytest.raises(McpError, match=f"The header '{name}' cannot be set"):
        await client("https://mcp.example").list_tools(server("https://mcp.example", headers={name: "x"}))


async def test_a_header_that_would_begin_another_request():
    async with mcp_host() as host:
        tool = server(host.at("/mcp"), headers={"X-Key": "a\r\nX-Other: b"})
        with pytest.raises(McpError):
            await client(host.at("/")).list_tools(tool)
        assert not host.seen


@pytest.mark.parametrize("status", [401, 403, 429, 500])
async def test_a_server_that_answers_with_an_http_error(status: int):
    async with serving_http(PlainTextResponse("no", status)) as host:
        failed = await fails(host.at("/mcp"))
    assert (failed.kind, failed.code) == ("http_error", status)
    assert failed.message.startswith(f"The MCP server answers with HTTP status {status}")


async def test_what_repeats_a_credential_is_cleaned():
    async def repeats(scope: Scope, receive: Receive, send: Send) -> None:
        said = dict(scope["headers"])[b"authorization"].decode()
        error = {"jsonrpc": "2.0", "id": 1, "error": {"code": -32000, "message": f"bad token: {said}" + "x" * 9999}}
        await JSONResponse(error, 400)(scope, receive, send)

    async with serving_http(repeats) as host:
        with pytest.raises(McpError) as caught:
            await client(host.at("/")).list_tools(server(host.at("/mcp"), authorization="tok-secret"))
    message = caught.value.failure.message
    assert "bad token: Bearer …" in message
    assert "secret" not in message
    assert len(message) == mcp_wire.MAX_MESSAGE


@pytest.mark.parametrize("answer", [PlainTextResponse("hello"), JSONResponse({"jsonrpc": "2.0"}), JSONResponse([1])])
async def test_what_is_no_mcp_server(answer: ASGIApp):
    async with serving_http(answer) as host:
        assert (await fails(host.at("/mcp"))).kind == "protocol_error"


async def test_nobody_there():
    async with serving_http(PlainTextResponse("")) as host:
        url = host.at("/mcp")
    failed = await fails(url)
    assert (failed.kind, failed.message) == ("protocol_error", "Nothing answers at 127.0.0.1.")


async def test_a_redirect_to_elsewhere_is_not_followed():
    async with serving_http(PlainTextResponse("secret of the own network")) as inner:
        for target in (inner.at("/mcp"), inner.at("/mcp", "localhost")):
            async with serving_http(RedirectResponse(target)) as host:
                failed = await fails(host.at("/mcp"))
            assert failed.kind == "protocol_error"
        assert not inner.seen


async def test_a_redirect_out_of_what_is_allowed_is_not_followed():
    async with serving_http(RedirectResponse("/admin")) as host:
        failed = await fails(host.at("/mcp"), host.at("/mcp"))
    assert "which is not allowed here" in failed.message
    assert {request.url.path for request in host.seen} == {"/mcp"}


async def test_more_tools_than_can_be_used():
    many = MCPServer("many")
    for index in range(mcp_wire.MAX_TOOLS + 1):
        many.add_tool(lambda: "", name=f"tool{index}")
    async with mcp_host(many) as host:
        with pytest.raises(McpError, match="offers more than 128 tools"):
            await client(host.at("/")).list_tools(server(host.at("/mcp")))


async def test_a_session_that_does_not_end_keeps_no_result_back(monkeypatch: pytest.MonkeyPatch):
    """A server that knows only the handshake of 2025, and hangs when the session is to be ended."""
    monkeypatch.setattr(mcp_wire, "FAREWELL_SECONDS", 0.1)
    app, never = weather().streamable_http_app(), asyncio.Event()
    methods: list[str] = []

    async def older(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await app(scope, receive, send)
        body = b""
        while scope["method"] == "POST" and (message := await receive())["type"] == "http.request":
            body += message["body"]
            if not message["more_body"]:
                break
        methods.append(json.loads(body)["method"] if body else scope["method"])
        if methods[-1] == "server/discover":
            return await PlainTextResponse("", 404)(scope, receive, send)
        if methods[-1] == "DELETE":
            await never.wait()
        rest = iter([{"type": "http.request", "body": body}])

        async def again() -> Any:
            return next(rest, None) or await receive()

        return await app(scope, again, send)

    async with serving_http(older) as host:
        assert (
            await client(host.at("/")).call_tool(server(host.at("/mcp")), "forecast", '{"city": "Rome"}')
            == "rain in Rome"
        )
        never.set()
    assert [method for method in methods if method != "GET"] == [
        "server/discover", "initialize", "notifications/initialized", "tools/call", "DELETE",
    ]  # fmt: skip


async def test_who_gives_up_leaves_nothing_behind():
    asked = asyncio.Event()

    async def hangs(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        asked.set()
        while (await receive())["type"] != "http.disconnect":
            pass

    async with serving_http(hangs) as host, no_leaks():
        call = asyncio.create_task(client(host.at("/")).list_tools(server(host.at("/mcp"))))
        await asked.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
