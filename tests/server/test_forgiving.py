"""How a client asks for forgiveness: with the key that it mints, in the address, or by its agent."""

import httpx
import pytest
from websockets.asyncio.client import connect

from tests.server.test_agents import MINT, event, key, served
from tests.support.agents import agent


@pytest.mark.parametrize(
    ("body", "expected"), [({"forgiving": True}, True), ({"forgiving": False}, False), ({}, False)]
)
async def test_a_key_carries_it(body, expected):
    async with served() as (server, backend, http):
        minted = (await http.post(MINT, json=body)).json()
        assert "forgiving" not in minted["session"]
        async with connect(server.ws, additional_headers=key(minted["value"])) as socket:
            await event(socket, "session.created")
        assert backend.requests[-1].forgiving is expected


@pytest.mark.parametrize(("query", "expected"), [("", False), ("?forgiving=true", True), ("?forgiving=false", False)])
async def test_the_address_says_it(query, expected):
    async with served() as (server, backend, _), connect(server.ws + query) as socket:
        await event(socket, "session.created")
        assert backend.requests[-1].forgiving is expected


@pytest.mark.parametrize(("query", "expected"), [("?agent=blue", True), ("?agent=blue&forgiving=false", False)])
async def test_an_agent_has_it_where_the_client_says_nothing(query, expected):
    async with served(agent(forgiving=True)) as (server, backend, _), connect(server.ws + query) as socket:
        await event(socket, "session.created")
        assert backend.requests[-1].forgiving is expected


async def test_it_is_true_or_false():
    async with served() as (server, _, http):
        assert (await http.post(MINT, json={"forgiving": "perhaps"})).status_code == 400
        async with httpx.AsyncClient() as client:
            answer = await client.get(server.http + "/v1/realtime?forgiving=perhaps", headers={
                "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
                "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
            })  # fmt: skip
        assert answer.json()["error"]["param"] == "forgiving"
