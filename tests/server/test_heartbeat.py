"""What a process measures of itself: on virtual time what is measured, and for once in earnest."""

import asyncio
from contextlib import AsyncExitStack

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.support.backends import ScriptedBackend
from tests.support.calls import OFFER
from tests.support.serving import serving
from tests.support.virtual_time import VirtualLoop, virtual_time
from vivavoce.server.heartbeat import heartbeat
from vivavoce.server.options import ServerOptions
from vivavoce.sessions import capacity
from vivavoce.sessions.capacity import BEAT_SECONDS, BEATS, FEW, Capacity
from vivavoce.sessions.registry import Registry

CHAT = {"model": "any", "messages": [{"role": "user", "content": "Hello"}]}


@virtual_time
async def test_it_sees_how_late_the_loop_is_and_how_busy_its_thread():
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    registry, lags = Registry(capacity=Capacity(), now=loop.time), list[float]()
    beating = asyncio.create_task(heartbeat(registry, lags.append, loop.time, lambda: 0.3 * loop.time()))
    await asyncio.sleep(1.0)
    assert lags == pytest.approx([0.0] * len(lags), abs=1e-9)
    assert registry.capacity.busy == pytest.approx(0.3)
    for _ in range(BEATS):
        await asyncio.sleep(BEAT_SECONDS / 2)
        loop.jump(BEAT_SECONDS)  # something holds the loop up
    assert registry.capacity.late == pytest.approx(BEAT_SECONDS / 2)
    beating.cancel()
    await asyncio.wait([beating])


async def test_a_server_that_is_overloaded_refuses_newcomers_alike_and_has_room_again(monkeypatch):
    """The limits are moved, so that any machine is over them, and then none."""
    options = ServerOptions(max_sessions=None)
    async with serving(ScriptedBackend(), options) as served, AsyncExitStack() as stack:
        http = await stack.enter_async_context(httpx.AsyncClient(base_url=served.http))
        for _ in range(FEW):
            await stack.enter_async_context(connect(served.ws))
        monkeypatch.setattr(capacity, "LATE_SECONDS", 1e-6)
        assert (await _until(http, 503))["load"] > 1
        with pytest.raises(InvalidStatus) as refused:
            await connect(served.ws)
        assert (refused.value.response.status_code, refused.value.response.headers["retry-after"]) == (503, "10")
        offer = {"content": OFFER, "headers": {"Content-Type": "application/sdp"}}
        for path, body in (("/v1/realtime/calls", offer), ("/v1/chat/completions", {"json": CHAT})):
            answer = await http.post(path, **body)
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
            assert answer.json()["error"]["code"] == "overloaded"
        monkeypatch.setattr(capacity, "LATE_SECONDS", 60.0)
        monkeypatch.setattr(capacity, "BUSY", 60.0)
        await _until(http, 200)
        async with connect(served.ws):
            assert len(served.service.registry) == FEW + 1


async def _until(http: httpx.AsyncClient, status: int) -> dict[str, float]:
    async with asyncio.timeout(10):
        while (answer := await http.get("/ready")).status_code != status:
            pass
    told: dict[str, float] = answer.json()
    return told
