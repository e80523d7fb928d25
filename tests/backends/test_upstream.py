"""A Vivavoce whose sessions a second one answers, which demands a key that nobody but the first may know."""

import asyncio
import json
import logging
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.support.backends import ScriptedBackend
from tests.support.calls import ANSWER, OFFER, Calls
from tests.support.leaks import no_leaks
from tests.support.serving import Served, serving
from vivavoce.backends.interface import Relays
from vivavoce.backends.upstream.backend import UpstreamBackend
from vivavoce.backends.upstream.patience import Patience
from vivavoce.protocol.frame import APPEND, AUDIO_DELTA, Frame
from vivavoce.server.options import ServerOptions

KEY = "0123-the-upstreams-key-4567"


class Captured:
    """All that clients and the log were shown."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    async def response(self, response: httpx.Response) -> None:
        self.texts.append(f"{response.status_code} {response.headers} {(await response.aread()).decode()}")


@pytest.fixture
def captured(caplog: pytest.LogCaptureFixture) -> Iterator[Captured]:
    """The upstream's key is in none of it, once the test is through."""
    caplog.set_level(logging.DEBUG, "vivavoce")
    captured = Captured()
    yield captured
    formatter = logging.Formatter()
    captured.texts += [formatter.format(record) for record in caplog.get_records("call")]
    assert captured.texts
    assert not [text for text in captured.texts if KEY in text]


@pytest.fixture(autouse=True)
async def _nothing_is_left():
    async with no_leaks():
        yield


@dataclass
class Pair:
    ours: Served
    theirs: Served
    answering: ScriptedBackend
    calls: Calls


@asynccontextmanager
async def pair(key: str = KEY, session: dict[str, Any] | None = None) -> AsyncIterator[Pair]:
    answering, calls = ScriptedBackend(), Calls()
    async with serving(answering, ServerOptions(api_keys=(KEY,)), answer_call=calls.answer) as theirs:
        upstream = UpstreamBackend(f"{theirs.http}/v1", key, key_name="OUR_KEY", session=session)
        async with serving(upstream) as ours:
            yield Pair(ours, theirs, answering, calls)


async def event(socket: ClientConnection, captured: Captured) -> dict[str, Any]:
    text = str(await asyncio.wait_for(socket.recv(), 5))
    captured.texts.append(text)
    return dict(json.loads(text))


def client(captured: Captured, base: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=base, event_hooks={"response": [captured.response]})


async def test_a_session_over_a_websocket(captured):
    async with pair() as both, connect(f"{both.ours.ws}?model=gpt-x") as socket:
        created = await event(socket, captured)
        assert (created["type"], created["session"]["model"]) == ("session.created", "gpt-x")
        answerer = await both.answering.next_opened()
        await socket.send(json.dumps({"type": APPEND, "audio": "AQI=", "event_id": "mine"}))
        frame = await answerer.next_sent()
        assert (frame.audio, frame.data["event_id"]) == (b"\1\2", "mine")
        answerer.arrive(Frame(AUDIO_DELTA, {"type": AUDIO_DELTA, "of_tomorrow": [1]}, b"\3\4"))
        delta = await event(socket, captured)
        assert (delta["delta"], delta["of_tomorrow"]) == ("AwQ=", [1])


async def test_both_ends_of_a_session_end_the_other(captured):
    async with pair() as both:
        async with connect(both.ours.ws) as socket:
            await event(socket, captured)
            answerer = await both.answering.next_opened()
        live = both.theirs.service.registry.find(both.answering.requests[0].session_id)
        if live:
            await asyncio.wait_for(live.gone.wait(), 5)
        assert answerer.closed
        async with connect(both.ours.ws) as socket:
            await event(socket, captured)
            answerer = await both.answering.next_opened()
            answerer.hang_up(1001, "Your session hit the maximum duration of 60 minutes.")
            with pytest.raises(ConnectionClosed):
                await event(socket, captured)
            assert (socket.close_code, socket.close_reason) == (
                1001, "Your session hit the maximum duration of 60 minutes.",
            )  # fmt: skip


async def test_the_configuration_of_an_ephemeral_key_shows_in_session_created(captured):
    async with (
        pair(session={"audio": {"output": {"voice": "cedar"}}}) as both,
        client(captured, both.ours.http) as http,
    ):
        session = {"type": "realtime", "instructions": "Be brief.", "audio": {"output": {"speed": 1.2}}}
        minted = (await http.post("/v1/realtime/client_secrets", json={"session": session})).json()
        assert minted["session"]["audio"]["output"]["speed"] == 1.2
        headers = {"Authorization": f"Bearer {minted['value']}"}
        async with connect(both.ours.ws, additional_headers=headers) as socket:
            created = (await event(socket, captured))["session"]
        assert created["instructions"] == "Be brief."
        assert (created["audio"]["output"]["speed"], created["audio"]["output"]["voice"]) == (1.2, "cedar")


async def test_a_transcription_session(captured):
    async with pair() as both, connect(f"{both.ours.ws}?intent=transcription") as socket:
        assert (await event(socket, captured))["session"]["type"] == "transcription"


async def test_the_beta_header_stays_here(captured):
    async with pair() as both, connect(both.ours.ws, additional_headers={"OpenAI-Beta": "realtime=v1"}) as socket:
        assert (await event(socket, captured))["type"] == "session.created"


async def test_a_call_is_relayed_and_hung_up(captured, caplog):
    async with pair() as both, client(captured, both.ours.http) as http:
        assert isinstance(both.ours.service.backend, Relays)
        form = {"sdp": (None, OFFER), "session": (None, json.dumps({"type": "realtime", "instructions": "Be brief."}))}
        placed = await http.post("/v1/realtime/calls?model=gpt-x", files=form)
        assert (placed.status_code, placed.text) == (201, ANSWER)
        assert placed.headers["content-type"] == "application/sdp"
        assert re.fullmatch(r"/v1/realtime/calls/rtc_[0-9a-f]{32}", placed.headers["location"])
        assert both.calls.offers == [OFFER]
        request = both.answering.requests[0]
        assert (request.model, request.config and request.config["instructions"]) == ("gpt-x", "Be brief.")
        assert len(both.theirs.service.registry) == 1
        assert f"offer={len(OFFER)}B answer={len(ANSWER)}B" in caplog.text

        assert (await http.post(placed.headers["location"] + "/hangup")).status_code == 200
        assert len(both.theirs.service.registry) == 0
        assert both.calls.lines[0].closed
        again = await http.post(placed.headers["location"] + "/hangup")
        assert (again.status_code, again.json()["error"]["code"]) == (404, "call_id_not_found")


async def test_an_upstream_that_refuses_the_key_says_so_on_the_socket(captured, caplog):
    async with pair(key="sk-wrong-key-of-ours") as both, connect(both.ours.ws) as socket:
        error = (await event(socket, captured))["error"]
        assert error["message"] == (
            "The upstream refused this server's key. Set OUR_KEY to a valid key where the server is started, "
            "and start it again."
        )
        with pytest.raises(ConnectionClosed):
            await event(socket, captured)
        assert (socket.close_code, socket.close_reason) == (4000, "invalid_request_error.invalid_api_key")
        assert "status=401" in caplog.text
        assert "sk-wrong" not in caplog.text


async def test_an_upstream_that_refuses_the_key_says_so_to_a_call(captured, caplog):
    async with pair(key="sk-wrong-key-of-ours") as both, client(captured, both.ours.http) as http:
        refused = await http.post("/v1/realtime/calls", content=OFFER, headers={"Content-Type": "application/sdp"})
        assert refused.status_code == 401
        assert "Set OUR_KEY to a valid key" in refused.json()["error"]["message"]
        assert "status=401" in caplog.text
        assert f"offer={len(OFFER)}B" in caplog.text
        assert "does not know the key" in caplog.text
        assert "sk-wrong" not in refused.text + caplog.text


async def test_an_offer_that_the_upstream_cannot_answer_is_refused_in_its_words(captured):
    async with pair() as both, client(captured, both.ours.http) as http:
        refused = await http.post(
            "/v1/realtime/calls", content="v=0 garbage", headers={"Content-Type": "application/sdp"}
        )
        assert refused.status_code == 400
        assert refused.json()["error"] == {
            "type": "invalid_request_error", "code": "invalid_offer", "param": "sdp",
            "message": "The SDP offer cannot be answered: garbage.",
        }  # fmt: skip
        assert len(both.theirs.service.registry) == 0


async def test_an_upstream_that_is_down(captured, unused_tcp_port):
    backend = UpstreamBackend(f"http://127.0.0.1:{unused_tcp_port}/v1", KEY, patience=Patience(pause=0))
    async with serving(backend) as ours, client(captured, ours.http) as http:
        async with connect(ours.ws) as socket:
            error = (await event(socket, captured))["error"]
            assert error["code"] == "upstream_unreachable"
            assert f"http://127.0.0.1:{unused_tcp_port}/v1 cannot be reached" in error["message"]
        refused = await http.post("/v1/realtime/calls", content=OFFER, headers={"Content-Type": "application/sdp"})
        assert (refused.status_code, refused.json()["error"]["code"]) == (502, "upstream_unreachable")
        assert (await http.get("/health")).status_code == 200


async def test_an_upstream_that_goes_down_in_the_middle(captured):
    answering = ScriptedBackend()
    async with serving(answering, ServerOptions(api_keys=(KEY,))) as theirs:
        async with serving(UpstreamBackend(f"{theirs.http}/v1", KEY)) as ours, connect(ours.ws) as socket:
            await event(socket, captured)
            await answering.next_opened()
            for connection in list(theirs.server.server_state.connections):
                connection.transport.abort()
            (await answering.next_opened()).arrive(Frame("rate_limits.updated", {"type": "rate_limits.updated"}))
            assert (await event(socket, captured))["type"] == "rate_limits.updated"  # another session goes on


def test_it_shows_no_key():
    assert KEY not in repr(UpstreamBackend("http://localhost/v1", KEY))
