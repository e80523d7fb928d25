"""Who may reach the server: Host, Origin, CORS, and the headers on what it serves."""

from collections.abc import AsyncIterator

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin

from tests.support.backends import ScriptedBackend
from tests.support.serving import serving
from vivavoce.server.app import build
from vivavoce.server.options import ServerOptions

EMBEDDER = "https://app.example"


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    app = build(ServerOptions(allow_origins=(EMBEDDER,)), ScriptedBackend())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost:7171") as client:
        yield client


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:7171", "LOCALHOST:1", "127.0.0.1:7171", "127.9.9.9", "[::1]:7171", "orb.localhost"]
)
async def test_this_machines_names_are_let_in(http, host):
    assert (await http.get("/health", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:7171",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "10.0.0.1",
        "",
        "[",
        "[::2]",
    ],
)
@pytest.mark.parametrize("path", ["/health", "/", "/api/config", "/nothing"])
async def test_any_other_name_is_refused(http, host, path):
    answer = await http.get(path, headers={"Host": host})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "host_not_allowed")


async def test_the_bound_host_is_one_of_ours():
    app = build(ServerOptions(host="box.lan"), ScriptedBackend())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://box.lan:7171") as http:
        assert (await http.get("/health")).status_code == 200


async def test_our_own_page_and_listed_sites_may_ask(http):
    for origin in ("http://localhost:7171", EMBEDDER):
        answer = await http.post("/v1/realtime/client_secrets", json={}, headers={"Origin": origin})
        assert answer.status_code == 200


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", "http://localhost:3000", "https://localhost:7171", "http://app.example", ""],
)
async def test_other_sites_may_not(http, origin):
    answer = await http.post("/v1/realtime/client_secrets", json={}, headers={"Origin": origin})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "origin_not_allowed")
    assert "access-control-allow-origin" not in answer.headers
    preflight = await http.options(
        "/v1/realtime/calls", headers={"Origin": origin, "Access-Control-Request-Method": "POST"}
    )
    assert preflight.status_code == 403


async def test_the_preflight_of_a_listed_site(http):
    wanted = "authorization, content-type, x-openai-agents-sdk, openai-safety-identifier"
    answer = await http.options(
        "/v1/realtime/calls",
        headers={
            "Origin": EMBEDDER,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": wanted,
            "Access-Control-Request-Private-Network": "true",
        },
    )
    assert answer.status_code in {200, 204}
    assert answer.headers["access-control-allow-origin"] == EMBEDDER
    assert "POST" in answer.headers["access-control-allow-methods"]
    allowed = {name.strip().lower() for name in answer.headers["access-control-allow-headers"].split(",")}
    assert set(wanted.split(", ")) <= allowed
    assert answer.headers["access-control-allow-private-network"] == "true"


async def test_a_listed_site_can_read_answers_errors_and_the_location(http):
    for path in ("/v1/realtime/client_secrets", "/v1/realtime/calls"):
        answer = await http.post(path, json={}, headers={"Origin": EMBEDDER})
        assert answer.headers["access-control-allow-origin"] == EMBEDDER
        assert answer.headers["access-control-expose-headers"] == "Location, X-Vivavoce-Session"
        assert "Origin" in answer.headers["vary"]


async def test_without_an_origin_there_is_no_cors(http):
    assert "access-control-allow-origin" not in (await http.get("/health")).headers


async def test_what_is_served_is_fenced_in(http):
    for path in ("/health", "/nothing", "/v1/nothing"):
        headers = (await http.get(path)).headers
        policy = headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert f"frame-ancestors 'self' {EMBEDDER}" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["permissions-policy"] == "microphone=(self)"


async def test_websockets_are_guarded_too():
    backend = ScriptedBackend()
    async with serving(backend, ServerOptions(allow_origins=(EMBEDDER,))) as served:
        for origin in (served.http, EMBEDDER):
            async with connect(served.ws, origin=Origin(origin)) as socket:
                assert "session.created" in str(await socket.recv())
        for headers, code in (
            ({"Origin": "https://evil.example"}, b"origin_not_allowed"),
            ({"Origin": "null"}, b"origin_not_allowed"),
        ):
            with pytest.raises(InvalidStatus) as refused:
                await connect(served.ws, additional_headers=headers)
            assert refused.value.response.status_code == 403
            assert code in (refused.value.response.body or b"")
        with pytest.raises(InvalidStatus) as refused:
            await connect(f"ws://evil.example:{served.port}/v1/realtime", host="127.0.0.1", port=served.port)
        assert b"host_not_allowed" in (refused.value.response.body or b"")
        assert len(backend.requests) == 2


async def test_a_site_that_is_refused_is_told_of_in_the_log_once(caplog: pytest.LogCaptureFixture):
    """The page itself cannot read why."""
    async with serving(ScriptedBackend()) as served, httpx.AsyncClient() as client:
        for _ in range(2):
            answer = await client.get(f"{served.http}/api/config", headers={"Origin": "https://shop.example"})
            assert answer.status_code == 403
    assert caplog.text.count("https://shop.example") == 1
    assert "--allow-origin" in caplog.text
