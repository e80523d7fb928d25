"""A call with real media, from the offer that is posted to the hang-up."""

import asyncio
import socket

import httpx

from tests.support.backends import ScriptedBackend
from tests.support.serving import serving
from tests.transports.webrtc.caller import Caller
from vivavoce.backends.upstream.backend import UpstreamBackend
from vivavoce.protocol.frame import APPEND, AUDIO_DELTA, Frame
from vivavoce.server.options import Calls, ServerOptions

KEY = "0123-the-upstreams-key-4567"
SDP = {"Content-Type": "application/sdp"}


async def test_a_call_from_offer_to_hang_up():
    backend = ScriptedBackend()
    async with serving(backend) as served, httpx.AsyncClient(base_url=served.http, timeout=20) as http:
        caller = Caller()
        try:
            placed = await http.post("/v1/realtime/calls?model=gpt-x", content=await caller.offer(), headers=SDP)
            assert placed.status_code == 201, placed.text
            await caller.accept(placed.text)
            created = await caller.event()
            assert (created["type"], created["session"]["model"]) == ("session.created", "gpt-x")
            answerer = await backend.next_opened()
            assert (await answerer.next_sent()).type == APPEND
            answerer.arrive(Frame("response.created", {"type": "response.created", "response": {"id": "resp_1"}}))
            assert (await caller.event())["type"] == "response.created"
            hung_up = await http.post(placed.headers["location"] + "/hangup")
            assert hung_up.status_code == 200
            assert len(served.service.registry) == 0
            assert answerer.closed
            await asyncio.wait_for(caller.closed.wait(), 10)
        finally:
            await caller.close()


async def test_a_caller_that_goes_ends_its_session():
    backend = ScriptedBackend()
    async with serving(backend) as served, httpx.AsyncClient(base_url=served.http, timeout=20) as http:
        caller = Caller()
        placed = await http.post("/v1/realtime/calls", content=await caller.offer(), headers=SDP)
        await caller.accept(placed.text)
        await caller.event()
        live = served.service.registry.find(placed.headers["location"].rpartition("/")[2])
        assert live is not None
        await caller.close()
        await asyncio.wait_for(live.gone.wait(), 20)
        assert (await backend.next_opened()).closed


async def test_without_a_port_left_a_call_is_refused_and_nothing_is_left_of_it():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("0.0.0.0", 0))
        port = other.getsockname()[1]
        backend, options = ScriptedBackend(), ServerOptions(calls=Calls((port, port)))
        async with serving(backend, options=options) as served, httpx.AsyncClient(base_url=served.http) as http:
            caller = Caller()
            refused = await http.post("/v1/realtime/calls", content=await caller.offer(), headers=SDP)
            await caller.peer.close()
            assert (refused.status_code, refused.json()["error"]["code"]) == (503, "no_udp_port")
            assert f"UDP port {port} is taken" in refused.json()["error"]["message"]
            assert len(served.service.registry) == 0
            assert (await backend.next_opened()).closed


async def test_an_offer_that_only_looks_like_one():
    backend = ScriptedBackend()
    async with serving(backend) as served, httpx.AsyncClient(base_url=served.http, timeout=20) as http:
        for offer in ("v=0", "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n", "v=0\r\nm=audio x y z\r\n"):
            refused = await http.post("/v1/realtime/calls", content=offer, headers=SDP)
            assert (refused.status_code, refused.json()["error"]["code"]) == (400, "invalid_offer")
        assert len(served.service.registry) == 0
        assert all(line.closed for line in backend.lines)


async def test_a_relayed_call_has_its_media_at_the_upstream_and_is_hung_up_through_us():
    answering = ScriptedBackend()
    async with serving(answering, ServerOptions(api_keys=(KEY,))) as theirs:
        async with serving(UpstreamBackend(f"{theirs.http}/v1", KEY)) as ours:
            async with httpx.AsyncClient(base_url=ours.http, timeout=20) as http:
                caller = Caller()
                try:
                    placed = await http.post(
                        "/v1/realtime/calls?model=gpt-x", content=await caller.offer(), headers=SDP
                    )
                    assert placed.status_code == 201, placed.text
                    await caller.accept(placed.text)
                    assert (await caller.event())["session"]["model"] == "gpt-x"
                    assert (await (await answering.next_opened()).next_sent()).type == APPEND
                    assert KEY not in placed.text + str(placed.headers)
                    assert (await http.post(placed.headers["location"] + "/hangup")).status_code == 200
                    assert len(theirs.service.registry) == 0
                    await asyncio.wait_for(caller.closed.wait(), 10)
                finally:
                    await caller.close()


async def test_a_bridged_call_has_its_media_here_and_is_silenced_when_somebody_speaks():
    answering = ScriptedBackend()
    async with serving(answering, ServerOptions(api_keys=(KEY,))) as theirs:
        async with serving(UpstreamBackend(f"{theirs.http}/v1", KEY, webrtc="bridged")) as ours:
            async with httpx.AsyncClient(base_url=ours.http, timeout=20) as http:
                caller = Caller()
                try:
                    placed = await http.post("/v1/realtime/calls", content=await caller.offer(), headers=SDP)
                    await caller.accept(placed.text)
                    assert (await caller.event())["type"] == "session.created"
                    upstream = await answering.next_opened()
                    assert (await upstream.next_sent()).type == APPEND
                    place = {"response_id": "resp_1", "item_id": "item_1"}
                    upstream.arrive(
                        Frame("response.created", {"type": "response.created", "response": {"id": "resp_1"}}),
                        Frame(AUDIO_DELTA, {"type": AUDIO_DELTA, **place}, bytes(48_000 * 20)),
                        Frame("response.done", {"type": "response.done", "response": {"id": "resp_1"}}),
                    )
                    told = [(await caller.event())["type"] for _ in range(3)]
                    assert told == ["response.created", "output_audio_buffer.started", "response.done"]
                    while len(caller.heard) < 10:  # it sounds
                        assert (await upstream.next_sent()).type == APPEND
                    started = "input_audio_buffer.speech_started"
                    upstream.arrive(Frame(started, {"type": started, "item_id": "item_2", "audio_start_ms": 0}))
                    assert [(await caller.event())["type"] for _ in range(2)] == [
                        started, "output_audio_buffer.cleared",
                    ]  # fmt: skip
                    while (cut := await upstream.next_sent()).type == APPEND:
                        pass
                    assert (cut.type, cut.data["item_id"]) == ("conversation.item.truncate", "item_1")
                    assert 100 <= cut.data["audio_end_ms"] < 19_000
                finally:
                    await caller.close()
