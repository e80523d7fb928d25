"""The WebSocket at /v1/realtime, from the handshake to the end (H-01 to H-12)."""

import asyncio
import json
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin, Subprotocol

from tests.support.backends import ScriptedBackend
from tests.support.leaks import no_leaks
from tests.support.serving import Served, serving
from vivavoce.backends.interface import BackendError
from vivavoce.protocol.frame import APPEND, AUDIO_DELTA, Frame
from vivavoce.server.options import ServerOptions

KEY = "sk-what-this-server-wants"


@pytest.fixture(autouse=True)
async def _nothing_is_left():
    async with no_leaks():
        yield


async def event(socket: ClientConnection) -> dict[str, Any]:
    return dict(json.loads(await asyncio.wait_for(socket.recv(), 5)))


async def ended(socket: ClientConnection) -> tuple[int, str]:
    with pytest.raises(ConnectionClosed):
        await event(socket)
    assert socket.close_code is not None
    return socket.close_code, socket.close_reason or ""


async def mint(served: Served, session: dict[str, Any] | None = None) -> str:
    async with httpx.AsyncClient() as http:
        body = {"session": session} if session else {}
        answer = await http.post(f"{served.http}/v1/realtime/client_secrets", json=body)
    return str(answer.json()["value"])


async def refusal(url: str, **how: Any) -> tuple[int, dict[str, Any]]:
    with pytest.raises(InvalidStatus) as refused:
        await connect(url, **how)
    response = refused.value.response
    assert response.headers["content-type"] == "application/json"
    return response.status_code, json.loads(response.body)["error"]


async def test_events_and_audio_pass_both_ways_after_session_created():
    backend = ScriptedBackend()
    async with serving(backend) as served, connect(f"{served.ws}?model=gpt-x") as socket:
        created = await event(socket)
        assert (created["type"], created["session"]["model"]) == ("session.created", "gpt-x")
        assert created["session"]["id"] == backend.requests[0].session_id
        answerer = await backend.next_opened()
        await socket.send(json.dumps({"type": APPEND, "audio": "AQI="}))
        assert (await answerer.next_sent()).audio == b"\1\2"
        answerer.arrive(Frame(AUDIO_DELTA, {"type": AUDIO_DELTA, "response_id": "resp_1"}, b"\3\4"))
        assert (await event(socket))["delta"] == "AwQ="
        assert len(served.service.registry) == 1
    assert answerer.closed
    assert len(served.service.registry) == 0
    assert backend.closed


async def test_the_default_model_and_the_kind_of_session():
    backend = ScriptedBackend()
    async with serving(backend, ServerOptions(model="ours")) as served:
        async with connect(served.ws) as socket:
            assert (await event(socket))["session"]["model"] == "ours"
        async with connect(f"{served.ws}?intent=transcription") as socket:
            assert (await event(socket))["session"]["object"] == "realtime.transcription_session"


async def test_compression_is_off_even_when_a_client_offers_it():
    async with serving(ScriptedBackend()) as served, connect(served.ws, compression="deflate") as socket:
        assert socket.response is not None
        assert "sec-websocket-extensions" not in socket.response.headers
        assert "server" not in socket.response.headers


async def test_a_message_of_fifteen_mebibytes_of_audio_fits():
    backend = ScriptedBackend()
    async with serving(backend) as served, connect(served.ws) as socket:
        answerer = await backend.next_opened()
        await socket.send(json.dumps({"type": APPEND, "audio": "A" * (15 * 1024 * 1024)}))
        frame = await answerer.next_sent()
        assert frame.audio is not None
        assert len(frame.audio) == 15 * 1024 * 1024 * 3 // 4


async def test_a_browser_gets_realtime_and_never_its_key_back():
    offered = [Subprotocol(each) for each in ("realtime", "openai-insecure-api-key.sk-mine", "openai-agents-sdk.0.2")]
    async with serving(ScriptedBackend()) as served, connect(served.ws, subprotocols=offered) as socket:
        assert socket.subprotocol == "realtime"


@pytest.mark.parametrize("by", ["bearer", "subprotocol"])
async def test_an_ephemeral_key_brings_its_configuration(by):
    async with serving(ScriptedBackend()) as served:
        key = await mint(served, {"type": "realtime", "model": "theirs", "instructions": "Be brief."})
        how: dict[str, Any] = (
            {"additional_headers": {"Authorization": f"Bearer {key}"}}
            if by == "bearer"
            else {"subprotocols": ["realtime", f"openai-insecure-api-key.{key}"]}
        )
        for _ in range(2):  # it may open many sessions (H-34)
            async with connect(f"{served.ws}?model=other", **how) as socket:
                session = (await event(socket))["session"]
                assert (session["instructions"], session["model"]) == ("Be brief.", "theirs")


async def test_an_unknown_ephemeral_key_is_told_over_http_before_the_upgrade():
    backend = ScriptedBackend()
    async with serving(backend) as served:
        status, error = await refusal(served.ws, additional_headers={"Authorization": "Bearer ek_nobody"})
        assert (status, error["code"]) == (401, "invalid_api_key")
        assert "Mint a fresh one" in error["message"]
        assert backend.requests == []


@pytest.mark.parametrize("key", [None, "anything"])
async def test_in_local_mode_any_other_key_or_none_is_let_in(key):
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    async with serving(ScriptedBackend()) as served, connect(served.ws, additional_headers=headers) as socket:
        assert (await event(socket))["type"] == "session.created"


async def test_a_required_key_is_required():
    async with serving(ScriptedBackend(), ServerOptions(api_keys=(KEY,))) as served:
        status, error = await refusal(served.ws)
        assert (status, error["code"]) == (401, "missing_api_key")
        status, error = await refusal(served.ws, additional_headers={"Authorization": "Bearer sk-wrong"})
        assert (status, error["code"]) == (401, "invalid_api_key")
        async with connect(served.ws, additional_headers={"Authorization": f"Bearer {KEY}"}) as socket:
            assert (await event(socket))["type"] == "session.created"


async def test_an_unknown_call_is_a_404():
    async with serving(ScriptedBackend()) as served:
        status, error = await refusal(f"{served.ws}?call_id=rtc_nobody")
        assert (status, error["type"], error["code"]) == (404, "invalid_request_error", "call_id_not_found")


async def test_without_an_upgrade_the_address_says_what_it_is():
    async with serving(ScriptedBackend()) as served, httpx.AsyncClient() as http:
        answer = await http.get(f"{served.http}/v1/realtime?model=x")
        assert answer.status_code == 426
        assert "WebSocket" in answer.json()["error"]["message"]


async def test_a_backend_that_refuses_is_told_on_the_socket():
    refused = BackendError.of(
        401, "The upstream refused the key.", code="invalid_api_key", type="invalid_request_error"
    )
    async with serving(ScriptedBackend(failing=refused)) as served, connect(served.ws) as socket:
        told = await event(socket)
        assert told["type"] == "error"
        assert told["event_id"].startswith("event_")
        assert told["error"]["message"] == "The upstream refused the key."
        assert told["error"]["event_id"] is None
        assert await ended(socket) == (4000, "invalid_request_error.invalid_api_key")


async def test_a_mistake_of_ours_is_told_without_its_insides(caplog):
    async with serving(ScriptedBackend(failing=ZeroDivisionError("secret insides"))) as served:
        async with connect(served.ws) as socket:
            told = await event(socket)
            assert told["error"]["code"] == "internal_error"
            assert "insides" not in json.dumps(told)
            assert (await ended(socket))[0] == 1011
    assert "secret insides" in caplog.text


async def test_one_session_too_many_is_told_and_later_there_is_room():
    backend = ScriptedBackend()
    async with serving(backend, ServerOptions(max_sessions=1)) as served:
        async with connect(served.ws) as first:
            await event(first)
            with pytest.raises(InvalidStatus) as refused:
                await connect(served.ws)
            answer = refused.value.response
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
            assert json.loads(answer.body)["error"]["code"] == "overloaded"
            async with connect(served.ws, origin=Origin(served.http)) as page:  # reads nothing of an HTTP error
                assert "Try again in 10 seconds" in (await event(page))["error"]["message"]
                assert await ended(page) == (1013, "server_error.overloaded")
            live = served.service.registry.find(backend.requests[0].session_id)
        assert live is not None
        await asyncio.wait_for(live.gone.wait(), 5)
        async with connect(served.ws) as third:
            assert (await event(third))["type"] == "session.created"


@pytest.mark.parametrize(
    "garbage", ["no json", "[1]", '{"type": 7}', b"\0\1", '{"type":"input_audio_buffer.append","audio":"*"}']
)
async def test_garbage_gets_an_error_event_and_the_session_goes_on(garbage):
    backend = ScriptedBackend()
    async with serving(backend) as served, connect(served.ws) as socket:
        await event(socket)
        answerer = await backend.next_opened()
        await socket.send(garbage)
        assert (await event(socket))["type"] == "error"
        await socket.send('{"type":"response.create"}')
        assert (await answerer.next_sent()).type == "response.create"


async def test_a_client_that_is_cut_off_leaves_nothing():
    backend = ScriptedBackend()
    async with serving(backend) as served:
        socket = await connect(served.ws)
        await event(socket)
        answerer = await backend.next_opened()
        live = served.service.registry.find(backend.requests[0].session_id)
        assert live is not None
        answerer.arrive(Frame("response.created", {"type": "response.created", "response": {"id": "resp_1"}}))
        await event(socket)
        socket.transport.abort()
        await asyncio.wait_for(live.gone.wait(), 5)
        assert answerer.closed
        await socket.wait_closed()
