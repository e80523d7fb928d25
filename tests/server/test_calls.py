"""POST /v1/realtime/calls in every shape, and what is left when it goes wrong (H-13 to H-24, H-46)."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.support.backends import ScriptedBackend
from tests.support.calls import ANSWER, OFFER, Calls
from tests.support.leaks import no_leaks
from vivavoce.backends.interface import BackendError
from vivavoce.protocol.frame import Frame
from vivavoce.server.app import build
from vivavoce.server.options import ServerOptions
from vivavoce.server.security import MAX_BODY
from vivavoce.server.service import Service

SESSION = {"type": "realtime", "instructions": "Be brief."}
SDP = {"Content-Type": "application/sdp"}


@pytest.fixture(autouse=True)
async def _nothing_is_left():
    async with no_leaks():
        yield


@dataclass
class Place:
    service: Service
    backend: ScriptedBackend
    calls: Calls
    http: httpx.AsyncClient

    async def post(self, **request: Any) -> httpx.Response:
        return await self.http.post("/v1/realtime/calls", **request)

    def nothing_is_left(self) -> bool:
        lines = [*self.calls.lines, *self.backend.lines]
        return len(self.service.registry) == 0 and all(line.closed for line in lines)


@asynccontextmanager
async def place(failing: Exception | None = None, **options: Any) -> AsyncIterator[Place]:
    backend, calls = ScriptedBackend(failing=failing), Calls()
    app = build(ServerOptions(**options), backend, answer_call=calls.answer)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://localhost") as http,
    ):
        yield Place(app.state.service, backend, calls, http)


def multipart(*parts: tuple[str, str, str]) -> dict[str, Any]:
    """Parts as (headers after the name, name, content), written out as clients do."""
    body = "".join(
        f'--b0undary\r\nContent-Disposition: form-data; name="{name}"{headers}\r\n\r\n{content}\r\n'
        for headers, name, content in parts
    )
    return {
        "content": f"{body}--b0undary--\r\n",
        "headers": {"Content-Type": "multipart/form-data; boundary=b0undary"},
    }


TYPED_SDP, TYPED_JSON = "\r\nContent-Type: application/sdp", "\r\nContent-Type: application/json"


async def test_a_raw_offer_gets_201_an_answer_and_a_location():
    async with place() as at:
        answer = await at.post(content=OFFER, headers=SDP, params={"model": "gpt-x"})
        assert (answer.status_code, answer.text) == (201, ANSWER)
        assert answer.headers["content-type"] == "application/sdp"
        assert re.fullmatch(r"/v1/realtime/calls/rtc_[0-9a-f]{32}", answer.headers["location"])
        request = at.backend.requests[0]
        assert (request.model, request.kind, request.media, request.config) == ("gpt-x", "realtime", True, None)
        assert at.calls.offers == [OFFER]


@pytest.mark.parametrize(
    ("sdp", "session"),
    [
        (TYPED_SDP, TYPED_JSON),
        ("", ""),
        ('; filename="offer.sdp"' + TYPED_SDP, '; filename="session.json"' + TYPED_JSON),
    ],
    ids=["typed as python and curl do", "untyped as browsers do", "as files"],
)
@pytest.mark.parametrize("wrapped", [False, True])
async def test_the_shapes_of_a_form(sdp, session, wrapped):
    content = json.dumps({"session": SESSION} if wrapped else SESSION)
    async with place() as at:
        answer = await at.post(**multipart((sdp, "sdp", OFFER), (session, "session", content)))
        assert (answer.status_code, answer.text) == (201, ANSWER)
        assert at.calls.offers == [OFFER]
        assert at.backend.requests[0].config == SESSION


async def test_the_call_is_joined_with_the_backend_and_ends_with_either():
    async with place() as at:
        location = (await at.post(content=OFFER, headers=SDP)).headers["location"]
        client, answerer = at.calls.lines[0], at.backend.lines[0]
        assert (await client.next_sent()).type == "session.created"
        client.arrive(Frame("response.create"))
        assert (await answerer.next_sent()).type == "response.create"
        live = at.service.registry.find(location.rpartition("/")[2])
        assert live is not None
        client.hang_up()
        await asyncio.wait_for(live.gone.wait(), 5)
        assert at.nothing_is_left()


async def test_hanging_up_leaves_nothing_and_is_a_404_the_second_time():
    async with place() as at:
        location = (await at.post(content=OFFER, headers=SDP)).headers["location"]
        empty: dict[str, Any] = {
            "content": b"",
            "headers": {"Content-Type": "application/json"},
        }  # as the Python SDK sends it (H-24)
        assert (await at.http.post(f"{location}/hangup", **empty)).status_code == 200
        assert at.nothing_is_left()
        again = await at.http.post(f"{location}/hangup", **empty)
        assert (again.status_code, again.json()["error"]["code"]) == (404, "call_id_not_found")


async def test_the_session_of_a_key_and_of_the_form_add_up():
    async with place() as at:
        minted = {
            "type": "realtime",
            "model": "theirs",
            "instructions": "Long.",
            "audio": {"output": {"voice": "cedar"}},
        }
        key = (await at.http.post("/v1/realtime/client_secrets", json={"session": minted})).json()["value"]
        form = multipart(("", "sdp", OFFER), ("", "session", json.dumps(SESSION)))
        form["headers"]["Authorization"] = f"Bearer {key}"
        assert (await at.post(**form)).status_code == 201
        request = at.backend.requests[0]
        assert request.model == "theirs"
        assert request.config == {**minted, "instructions": "Be brief."}


async def test_a_required_key_is_required_and_an_ephemeral_one_will_do():
    async with place(api_keys=("sk-right",)) as at:
        right = {"Authorization": "Bearer sk-right"}
        assert (await at.post(content=OFFER, headers=SDP)).status_code == 401
        assert (await at.http.post("/v1/realtime/client_secrets", json={})).status_code == 401
        minted = await at.http.post("/v1/realtime/client_secrets", json={}, headers=right)
        ephemeral = {"Authorization": f"Bearer {minted.json()['value']}"}
        placed = await at.post(content=OFFER, headers={**SDP, **ephemeral})
        assert placed.status_code == 201
        hung_up = await at.http.post(placed.headers["location"] + "/hangup", headers=ephemeral)
        assert (hung_up.status_code, hung_up.json()["error"]["code"]) == (403, "insufficient_scope")


@pytest.mark.parametrize(
    ("request_", "code", "words"),
    [
        ({"content": "hello", "headers": SDP}, "invalid_offer", "no SDP offer"),
        ({"content": "", "headers": SDP}, "invalid_offer", "no SDP offer"),
        ({"content": '{"sdp": "v=0"}', "headers": SDP}, "invalid_offer", "JSON where an SDP offer belongs"),
        ({"content": b"v=0\xff", "headers": SDP}, "invalid_value", "UTF-8"),
        ({"content": "v=0 garbage", "headers": SDP}, "invalid_offer", "cannot be answered"),
        ({"json": {"sdp": OFFER}}, "invalid_content_type", "'application/json'"),
        ({"content": OFFER}, "invalid_content_type", "sent without a type"),
        (multipart(("", "session", "{}")), "missing_required_parameter", "no part 'sdp'"),
        (multipart(("", "sdp", OFFER), ("", "voice", "x")), "unknown_parameter", "'voice' in a place"),
        (multipart(("", "sdp", OFFER), ("", "sdp", OFFER)), "unknown_parameter", "'sdp' twice"),
        (multipart(("", "sdp", '{"a":1}')), "invalid_offer", "JSON where an SDP offer belongs"),
        (multipart(("", "sdp", OFFER), ("", "session", "{")), "invalid_json", "not valid JSON"),
        (multipart(("", "sdp", OFFER), ("", "session", "[]")), "invalid_type", "JSON object"),
        (multipart(("", "sdp", OFFER), ("", "session", "{}")), "missing_required_parameter", "session.type"),
        (
            multipart(("", "sdp", OFFER), ("", "session", '{"type":"realtime","voice":"alloy"}')),
            "unknown_parameter", "voice",
        ),
        (
            {"content": "--x\r\nnonsense", "headers": {"Content-Type": "multipart/form-data; boundary=b"}},
            None, "multipart",
        ),
        ({"content": "x", "headers": {"Content-Type": "multipart/form-data"}}, None, "boundary"),
    ],
)  # fmt: skip
async def test_bad_offers_get_400_words_and_leave_nothing(request_, code, words):
    async with place() as at:
        answer = await at.post(**request_)
        error = answer.json()["error"]
        assert (answer.status_code, error["code"]) == (400, code), error
        assert words in error["message"]
        assert at.nothing_is_left()
        assert (await at.post(content=OFFER, headers=SDP)).status_code == 201


async def test_a_body_has_a_limit():
    async with place() as at:
        big = "v=0" + "x" * MAX_BODY
        raw: dict[str, Any] = {"content": big, "headers": SDP}
        for request in (raw, multipart(("; filename=f", "sdp", big))):
            answer = await at.post(**request)
            assert (answer.status_code, str(MAX_BODY) in answer.json()["error"]["message"]) == (413, True)
        assert at.nothing_is_left()


@pytest.mark.parametrize(
    ("failing", "status"), [(BackendError.of(503, "No room."), 503), (ZeroDivisionError("insides"), 500)]
)
async def test_a_backend_that_does_not_open_leaves_no_call(failing, status):
    async with place(failing=failing) as at:
        answer = await at.post(content=OFFER, headers=SDP)
        assert answer.status_code == status
        assert "insides" not in answer.text
        assert at.nothing_is_left()
        assert at.calls.offers == []


async def test_one_call_too_many_is_a_503():
    async with place(max_sessions=1) as at:
        location = (await at.post(content=OFFER, headers=SDP)).headers["location"]
        answer = await at.post(content=OFFER, headers=SDP)
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "overloaded")
        assert answer.headers["retry-after"] == "10"
        await at.http.post(f"{location}/hangup")
        assert (await at.post(content=OFFER, headers=SDP)).status_code == 201


async def test_when_the_server_leaves_calls_are_closed_with_it():
    async with place() as at:
        await at.post(content=OFFER, headers=SDP)
    closed = at.calls.lines[0].closed
    assert closed is not None
    assert (closed.code, closed.reason) == (1001, "The server is going away.")
    assert at.nothing_is_left()
