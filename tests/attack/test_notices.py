"""Somebody else's notices, and more listeners than a session can bear."""

from contextlib import AsyncExitStack

import pytest
from websockets.asyncio.client import connect

from tests.attack.house import GIVEN, House, bearer, event, house
from vivavoce.sessions.notices import LISTENERS


@pytest.fixture
async def at():
    async with house() as at:
        yield at


async def knock(at: House, id: str, key: str) -> int:
    async with at.http.stream("GET", f"/api/sessions/{id}/events", headers=bearer(key)) as answer:
        return answer.status_code


async def test_a_sessions_notices_are_for_those_whose_it_is(at: House):
    owner, _ = await at.key("connect", "mint")
    other, _ = await at.key("connect", "mint")
    manager, _ = await at.key("manage", "connect")
    page, neighbour = await at.ephemeral(owner), await at.ephemeral(owner)
    async with connect(at.served.ws, additional_headers=bearer(page)) as socket:
        id = (await event(socket))["session"]["id"]
        for key in (page, owner, manager, GIVEN):
            assert await knock(at, id, key) == 200
        for key in (neighbour, other, at.token("mallory")):
            assert await knock(at, id, key) == 404
        for key in ("", "vv_forged", "ek_forged"):
            assert await knock(at, id, key) == 401
        share, _ = await at.share()
        assert await knock(at, id, share) == 401
        visitor = (await at.mint(None, share=share)).json()["value"]
        assert await knock(at, id, visitor) == 404


@pytest.mark.parametrize("id", ["sess_nobody", "..", "%2e%2e", "rtc_'--", "a" * 4000, "None", "%00"])
async def test_an_id_that_is_none(at: House, id: str):
    assert await knock(at, id, GIVEN) == 404


async def test_a_session_has_so_many_listeners_and_no_more(at: House):
    async with connect(at.served.ws, additional_headers=bearer(GIVEN)) as socket, AsyncExitStack() as stack:
        id = (await event(socket))["session"]["id"]
        path = f"/api/sessions/{id}/events"
        for _ in range(LISTENERS):
            answer = await stack.enter_async_context(at.http.stream("GET", path, headers=bearer(GIVEN)))
            assert answer.status_code == 200
        answer = await at.http.get(path, headers=bearer(GIVEN))
        assert (answer.status_code, answer.json()["error"]["code"]) == (429, "listener_limit_reached")
        await socket.send('{"type":"response.create"}')  # the session itself does not mind
        assert (await at.backend.lines[0].next_sent()).type == "response.create"
