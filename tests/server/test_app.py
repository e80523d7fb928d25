"""Pages, health, what the page is told, and errors in one shape."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.support.backends import ScriptedBackend
from vivavoce.server.app import build
from vivavoce.server.options import ServerOptions


@pytest.fixture
async def http(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    (tmp_path / "index.html").write_text("<!doctype html>")
    (tmp_path / "orb.js").write_text("'use strict'")
    (tmp_path / "orb.svg").write_text("<svg/>")
    (tmp_path.parent / "outside.txt").write_text("not ours to give")
    options = ServerOptions(static=tmp_path, voice="cedar", transport="websocket", debug=True)
    app = build(options, ScriptedBackend())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
        yield client


async def test_the_page_is_fresh_each_time(http):
    answer = await http.get("/")
    assert (answer.status_code, answer.text) == (200, "<!doctype html>")
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(("path", "kind"), [("/orb.js", "text/javascript"), ("/orb.svg", "image/svg+xml")])
async def test_its_files_are_kept_for_a_while(http, path, kind):
    answer = await http.get(path)
    assert answer.headers["content-type"].startswith(kind)
    assert answer.headers["cache-control"] == "max-age=300"
    again = await http.get(path, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["cache-control"] == "max-age=300"


@pytest.mark.parametrize("path", ["/../outside.txt", "/%2e%2e/outside.txt", "/..%5coutside.txt", "/%00"])
async def test_nothing_outside_is_served(http, path):
    answer = await http.get(path)
    assert answer.status_code == 404
    assert "not ours" not in answer.text


async def test_what_the_page_is_told(http):
    told = (await http.get("/api/config")).json()
    assert {name: told[name] for name in ("transport", "debug", "model", "voice", "answers")} == {
        "transport": "websocket", "debug": True, "model": "gpt-realtime", "voice": "cedar", "answers": "scripted",
    }  # fmt: skip


async def test_health_needs_no_key_and_ready_says_when_the_server_is_leaving(tmp_path):
    app = build(ServerOptions(api_keys=("sk-right",), static=tmp_path), ScriptedBackend())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as http:
        assert (await http.get("/health")).json() == {"status": "ok"}
        assert (await http.get("/ready")).json() == {"ready": True, "sessions": 0, "load": 0}
        await app.state.service.registry.drain(0)
        leaving = await http.get("/ready")
        assert (leaving.status_code, leaving.json()["ready"]) == (503, False)
        assert (await http.get("/health")).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/v1/nothing", 404),
        ("POST", "/v1/nothing", 404),
        ("GET", "/api/nothing", 404),
        ("GET", "/v1/realtime/client_secrets", 405),
        ("DELETE", "/v1/realtime/calls", 405),
        ("POST", "/", 405),
        ("POST", "/v1/realtime/calls/rtc_nobody/hangup", 404),
        ("POST", "/v1/realtime/calls/", 404),
    ],
)
async def test_every_error_has_one_shape(http, method, path, status):
    answer = await http.request(method, path)
    assert answer.status_code == status
    error = answer.json()["error"]
    assert error.keys() == {"message", "type", "param", "code"}
    assert error["type"] == "invalid_request_error"
    assert error["message"].endswith(".")


async def test_a_mistake_of_ours_shows_no_stack_trace(tmp_path, monkeypatch, caplog):
    backend = ScriptedBackend()

    def broken(_request: object) -> None:
        raise ZeroDivisionError("insides")

    monkeypatch.setattr(backend, "describe", broken)
    app = build(ServerOptions(static=tmp_path, allow_origins=("https://app.example",)), backend)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as http:
        answer = await http.post("/v1/realtime/client_secrets", json={}, headers={"Origin": "https://app.example"})
    assert answer.headers["access-control-allow-origin"] == "https://app.example"
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "internal_error"
    assert "insides" not in answer.text
    assert "ZeroDivisionError: insides" in caplog.text
