"""What is ours reaches who asked for it, by either way and in one shape, and nobody else."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.attack.house import GIVEN, House, bearer, event, house
from tests.support.leaks import no_leaks
from vivavoce.protocol.frame import Frame
from vivavoce.server.api.event_stream import EventStream
from vivavoce.sessions.notices import Notices

OURS = Subprotocol("vivavoce.v1")
REALTIME = Subprotocol("realtime")
TURN = {"type": "vivavoce.turn", "ms": 300}


@pytest.fixture(autouse=True)
async def _nothing_is_left():
    async with no_leaks():
        yield


@pytest.fixture
async def at():
    async with house() as at:
        yield at


def opened(at: House, *subprotocols: Subprotocol, key: str = GIVEN) -> connect:
    return connect(at.served.ws, subprotocols=subprotocols or None, additional_headers=bearer(key))


@asynccontextmanager
async def listening(at: House, id: str, key: str = GIVEN) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
    """Server-sent events of a session."""
    async with at.http.stream("GET", f"/api/sessions/{id}/events", headers=bearer(key)) as answer:
        assert answer.status_code == 200, await answer.aread()
        assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        lines = answer.aiter_lines()

        async def told() -> AsyncIterator[dict[str, Any]]:
            async for line in lines:
                if line.startswith("data: "):
                    yield json.loads(line.removeprefix("data: "))

        assert await anext(lines) == ": vivavoce"
        yield told()


async def begun(socket: ClientConnection) -> str:
    created = await event(socket)
    assert created["type"] == "session.created"
    return str(created["session"]["id"])


async def test_on_a_socket_that_asked_they_stand_between_the_events(at: House):
    async with opened(at, REALTIME, OURS) as socket:
        assert socket.subprotocol == OURS
        id = await begun(socket)
        assert await event(socket) == {"type": "vivavoce.session", "id": id}
        live = at.served.service.registry.find(id)
        assert live
        live.notices.tell("turn", ms=300)
        assert await event(socket) == TURN
        at.backend.lines[0].arrive(Frame("response.done", {"type": "response.done", "response": {}}))
        assert (await event(socket))["type"] == "response.done"
        assert await event(socket) == {"type": "vivavoce.cost", "usd": "0.000000", "responses": 1}


async def test_a_client_that_did_not_ask_never_sees_one(at: House):
    async with opened(at, REALTIME) as socket, opened(at) as bare:
        for each in (socket, bare):
            live = at.served.service.registry.find(await begun(each))
            assert live
            live.notices.tell("turn", ms=300)
        for line in at.backend.lines:
            line.arrive(*(Frame(type, {"type": type}) for type in ("response.created", "response.done", "last")))
        for each in (socket, bare):
            assert [(await event(each))["type"] for _ in range(3)] == ["response.created", "response.done", "last"]


async def test_the_other_way_tells_the_same_and_ends_with_the_session(at: House):
    async with opened(at, REALTIME) as socket:
        id = await begun(socket)
        async with listening(at, id) as told:
            assert await anext(told) == {"type": "vivavoce.session", "id": id}
            live = at.served.service.registry.find(id)
            assert live
            live.notices.tell("turn", ms=300)
            assert await anext(told) == TURN
            await socket.close()
            assert [each async for each in told] == []
    assert (await at.http.get(f"/api/sessions/{id}/events", headers=bearer(GIVEN))).status_code == 404


async def test_a_call_has_two_names(at: House):
    answer = await at.place(GIVEN)
    call = answer.headers["location"].rpartition("/")[2]
    session = at.backend.requests[0].session_id
    for name in (call, session):
        async with listening(at, name) as told:
            assert await anext(told) == {"type": "vivavoce.session", "id": session}
    at.calls.lines[0].hang_up()


async def test_a_sideband_may_ask_too(at: House):
    call = (await at.place(GIVEN)).headers["location"].rpartition("/")[2]
    await at.calls.lines[0].next_sent()
    async with connect(
        f"{at.served.ws}?call_id={call}", subprotocols=[OURS], additional_headers=bearer(GIVEN)
    ) as socket:
        await begun(socket)
        assert (await event(socket))["type"] == "vivavoce.session"
    at.calls.lines[0].hang_up()


async def test_silence_is_filled_with_heartbeats_until_the_key_is_no_good():
    good = iter([True, True, False])
    sent: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def still() -> bool:
        return next(good)

    async def receive() -> dict[str, Any]:
        await asyncio.Event().wait()
        return {}

    stream = EventStream(Notices(), still, (0.01, 5))
    await asyncio.wait_for(stream({"type": "http"}, receive, sent.put), 5)  # type: ignore[arg-type]
    bodies = [sent.get_nowait().get("body") for _ in range(sent.qsize())]
    assert bodies == [None, b": vivavoce\n\n", b": vivavoce\n\n", b": vivavoce\n\n", b""]


async def test_a_reader_that_takes_nothing_is_cut_off_and_its_place_freed():
    notices = Notices()

    async def still() -> bool:
        return True

    async def receive() -> dict[str, Any]:
        await asyncio.Event().wait()
        return {}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.body":
            await asyncio.Event().wait()

    for _ in range(20):  # more than may listen at one time
        await asyncio.wait_for(EventStream(notices, still, (5, 0.01))({"type": "http"}, receive, send), 5)  # type: ignore[arg-type]


async def test_who_goes_frees_the_place(at: House):
    async with opened(at) as socket:
        id = await begun(socket)
        live = at.served.service.registry.find(id)
        assert live
        for _ in range(20):
            async with httpx.AsyncClient(base_url=at.served.http) as http:
                async with http.stream("GET", f"/api/sessions/{id}/events", headers=bearer(GIVEN)) as answer:
                    assert answer.status_code == 200
