"""HTTP calls as tools: where they go, with what, and what becomes of the answers."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.support.mcp_server import McpHost, serving_http
from vivavoce.access.tool_table import HttpSpec
from vivavoce.client.resolving import resolve
from vivavoce.protocol.session.mcp import McpFailure
from vivavoce.tools.http import load_http
from vivavoce.tools.interface import Caller, LoadError, ServerTool
from vivavoce.tools.running import run

SKU = {"type": "object", "properties": {"sku": {"type": "string"}, "size": {"type": "integer"}}, "required": ["sku"]}


async def echo(request: Request) -> JSONResponse:
    body = (await request.body()).decode()
    told = {"method": request.method, "path": request.scope["raw_path"].decode(), "query": str(request.url.query)}
    return JSONResponse(told | {"body": json.loads(body) if body else None, "key": request.headers.get("x-key")})


async def flood(request: Request) -> PlainTextResponse:
    return PlainTextResponse("x" * 2_000_000)


async def long(request: Request) -> PlainTextResponse:
    return PlainTextResponse("x" * 40_000)


async def broken(request: Request) -> JSONResponse:
    return JSONResponse({"detail": "no such article"}, 404)


async def away(request: Request) -> RedirectResponse:
    return RedirectResponse("http://169.254.169.254/latest/meta-data")


async def picture(request: Request) -> Response:
    return Response(b"\x89PNG", media_type="image/png")


async def empty(request: Request) -> Response:
    return Response(status_code=204)


async def hangs(request: Request) -> Response:
    await asyncio.Event().wait()
    return Response()


ROUTES = {"flood": flood, "long": long, "broken": broken, "away": away, "picture": picture, "empty": empty}
APP = Starlette(
    routes=[
        *(Route(f"/{name}", handle) for name, handle in ROUTES.items()),
        Route("/hangs", hangs),
        Route("/{path:path}", echo, methods=["GET", "POST", "PUT", "PATCH", "DELETE"]),
    ]
)


def http_tool(written: str, host: McpHost | None = None, **given: Any) -> ServerTool:
    method, _, url = written.partition(" ")
    at = f"http://127.0.0.1:{host.port}{url}" if host else url
    spec = {"at": "tools[0]", "name": "stock", "description": "It.", "parameters": SKU, "headers": {"X-Key": "k-1234"}}
    return load_http(HttpSpec(method=method, url=at, **{**spec, **given}), resolve)


async def called(tool: ServerTool, **arguments: Any) -> str | McpFailure:
    caller = Caller(session="sess_1", owner="local")
    return await run(tool, json.dumps(arguments), caller, asyncio.get_running_loop().time)


async def failure(tool: ServerTool, **arguments: Any) -> McpFailure:
    result = await called(tool, **arguments)
    assert isinstance(result, McpFailure), result
    return result


@pytest.mark.parametrize(
    ("written", "arguments", "told"),
    [
        ("GET /stock/{sku}", {"sku": "a b/c?d#e"}, {"path": "/stock/a%20b%2Fc%3Fd%23e", "query": ""}),
        ("GET /stock/{sku}", {"sku": "a", "size": 3}, {"path": "/stock/a", "query": "size=3"}),
        ("GET /stock?of={sku}&v=1", {"sku": "a&b", "size": 3}, {"path": "/stock", "query": "of=a%26b&v=1&size=3"}),
        ("DELETE /stock/{sku}", {"sku": "a"}, {"method": "DELETE", "body": None}),
        ("POST /stock", {"sku": "a", "size": 3}, {"method": "POST", "body": {"sku": "a", "size": 3}, "query": ""}),
        ("PUT /stock/{sku}", {"sku": "a", "size": 3}, {"method": "PUT", "path": "/stock/a", "body": {"size": 3}}),
    ],
)
async def test_what_a_model_gives_finds_its_place(written, arguments, told):
    async with serving_http(APP) as host:
        answer = json.loads(str(await called(http_tool(written, host), **arguments)))
    assert {name: answer[name] for name in told} == told
    assert answer["key"] == "k-1234"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "The arguments are wrong: 'sku' is a required property"),
        ({"sku": 3}, "The arguments are wrong: 3 is not of type 'string'"),
        ({"sku": ".."}, "'sku' cannot be '..'."),
        ({"sku": ""}, "'sku' cannot be ''."),
        ({"sku": "a/../../b"}, "'stock' leads to http://127.0.0.1:PORT, which is not allowed here."),
    ],
)
async def test_wrong_arguments_go_nowhere(arguments, words):
    async with serving_http(APP) as host:
        said = (await failure(http_tool("GET /stock/{sku}", host), **arguments)).message
        assert said == words.replace("PORT", str(host.port))
        assert not host.seen


@pytest.mark.parametrize(
    ("path", "kind", "words"),
    [
        ("flood", "protocol_error", "'stock' answers with more than 1024 KiB."),
        ("long", "tool_execution_error", "Its answer is too long to be used"),
        ("broken", "http_error", 'HTTP status 404: {"detail":"no such article"}'),
        ("away", "http_error", "It leads somewhere else, which is not followed."),
        ("picture", "http_error", "It answers with image/png, which is no text."),
    ],
)
async def test_an_answer_that_is_none(path, kind, words):
    async with serving_http(APP) as host:
        failed = await failure(http_tool(f"GET /{path}", host), sku="a")
        assert len(host.seen) == 1
    assert failed.kind == kind
    assert failed.message.startswith(words)


async def test_nothing_to_say_is_said_so_and_one_that_hangs_is_given_up():
    async with serving_http(APP) as host:
        assert await called(http_tool("DELETE /empty", host), sku="a") != ""
        assert "did not answer" in (await failure(http_tool("GET /hangs", host, timeout=0.2), sku="a")).message


async def test_a_name_that_leads_into_the_own_network_is_refused_unless_it_is_marked():
    async def home(host: str, port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    async with serving_http(APP) as host:
        for private in (False, True):
            spec = HttpSpec(
                at="tools[0]", name="stock", description="It.", method="GET", parameters=SKU, headers={},
                url=f"http://shop.example:{host.port}/stock/{{sku}}", private=private,
            )  # fmt: skip
            result = await called(load_http(spec, home), sku="a")
            if private:
                assert json.loads(str(result))["path"] == "/stock/a"
            else:
                assert isinstance(result, McpFailure)
                assert result.message == (
                    "shop.example leads to 127.0.0.1, which is not on the public internet. Whoever runs this server "
                    "can allow that: private = true"
                )
        assert len(host.seen) == 1


@pytest.mark.parametrize(
    ("written", "given", "words"),
    [
        ("GET https://{sku}.example/", {}, "has a parameter in its host"),
        ("GET https://user:word@shop.example/", {}, "is not an address"),
        ("GET https://shop.example/{other}", {}, "'other' stands in the address, so it has to be a required"),
        ("GET https://shop.example/{size}", {}, "'size' stands in the address, so it has to be a required"),
        ("GET https://shop.example/", {"parameters": {"type": "string"}}, "is the JSON Schema of an object"),
        ("GET https://shop.example/", {"parameters": {"type": "object", "required": 1}}, "is no JSON Schema: 1 is not"),
    ],
)
def test_what_could_not_work_is_refused_when_it_is_loaded(written, given, words):
    with pytest.raises(LoadError) as refused:
        http_tool(written, **given)
    assert words in str(refused.value)
