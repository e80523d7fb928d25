"""GET /api/config: what a page is told, and what only those who may open sessions are."""

import base64
import hashlib
import hmac
from decimal import Decimal
from typing import Any

import httpx

from tests.support.agents import agent
from tests.support.backends import ScriptedBackend
from vivavoce.access.agents import Agent, Agents
from vivavoce.access.prices import Prices
from vivavoce.access.turn import IceServers
from vivavoce.server.app import build
from vivavoce.server.options import ServerOptions

NOW = 1_000.5
ICE = IceServers(("stun:s.example",), ("turn:t.example:3478",), "hunter2")


async def config(key: str | None = None, **given: Any) -> dict[str, Any]:
    app = build(ServerOptions(**given), ScriptedBackend(), now=lambda: NOW)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as http:
        answer = await http.get("/api/config", headers={"Authorization": f"Bearer {key}"} if key else {})
    assert answer.status_code == 200
    assert "hunter2" not in answer.text
    told: dict[str, Any] = answer.json()
    return told


async def test_on_ones_own_machine_everything_is_told():
    blue = agent(description="Helps.", budget_usd=Decimal("0.5"), max_minutes=10.0)
    told = await config(agents=Agents({"blue": blue}), ice=ICE, language="de", voices=("marin",))
    assert told["authentication"] == "none"
    assert (told["language"], told["voices"], told["agent"]) == ("de", ["marin"], None)
    (shown,) = told["agents"]
    assert (shown["name"], shown["description"], shown["budget"]) == ("blue", "Helps.", {"usd": 0.5, "minutes": 10})
    assert "instructions" not in shown["clientMay"]
    assert "swordfish" not in str(told)


async def test_a_relay_is_given_with_credentials_that_it_can_check_and_that_end():
    stun, turn = (await config(ice=ICE))["iceServers"]
    assert stun == {"urls": ["stun:s.example"]}
    assert turn["username"] == "4600:vivavoce"
    expected = hmac.digest(b"hunter2", turn["username"].encode(), hashlib.sha1)
    assert base64.b64decode(turn["credential"]) == expected


async def test_strangers_get_neither_relays_nor_names():
    given: dict[str, Any] = {"ice": ICE, "agents": Agents({"blue": agent()}), "api_keys": ("sk-right",)}
    told = await config(**given)
    assert (told["authentication"], told["agents"], len(told["iceServers"])) == ("key", [], 1)
    told = await config("sk-right", **given)
    assert (len(told["agents"]), len(told["iceServers"])) == (1, 2)
    assert len((await config("sk-wrong", **given))["iceServers"]) == 1


async def test_what_a_conversation_will_cost_is_estimated_where_the_price_is_known():
    prices = Prices.published({})
    told = (await config(prices=prices))["estimate"]
    assert told["minutes"] == 10
    assert 0.4 < told["usd"] < 1
    assert told["as_of"] == prices.as_of.isoformat()  # type: ignore[union-attr]
    default = Agent(name="default", session={"model": "my-deployment"})
    told = await config(prices=prices, agents=Agents({"default": default}))
    assert (told["agent"], told["model"], told["estimate"]["usd"]) == ("default", "my-deployment", None)
    assert (await config())["estimate"]["usd"] == 0


async def test_what_is_kept_of_a_conversation_is_told_before_it_begins():
    blue = agent(store="off")
    told = await config(agents=Agents({"blue": blue}), store="audio")
    assert (told["store"], told["agents"][0]["store"]) == ("audio", "off")
    default = Agent(name="default", store="text")
    told = await config(agents=Agents({"default": default}), store="audio")
    assert told["store"] == "text"
    assert (await config())["store"] == "text"
