"""What passes between a client of ours and an upstream, and in what shape: over WebSockets, over calls, to Azure."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from websockets.asyncio.client import ClientConnection, connect

from tests.support.backends import ScriptedBackend
from tests.support.calls import ANSWER, OFFER, Calls
from tests.support.leaks import no_leaks
from tests.support.lines import MemoryLine
from tests.support.serving import Served, serving
from vivavoce.backends.interface import SessionRequest
from vivavoce.backends.upstream.backend import UpstreamBackend, WebRtc
from vivavoce.protocol.frame import APPEND, AUDIO_DELTA, FLUSH, PLAYED, Frame
from vivavoce.server.options import ServerOptions
from vivavoce.server.run import listen

KEY = "0123-the-upstreams-key-4567"
BETA = {"OpenAI-Beta": "realtime=v1"}
SDP = {"Content-Type": "application/sdp"}


@pytest.fixture(autouse=True)
async def _nothing_is_left():
    async with no_leaks(sockets=True):
        yield


@dataclass
class Pair:
    ours: Served
    theirs: Served
    answering: ScriptedBackend
    calls: Calls
    """Those that we carry."""


@asynccontextmanager
async def pair(webrtc: WebRtc = "auto") -> AsyncIterator[Pair]:
    answering, calls = ScriptedBackend(), Calls()
    async with serving(answering, ServerOptions(api_keys=(KEY,)), answer_call=Calls().answer) as theirs:
        upstream = UpstreamBackend(f"{theirs.http}/v1", KEY, webrtc=webrtc)
        async with serving(upstream, answer_call=calls.answer) as ours:
            yield Pair(ours, theirs, answering, calls)


async def event(socket: ClientConnection) -> dict[str, Any]:
    return dict(json.loads(await asyncio.wait_for(socket.recv(), 5)))


# Over a WebSocket -----------------------------------------------------------------------------------


async def test_a_key_that_is_given_twice_goes_on_once():
    """What a filter of ours has seen is what the upstream gets, whichever of the two it would have taken."""
    async with pair() as both, connect(both.ours.ws) as socket:
        await event(socket)
        answerer = await both.answering.next_opened()
        for twice in (
            '{"type": "session.update", "type": "response.create"}',
            '{"type": "response.create", "response": {"instructions": "good"}, "response": {"instructions": "bad"}}',
            '{"type":"input_audio_buffer.append","audio":"AAAA","audio":"AQI="}',
        ):
            await socket.send(twice)
        sent = [await answerer.next_sent() for _ in range(3)]
        assert [frame.type for frame in sent] == ["response.create", "response.create", APPEND]
        assert sent[1].data["response"] == {"instructions": "bad"}
        assert sent[2].audio == b"\1\2"


async def test_what_is_sent_is_written_anew():
    """Byte for byte: nothing of the client's own text goes on."""
    received: list[str] = []

    async def upstream(socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_text('{"type":"session.created","event_id":"event_1","session":{}}')
        received.append(await socket.receive_text())
        await socket.close()

    async with app(WebSocketRoute("/v1/realtime", upstream)) as url:
        async with serving(UpstreamBackend(f"{url}/v1", KEY)) as ours, connect(ours.ws) as socket:
            await event(socket)
            await socket.send('{ "type":"response.create" , "response":{"a":1,"a":2}, "type" : "response.create"}')
            await socket.wait_closed()
    assert received == ['{"type":"response.create","response":{"a":2}}']


async def test_a_beta_client_has_a_ga_upstream():
    async with pair() as both, connect(both.ours.ws, additional_headers=BETA) as socket:
        created = await event(socket)
        assert (created["session"]["modalities"], created["session"]["input_audio_format"]) == (
            ["text", "audio"], "pcm16",
        )  # fmt: skip
        answerer = await both.answering.next_opened()
        flat = {"modalities": ["text"], "voice": "alloy", "turn_detection": None}
        await socket.send(json.dumps({"type": "session.update", "session": flat}))
        session = (await answerer.next_sent()).data["session"]
        assert session == {
            "type": "realtime", "output_modalities": ["text"],
            "audio": {"output": {"voice": "alloy"}, "input": {"turn_detection": None}},
        }  # fmt: skip
        answerer.arrive(Frame(AUDIO_DELTA, {"type": AUDIO_DELTA, "event_id": "event_2"}, b"\1\2"))
        assert await event(socket) == {"type": "response.audio.delta", "event_id": "event_2", "delta": "AQI="}


async def test_an_upstreams_error_is_told_in_the_clients_own_terms():
    async with pair() as both, connect(both.ours.ws, additional_headers=BETA) as socket:
        await event(socket)
        answerer = await both.answering.next_opened()
        error = {
            "type": "invalid_request_error",
            "code": "invalid_value",
            "message": "Not 'session.audio.output.voice'.",
        }
        error["param"] = "session.audio.output.voice"
        answerer.arrive(
            Frame("error", {"type": "error", "event_id": "event_2", "error": {**error, "event_id": "mine"}})
        )
        told = (await event(socket))["error"]
        assert (told["param"], told["event_id"]) == ("session.voice", "mine")


async def test_the_mistake_of_a_sideband_is_told_to_it_alone():
    async with pair("bridged") as both, httpx.AsyncClient(base_url=both.ours.http) as http:
        placed = await http.post("/v1/realtime/calls", content=OFFER, headers=SDP)
        call_id = placed.headers["location"].rpartition("/")[2]
        client, answerer = both.calls.lines[0], await both.answering.next_opened()
        assert (await client.next_sent()).type == "session.created"
        async with connect(f"{both.ours.ws}?call_id={call_id}") as side:
            await event(side)
            await side.send('{"type": "response.cancel", "event_id": "event_1"}')
            cancel = await answerer.next_sent()
            error = {"type": "invalid_request_error", "code": "response_cancel_not_active", "message": "No."}
            answerer.arrive(
                Frame("error", {"type": "error", "error": {**error, "event_id": cancel.data["event_id"]}}),
                Frame("rate_limits.updated", {"type": "rate_limits.updated"}),
            )
            assert (await event(side))["error"]["event_id"] == "event_1"
            assert (await client.next_sent()).type == "rate_limits.updated"


async def test_a_users_own_key_is_used_and_no_other():
    async with serving(ScriptedBackend(), ServerOptions(api_keys=("sk-users-own",))) as theirs:
        ours = UpstreamBackend(f"{theirs.http}/v1", KEY)
        request = SessionRequest("sess_1", "m", "realtime", upstream_key="sk-users-own")
        assert "sk-users-own" not in repr(request)
        line = await ours.open(request)
        assert (await line.receive()).type == "session.created"
        await line.close()
        with pytest.raises(Exception, match="The upstream refused the key that you gave for it") as refused:
            await ours.open(SessionRequest("sess_1", "m", "realtime", upstream_key="sk-another"))
        assert "sk-another" not in str(refused.value)
        await ours.close()


# Calls ----------------------------------------------------------------------------------------------


async def test_a_call_that_we_carry():
    async with pair("bridged") as both, httpx.AsyncClient(base_url=both.ours.http) as http:
        audio = {"input": {"format": {"type": "audio/pcmu"}}, "output": {"voice": "cedar"}}
        form = {"sdp": (None, OFFER), "session": (None, json.dumps({"type": "realtime", "audio": audio}))}
        placed = await http.post("/v1/realtime/calls?model=gpt-x", files=form)
        assert (placed.status_code, placed.text, both.calls.offers) == (201, ANSWER, [OFFER])
        call = both.calls.lines[0]
        session = (await call.next_sent()).data["session"]
        assert (session["model"], session["audio"]["output"]["voice"]) == ("gpt-x", "cedar")
        assert session["audio"]["input"]["format"]["type"] == "audio/pcm"
        answerer = await both.answering.next_opened()
        call.arrive(Frame(APPEND, {"type": APPEND}, b"\1\2"))
        assert (await answerer.next_sent()).audio == b"\1\2"
        await spoken_over(call, answerer)
        assert (await http.post(placed.headers["location"] + "/hangup")).status_code == 200
        assert answerer.closed
        assert call.closed


async def spoken_over(call: MemoryLine, answerer: MemoryLine) -> None:
    place = {"response_id": "resp_1", "item_id": "item_1"}
    answerer.arrive(
        Frame("response.created", {"type": "response.created", "response": {"id": "resp_1", "conversation_id": "c"}}),
        Frame(AUDIO_DELTA, {"type": AUDIO_DELTA, **place}, bytes(96_000)),
        Frame("response.done", {"type": "response.done", "response": {"id": "resp_1"}}),
    )
    for expected in ("response.created", AUDIO_DELTA, "output_audio_buffer.started", "response.done"):
        assert (await call.next_sent()).type == expected
    call.arrive(Frame(PLAYED, {"type": PLAYED, "item_id": "item_1", "audio_ms": 900, "drained": False}))
    commit = Frame("input_audio_buffer.commit", {"type": "input_audio_buffer.commit"})
    call.arrive(commit)  # in order: what was played is known before the commit goes out
    assert (await answerer.next_sent()).type == "input_audio_buffer.commit"
    answerer.arrive(Frame("input_audio_buffer.speech_started", {"type": "input_audio_buffer.speech_started"}))
    for expected in (FLUSH, "input_audio_buffer.speech_started", "output_audio_buffer.cleared"):
        assert (await call.next_sent()).type == expected
    cut = await answerer.next_sent()
    assert (cut.type, cut.data["audio_end_ms"]) == ("conversation.item.truncate", 900)


async def test_direct_where_nothing_has_to_hold_against_the_client():
    loose, guarded = (
        SessionRequest("sess_1", "m", "realtime", media=True, guarded=guarded) for guarded in (False, True)
    )
    asked = {
        webrtc: UpstreamBackend("http://localhost", KEY, webrtc=webrtc) for webrtc in ("auto", "bridged", "direct")
    }
    assert {how: (ours.direct(loose), ours.direct(guarded)) for how, ours in asked.items()} == {
        "auto": (True, False), "bridged": (False, False), "direct": (True, True),
    }  # fmt: skip


async def test_a_beta_caller_is_carried_though_direct_is_asked_for():
    """Nobody translates between it and the upstream otherwise."""
    async with pair("direct") as both, httpx.AsyncClient(base_url=both.ours.http) as http:
        placed = await http.post("/v1/realtime/calls", content=OFFER, headers={**SDP, **BETA})
        assert (placed.status_code, len(both.calls.lines)) == (201, 1)


async def test_direct_calls_count_and_end_with_the_server():
    answering = ScriptedBackend()
    async with serving(answering, answer_call=Calls().answer) as theirs:
        ours = UpstreamBackend(f"{theirs.http}/v1", KEY, webrtc="direct")
        async with serving(ours, ServerOptions(max_sessions=1)) as served:
            async with httpx.AsyncClient(base_url=served.http) as http:
                assert (await http.post("/v1/realtime/calls", content=OFFER, headers=SDP)).status_code == 201
                one_more = await http.post("/v1/realtime/calls", content=OFFER, headers=SDP)
                assert (one_more.status_code, one_more.json()["error"]["code"]) == (503, "overloaded")
                assert len(answering.requests) == 1
            assert len(theirs.service.registry) == 1
        assert len(theirs.service.registry) == 0


# Azure ----------------------------------------------------------------------------------------------


@asynccontextmanager
async def app(*routes: Route | WebSocketRoute) -> AsyncIterator[str]:
    listening = listen("127.0.0.1", 0)
    config = uvicorn.Config(Starlette(routes=routes), log_level="error", lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(server.serve([listening]))
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            await asyncio.wait([running])


class Azure:
    """The GA paths of an Azure OpenAI resource. It knows ``api-key`` for what it is given here, and nothing else."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, Any]] = []
        self.routes: list[Route | WebSocketRoute] = [
            Route("/openai/v1/realtime/client_secrets", self.mint, methods=["POST"]),
            Route("/openai/v1/realtime/calls", self.call, methods=["POST"]),
            Route("/openai/v1/realtime/calls/{call_id}/hangup", self.hang_up, methods=["POST"]),
            WebSocketRoute("/openai/v1/realtime", self.realtime),
        ]

    def note(self, what: str, connection: Request | WebSocket, detail: Any) -> None:
        headers = connection.headers
        key = headers.get("api-key") or headers.get("authorization", "")
        self.seen.append((what, key, detail))

    async def mint(self, request: Request) -> Response:
        self.note("mint", request, (await request.json())["session"])
        return JSONResponse({"value": "ek_azure", "expires_at": 1, "session": {}})

    async def call(self, request: Request) -> Response:
        self.note("call", request, (request.headers["content-type"], (await request.body()).decode()))
        return PlainTextResponse(ANSWER, 201, {"Location": "/openai/v1/realtime/calls/rtc_azure"})

    async def hang_up(self, request: Request) -> Response:
        self.note("hang up", request, request.path_params["call_id"])
        return Response()

    async def realtime(self, socket: WebSocket) -> None:
        self.note("realtime", socket, dict(socket.query_params))
        await socket.accept()
        await socket.send_text('{"type":"session.created","event_id":"event_1","session":{}}')
        await socket.receive()


async def test_azure_has_paths_and_headers_of_its_own():
    azure = Azure()
    async with app(*azure.routes) as url:
        ours = UpstreamBackend(url, KEY, flavour="azure")
        line = await ours.open(SessionRequest("sess_1", "my-deployment", "realtime"))
        await line.receive()
        await line.close()
        relayed = await ours.relay(OFFER, SessionRequest("sess_1", "my-deployment", "realtime", {"type": "realtime"}))
        assert (await relayed.line.receive()).type == "session.created"
        await relayed.line.close()
        await ours.close()
    session = {"type": "realtime", "model": "my-deployment"}
    assert azure.seen == [
        ("realtime", KEY, {"model": "my-deployment"}),
        ("mint", KEY, session),
        ("call", "Bearer ek_azure", ("application/sdp", OFFER)),
        ("realtime", KEY, {"call_id": "rtc_azure"}),
        ("hang up", KEY, "rtc_azure"),
    ]
