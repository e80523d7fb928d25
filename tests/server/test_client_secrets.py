"""POST /v1/realtime/client_secrets (H-31 to H-37)."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.support.backends import ScriptedBackend
from vivavoce.server.app import build
from vivavoce.server.options import ServerOptions

PATH = "/v1/realtime/client_secrets"


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    app = build(ServerOptions(), ScriptedBackend(), now=lambda: 1_000.5)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
        yield client


@pytest.mark.parametrize("body", ["", "{}", '{"session": null, "expires_after": null}', '{"expires_after": {}}'])
async def test_nothing_has_to_be_said(http, body):
    answer = await http.post(PATH, content=body)
    told = answer.json()
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert told.keys() == {"value", "expires_at", "session"}
    assert re.fullmatch(r"ek_[a-z2-7]{32}", told["value"])
    assert told["expires_at"] == 1_600
    session = told["session"]
    assert session["id"].startswith("sess_")
    assert (session["object"], session["type"], session["expires_at"]) == ("realtime.session", "realtime", 0)
    assert session["audio"]["input"]["turn_detection"]["type"] == "server_vad"


@pytest.mark.parametrize("seconds", [10, 60, 7200])
async def test_how_long_it_lives(http, seconds):
    body = {"expires_after": {"anchor": "created_at", "seconds": seconds}}
    assert (await http.post(PATH, json=body)).json()["expires_at"] == 1_000 + seconds


async def test_the_session_is_the_effective_one(http):
    body = {"session": {"type": "realtime", "model": "gpt-x", "audio": {"output": {"voice": "cedar"}}}}
    session = (await http.post(PATH, json=body)).json()["session"]
    assert session["model"] == "gpt-x"
    assert session["audio"]["output"]["voice"] == "cedar"
    assert session["audio"]["output"]["speed"] == 1
    body = {"session": {"type": "transcription"}}
    assert (await http.post(PATH, json=body)).json()["session"]["object"] == "realtime.transcription_session"


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        ('{"model": "gpt-realtime"}', "unknown_parameter", "model"),
        ('{"expires_after": {"seconds": 9}}', "invalid_value", "expires_after.seconds"),
        ('{"expires_after": {"seconds": 7201}}', "invalid_value", "expires_after.seconds"),
        ('{"expires_after": {"seconds": "60"}}', "invalid_type", "expires_after.seconds"),
        ('{"expires_after": {"anchor": "last_used"}}', "invalid_value", "expires_after.anchor"),
        ('{"session": []}', "invalid_type", "session"),
        ('{"session": {"instructions": "x"}}', "missing_required_parameter", "session.type"),
        ('{"session": {"type": "realtime", "voice": "alloy"}}', "unknown_parameter", "session.voice"),
        ('{"session": {"type": "realtime", "model": 7}}', "invalid_value", "session.model"),
        ("[]", "invalid_type", None),
        ("{", "invalid_json", None),
        ("\xff", "invalid_json", None),
    ],
)
async def test_what_is_wrong_is_named(http, body, code, param):
    answer = await http.post(PATH, content=body.encode("latin-1"))
    error = answer.json()["error"]
    assert (answer.status_code, error["type"]) == (400, "invalid_request_error")
    assert (error["code"], error["param"]) == (code, param), error


async def test_an_ephemeral_key_mints_no_other(http):
    key = (await http.post(PATH, json={})).json()["value"]
    answer = await http.post(PATH, json={}, headers={"Authorization": f"Bearer {key}"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "insufficient_scope")


async def test_their_number_is_bounded(http, monkeypatch):
    monkeypatch.setattr(http._transport.app.state.service.grants, "_limit", 1)
    await http.post(PATH, json={})
    answer = await http.post(PATH, json={})
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "key_limit_reached")


async def test_no_key_is_given_for_a_session_that_cannot_be(http):
    await http.post(PATH, json={"session": {"type": "realtime", "voice": "alloy"}})
    database = http._transport.app.state.service.store.database
    assert await database.run(lambda connection: connection.exec_driver_sql("SELECT * FROM grants").all()) == []
