"""Whatever goes wrong between us and the upstream: the client is told in words, and nothing is left (issue 4).

The upstream is a second Vivavoce that demands a key, behind a proxy with faults. No test sleeps: what is waited for
in earnest is made short, or happens at once.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.support.backends import ScriptedBackend
from tests.support.calls import ANSWER, OFFER, Calls
from tests.support.faulty_proxy import FaultyProxy, faulty
from tests.support.leaks import no_leaks
from tests.support.lines import MemoryLine
from tests.support.serving import Served, serving, serving_app
from vivavoce.backends.upstream.backend import UpstreamBackend
from vivavoce.backends.upstream.patience import Patience
from vivavoce.protocol.frame import AUDIO_DELTA, Frame
from vivavoce.server.app import build
from vivavoce.server.keeping import Keeping
from vivavoce.server.options import ServerOptions
from vivavoce.store.calls import DirectCall
from vivavoce.store.store import in_memory

KEY = "0123-the-upstreams-key-4567"
SDP = {"Content-Type": "application/sdp"}
HASTE = Patience(pause=0, longest_pause=1, answer=5, open=5)


@pytest.fixture(autouse=True)
async def _nothing_is_left():
    async with no_leaks(sockets=True):
        yield


@dataclass
class Chain:
    ours: Served
    theirs: Served
    proxy: FaultyProxy
    answering: ScriptedBackend
    calls: Calls
    http: httpx.AsyncClient

    async def refused_session(self, query: str = "") -> dict[str, Any]:
        """The error event of a session that cannot begin; the close code goes with it."""
        async with connect(self.ours.ws + query) as socket:
            error = await event(socket)
            assert error["type"] == "error"
            with pytest.raises(ConnectionClosed):
                await event(socket)
            assert socket.close_code == 4000
            return dict(error["error"])

    async def place(self) -> httpx.Response:
        return await self.http.post("/v1/realtime/calls", content=OFFER, headers=SDP)

    def nothing_is_live(self) -> bool:
        return len(self.ours.service.registry) == 0


@asynccontextmanager
async def chain(patience: Patience = HASTE, key: str = KEY) -> AsyncIterator[Chain]:
    answering, calls = ScriptedBackend(), Calls()
    async with (
        serving(answering, ServerOptions(api_keys=(KEY,)), answer_call=calls.answer) as theirs,
        faulty(theirs.port) as proxy,
        serving(UpstreamBackend(proxy.url, key, key_name="OUR_KEY", patience=patience)) as ours,
        httpx.AsyncClient(base_url=ours.http, timeout=10) as http,
    ):
        yield Chain(ours, theirs, proxy, answering, calls, http)


async def event(socket: ClientConnection) -> dict[str, Any]:
    return dict(json.loads(await asyncio.wait_for(socket.recv(), 5)))


async def begun(at: Chain, socket: ClientConnection) -> MemoryLine:
    assert (await event(socket))["type"] == "session.created"
    return await at.answering.next_opened()


async def test_without_a_fault_it_is_only_a_wire():
    async with chain() as at, connect(at.ours.ws) as socket:
        answerer = await begun(at, socket)
        await socket.send('{"type": "response.create"}')
        assert (await answerer.next_sent()).type == "response.create"
    assert at.nothing_is_live()


# Before the session ---------------------------------------------------------------------------------


async def test_connection_refused_is_asked_again_and_told():
    async with chain() as at:
        await at.proxy.refuse()
        error = await at.refused_session()
        assert error["code"] == "upstream_unreachable"
        assert "cannot be reached" in error["message"]
        assert "Check the network" in error["message"]
        refused = await at.place()
        assert (refused.status_code, refused.json()["error"]["code"]) == (502, "upstream_unreachable")
        assert at.nothing_is_live()
        await at.proxy.listen_again()
        assert (await at.place()).status_code == 201


async def test_connection_refused_for_a_moment_is_not_noticed():
    """A call too, since no offer can have arrived."""

    async def back(_seconds: float) -> None:
        await at.proxy.listen_again()

    async with chain(Patience(sleep=back)) as at:
        await at.proxy.refuse()
        placed = await at.place()
        assert (placed.status_code, placed.text) == (201, ANSWER)
        await at.proxy.refuse()
        async with connect(at.ours.ws) as socket:
            assert (await event(socket))["type"] == "session.created"


async def test_a_refused_key():
    async with chain(key="sk-wrong") as at:
        error = await at.refused_session()
        assert error["code"] == "invalid_api_key"
        assert "Set OUR_KEY to a valid key" in error["message"]
        refused = await at.place()
        assert refused.status_code == 401
        assert at.proxy.connections <= 2  # no waiting mends a wrong key, so each was asked once
        assert at.nothing_is_live()


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_what_may_pass_is_asked_again_a_bounded_number_of_times(status):
    async with chain() as at:
        at.proxy.answer(status)
        error = await at.refused_session()
        assert at.proxy.connections == HASTE.attempts
        assert f"Said with status {status}" in error["message"]
        assert "req_faulty" in error["message"]  # by what the upstream's people find it
        assert at.nothing_is_live()


@pytest.mark.parametrize(("status", "told"), [(429, 429), (500, 502)])
async def test_an_offer_that_has_arrived_is_not_sent_again(status, told):
    async with chain() as at:
        at.proxy.answer(status)
        refused = await at.place()
        assert (refused.status_code, at.proxy.connections) == (told, 1)
        assert "req_faulty" in refused.json()["error"]["message"]
        assert at.nothing_is_live()


async def test_who_asks_for_a_long_pause_is_taken_at_their_word():
    async with chain() as at:
        at.proxy.answer(429, retry_after=30)
        refused = await at.place()
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "30")
        await at.refused_session()
        assert at.proxy.connections == 2


async def test_want_of_credit_is_not_asked_again():
    async with chain() as at:
        at.proxy.answer(429, code="insufficient_quota")
        assert (await at.refused_session())["code"] == "insufficient_quota"
        assert at.proxy.connections == 1


async def test_an_upstream_that_stalls_before_the_session():
    async with chain(Patience(pause=0, answer=0.05, open=0.05)) as at:
        at.proxy.stall()
        error = await at.refused_session()
        assert (error["code"], "did not answer within 0.05 s" in error["message"]) == ("upstream_timeout", True)
        assert at.proxy.connections == 1  # whoever waits has waited already
        refused = await at.place()
        assert (refused.status_code, refused.json()["error"]["code"]) == (504, "upstream_timeout")
        assert at.nothing_is_live()


async def test_a_client_that_leaves_while_the_upstream_stalls():
    async with chain(Patience(answer=5, open=0.2)) as at:
        at.proxy.stall()
        async with connect(at.ours.ws):
            await asyncio.wait_for(at.proxy.stalled.wait(), 5)
    assert at.nothing_is_live()


# In the session -------------------------------------------------------------------------------------


async def lost(socket: ClientConnection) -> None:
    """Events may still come, then the close that says what happened."""
    with contextlib.suppress(ConnectionClosed):
        while True:
            await event(socket)
    assert (socket.close_code, socket.close_reason) == (1011, "Who answers broke off, and nobody else could go on.")


async def goes_on(at: Chain, socket: ClientConnection) -> MemoryLine:
    """Another session at the upstream, under the same one of ours."""
    another = await at.answering.next_opened()
    another.arrive(Frame("rate_limits.updated", {"type": "rate_limits.updated"}))
    assert (await event(socket))["type"] == "rate_limits.updated"
    return another


async def test_cut_in_mid_frame():
    async with chain() as at, connect(at.ours.ws) as socket:
        answerer = await begun(at, socket)
        at.proxy.cut_after(500)
        answerer.arrive(Frame(AUDIO_DELTA, {"type": AUDIO_DELTA, "event_id": "event_2"}, bytes(4000)))
        await goes_on(at, socket)


async def test_cut_in_mid_turn():
    async with chain() as at, connect(at.ours.ws) as socket:
        answerer = await begun(at, socket)
        answerer.arrive(Frame("response.created", {"type": "response.created", "response": {"id": "resp_1"}}))
        assert (await event(socket))["type"] == "response.created"
        at.proxy.cut()
        done = await event(socket)
        assert (done["type"], done["response"]["status"]) == ("response.done", "failed")
        another = await goes_on(at, socket)
        assert (await another.next_sent()).type == "response.create"


async def test_an_upstream_that_falls_silent_is_noticed_by_its_pongs():
    async with chain(Patience(heartbeat=0.05, open=0.5, answer=0.5, attempts=1)) as at, connect(at.ours.ws) as socket:
        await begun(at, socket)
        at.proxy.slow()
        await lost(socket)


async def test_an_upstream_that_reads_no_more():
    """What it does not take fills the buffers, then the client is told; nothing grows meanwhile."""
    async with (
        chain(Patience(room=0.1, open=0.5, answer=0.5, attempts=1)) as at,
        connect(at.ours.ws, max_size=None) as socket,
    ):
        await begun(at, socket)
        at.proxy.slow()
        big = json.dumps({"type": "input_audio_buffer.append", "audio": "A" * 1_000_000})
        with contextlib.suppress(ConnectionClosed):
            for _ in range(50):
                await socket.send(big)
        assert socket.close_code == 1011


async def test_a_client_that_reads_slowly_slows_the_upstream_and_nobody_else():
    async with chain() as at, connect(at.ours.ws, max_queue=1) as slow, connect(at.ours.ws) as quick:
        answerer = await begun(at, slow)
        other = await begun(at, quick)
        for _ in range(200):  # 70 MB on the wire, of which the buffers of three connections take a part
            answerer.arrive(Frame(AUDIO_DELTA, {"type": AUDIO_DELTA}, bytes(262_144)))
        waiting, still = -1, 0
        while still < 10:
            other.arrive(Frame("rate_limits.updated", {"type": "rate_limits.updated"}))
            assert (await event(quick))["type"] == "rate_limits.updated"
            still = still + 1 if answerer.unread() == waiting else 0
            waiting = answerer.unread()
        assert waiting > 0  # the rest waits at its source
        assert (await event(slow))["type"] == AUDIO_DELTA
        slow.transport.abort()


# Calls that are only listened to --------------------------------------------------------------------


async def test_a_call_goes_on_while_it_cannot_be_heard():
    async with chain() as at:
        placed = await at.place()
        live = at.ours.service.registry.find(placed.headers["location"].rpartition("/")[2])
        assert live is not None
        theirs = await at.answering.next_opened()
        async with connect(f"{at.ours.ws}?call_id={live.id}") as side:
            assert (await event(side))["type"] == "session.created"
            at.proxy.cut()
            assert (await event(side))["type"] == "session.updated"  # it hears again, and what it missed is known
            theirs.arrive(Frame("response.created", {"type": "response.created", "response": {"id": "resp_1"}}))
            assert (await event(side))["type"] == "response.created"
        hung_up = await at.http.post(placed.headers["location"] + "/hangup")
        assert (hung_up.status_code, theirs.closed is not None) == (200, True)
        assert at.nothing_is_live()


async def test_a_call_that_can_neither_be_heard_nor_hung_up_stays_noted():
    async with chain() as at:
        placed = await at.place()
        live = at.ours.service.registry.find(placed.headers["location"].rpartition("/")[2])
        assert live is not None
        async with connect(f"{at.ours.ws}?call_id={live.id}") as side:
            assert (await event(side))["type"] == "session.created"
            at.proxy.answer(500)
            at.proxy.cut()
            with pytest.raises(ConnectionClosed):
                await event(side)
            assert (side.close_code, "hung up" in str(side.close_reason)) == (1011, True)
        await asyncio.wait_for(live.gone.wait(), 5)
        assert [call.id for call in await at.ours.service.store.calls.live()] == [live.id]


@asynccontextmanager
async def started_again(at: Chain, *calls: DirectCall, options: ServerOptions | None = None) -> AsyncIterator[Served]:
    """A server of ours that finds these calls noted."""
    store = in_memory()
    for call in calls:
        await store.calls.begin(call)
    app = build(
        options or ServerOptions(),
        UpstreamBackend(at.proxy.url, KEY, patience=HASTE),
        keeping=Keeping(store=store),
        now=lambda: 1000.0,
    )
    async with serving_app(app) as again, httpx.AsyncClient() as http:
        await http.get(f"{again.http}/health")  # it has begun
        yield again


async def test_after_a_crash_a_call_is_listened_to_again_and_can_be_hung_up():
    async with chain() as at:
        placed = await httpx_post(f"{at.theirs.http}/v1/realtime/calls")
        theirs = await at.answering.next_opened()
        call = DirectCall("rtc_ours", placed.headers["location"].rpartition("/")[2], "local", 900.0)
        async with started_again(at, call) as again:
            async with connect(f"{again.ws}?call_id=rtc_ours") as side:
                assert (await event(side))["type"] == "session.created"  # the call is heard
                theirs.arrive(Frame("response.created", {"type": "response.created", "response": {"id": "resp_1"}}))
                assert (await event(side))["type"] == "response.created"
            live = again.service.registry.find("rtc_ours")
            assert live is not None
        assert theirs.closed is not None  # when a server leaves in order it takes its calls along


async def test_after_a_crash_what_has_ended_is_crossed_out():
    async with chain() as at:
        ended = DirectCall("rtc_1", "rtc_of_long_ago", "local", 900.0)
        too_old = DirectCall("rtc_2", "rtc_of_yesterday", "local", -5000.0)
        async with started_again(at, ended, too_old) as again:
            if live := again.service.registry.find("rtc_1"):
                await asyncio.wait_for(live.gone.wait(), 5)
            assert await again.service.store.calls.live() == []


async def httpx_post(url: str) -> httpx.Response:
    async with httpx.AsyncClient() as http:
        return await http.post(url, content=OFFER, headers={**SDP, "Authorization": f"Bearer {KEY}"})
