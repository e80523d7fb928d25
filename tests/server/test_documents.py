"""What the front ends of the five documents ask, word for word, and what each of them reads of the answer."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.support.agents import agent
from tests.support.backends import ScriptedBackend
from tests.support.calls import ANSWER, OFFER, Calls
from vivavoce.access.agents import Agents
from vivavoce.access.shares import make_share
from vivavoce.access.tokens import hash_of
from vivavoce.protocol.dialects.beta import Beta
from vivavoce.server.app import build
from vivavoce.server.options import ServerOptions

SDP = {"Content-Type": "application/sdp"}


class App:
    def __init__(self, **given: Any) -> None:
        self.calls, self.backend = Calls(), ScriptedBackend()
        self.asgi = build(ServerOptions(**given), self.backend, answer_call=self.calls.answer, now=lambda: 1_000.5)

    async def __aenter__(self) -> httpx.AsyncClient:
        self.registry = self.asgi.state.service.registry
        await self.registry.__aenter__()
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(self.asgi), base_url="http://localhost")
        return self.http

    async def __aexit__(self, *error: Any) -> None:
        await self.http.aclose()
        for line in self.calls.lines:
            line.hang_up()
        await self.registry.__aexit__(None, None, None)

    async def connects(self, key: str, path: str) -> None:
        """As all of them do: the offer as raw SDP, with the key."""
        answer = await self.http.post(path, content=OFFER, headers={**SDP, "Authorization": f"Bearer {key}"})
        assert (answer.status_code, answer.text) == (201, ANSWER)


@pytest.fixture
async def app() -> AsyncIterator[App]:
    app = App()
    async with app:
        yield app


async def test_opus_orb(app):
    answer = await app.http.post("/api/openai/realtime/token")
    session = answer.json()
    assert answer.status_code == 200
    assert session["object"] == "realtime.session"
    assert set(session["modalities"]) == {"audio", "text"}
    await app.connects(session["client_secret"]["value"], "/v1/realtime?model=gpt-4o-realtime-preview-2024-12-17")
    assert isinstance(app.calls.dialects[0], Beta)
    assert app.backend.requests[0].model == "gpt-4o-realtime-preview-2024-12-17"


async def test_opus_orb_is_told_why_in_its_own_words():
    async with App(api_keys=("sk-right",)) as http:
        answer = await http.post("/api/openai/realtime/token")
        assert answer.status_code == 401
        assert answer.json()["error"] == "Failed to create session"
        assert "Authorization" in answer.json()["details"]
        wrong = await http.post(
            "/api/openai/realtime/token", content='{"voice": 3}', headers={"Authorization": "Bearer sk-right"}
        )
        assert wrong.status_code == 500
        assert wrong.json().keys() == {"error", "details"}


async def test_mr_blue(app):
    model = "gpt-4o-realtime-preview-2024-10-01"
    headers = {"Content-Type": "application/json", "Authorization": "Bearer the-app-s-own-token"}
    answer = await app.http.post("/api/openai-realtime/session", headers=headers, content=json.dumps({"model": model}))
    told = answer.json()
    assert told.keys() == {"client_secret", "expires_at", "model"}
    assert (told["expires_at"], told["model"]) == (1_060, model)
    await app.connects(told["client_secret"], f"/v1/realtime?model={model}")
    assert isinstance(app.calls.dialects[0], Beta)


async def test_mr_blue_is_told_why_in_its_own_words():
    async with App(api_keys=("sk-right",)) as http:
        answer = await http.post("/api/openai-realtime/session", json={}, headers={"Authorization": "Bearer stale"})
        assert answer.status_code == 401
        assert answer.json() == {"success": False, "message": "This server does not know the key that you sent."}


async def test_composer(app):
    body = json.dumps({"apiKeys": {"openai": "sk-the-user-s-own", "google": None}, "shareToken": None})
    answer = await app.http.post("/api/realtime/session", content=body)
    assert answer.json().keys() == {"clientSecret"}
    assert "sk-the-user" not in answer.text
    await app.connects(answer.json()["clientSecret"], "/v1/realtime?model=gpt-4o-realtime-preview")
    assert app.backend.requests[0].upstream_key == "sk-the-user-s-own"
    assert (await app.http.post("/api/realtime/session", content="{}")).status_code == 200


async def test_composer_by_a_share_link():
    app = App(api_keys=("sk-right",), agents=Agents({"blue": agent()}))
    async with app as http:
        token, share = make_share(
            agent="blue", dollars=None, seconds=60, now=1_000, expires_at=None, random=lambda n: b"\7" * n
        )
        await app.asgi.state.service.store.shares.add(share, hash_of(token))
        answer = await http.post("/api/realtime/session", content=json.dumps({"apiKeys": {}, "shareToken": token}))
        assert answer.status_code == 200
        await app.connects(answer.json()["clientSecret"], "/v1/realtime?model=gpt-4o-realtime-preview")
        assert app.backend.requests[0].guarded
        refused = await http.post("/api/realtime/session", content=json.dumps({"shareToken": "vvs_made_up"}))
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "share_invalid")
        assert (await http.post("/api/realtime/session", content="{}")).status_code == 401


async def test_the_agents_sdk_with_a_relay(app):
    minted = await app.http.post("/api/realtime/client-secret")
    assert minted.json()["value"].startswith("ek_")
    await app.connects(minted.json()["value"], "/api/realtime/handshake")
    assert not isinstance(app.calls.dialects[0], Beta)


async def test_the_relay_says_what_is_wrong_with_what_it_was_sent(app):
    named = await app.http.post("/api/realtime/client-secret", json={"model": "gpt-realtime"})
    assert (named.status_code, named.json()["error"]["message"]) == (400, "Unknown parameter: 'model'.")
    posted = await app.http.post("/api/realtime/handshake", content='{"sdp": "v=0"}', headers=SDP)
    assert posted.status_code == 400
    assert "JSON where an SDP offer belongs" in posted.json()["error"]["message"]


async def test_live_programming(app):
    """It asks the API itself, for a key with a model and a voice."""
    body = {"model": "gpt-4o-realtime-preview-2024-12-17", "voice": "echo"}
    told = (await app.http.post("/v1/realtime/sessions", json=body)).json()
    assert told["voice"] == "echo"
    await app.connects(told["client_secret"]["value"], "/v1/realtime?model=gpt-4o-realtime-preview-2024-12-17")


@pytest.mark.parametrize("path", ["openai/realtime/token", "openai-realtime/session", "realtime/session"])
async def test_a_key_of_theirs_may_name_an_agent_and_tell_of_the_page(path):
    app = App(agents=Agents({"blue": agent(session={"instructions": "On {page}."})}))
    async with app as http:
        minted = await http.post(f"/api/{path}", json={"agent": "blue", "context": {"page": "/cart"}})
        assert minted.status_code == 200
        told = minted.json()
        key = told.get("clientSecret") or told["client_secret"]
        await app.connects(key if isinstance(key, str) else key["value"], "/v1/realtime?model=x")
        assert '"/cart"' in (app.backend.requests[0].config or {})["instructions"]
