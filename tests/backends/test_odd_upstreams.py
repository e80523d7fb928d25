"""Upstreams that answer as none should: each gets words and a log line, and nothing is left running."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
import uvicorn
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from tests.support.leaks import no_leaks
from vivavoce.backends.interface import BackendError, SessionRequest
from vivavoce.backends.upstream import api
from vivavoce.backends.upstream.backend import UpstreamBackend
from vivavoce.backends.upstream.patience import Patience
from vivavoce.protocol.wire.errors import ProtocolError
from vivavoce.server.run import listen

KEY = "sk-proj-a1b2c3d4e5f6"
OFFER = "v=0\r\n"
REQUEST = SessionRequest("sess_1", "gpt-realtime", "realtime")

SHORT = Patience(attempts=1, connect=5, answer=5, open=5)

Answer = Callable[[HTTPConnection], Awaitable[Response]]


@pytest.fixture(autouse=True)
async def _nothing_is_left():
    async with no_leaks():
        yield


@asynccontextmanager
async def upstream(answer: Answer, patience: Patience = SHORT) -> AsyncIterator[UpstreamBackend]:
    """Everything that is posted to it, or asked of it, gets ``answer``."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await WebSocket(scope, receive, send).send_denial_response(await answer(HTTPConnection(scope)))
        else:
            await (await answer(Request(scope, receive)))(scope, receive, send)

    listening = listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off", timeout_graceful_shutdown=1))
    async with asyncio.TaskGroup() as group:
        running = group.create_task(server.serve([listening]))
        ours = UpstreamBackend(f"http://127.0.0.1:{listening.getsockname()[1]}/v1", KEY, patience=patience)
        try:
            yield ours
        finally:
            await ours.close()
            server.should_exit = True
            await asyncio.wait([running])


def always(response: Response) -> Answer:
    async def answer(_request: HTTPConnection) -> Response:
        return response

    return answer


async def refused(answer: Answer) -> BackendError:
    async with upstream(answer) as ours:
        with pytest.raises(BackendError) as error:
            await ours.relay(OFFER, REQUEST)
    assert KEY not in str(error.value.body)
    return error.value


def openai_error(status: int, message: str, code: str | None = None) -> Response:
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
    return JSONResponse({"error": error}, status, {"x-request-id": "req_42"})


async def test_the_log_has_what_support_asks_for(caplog):
    error = await refused(
        always(openai_error(401, f"Incorrect API key provided: {KEY[:8]}****e5f6.", "invalid_api_key"))
    )
    assert (error.status, error.body["code"]) == (401, "invalid_api_key")
    assert "OPENAI_API_KEY" in error.body["message"]
    for fact in ("status=401", "request_id=req_42", f"offer={len(OFFER)}B", "answer=", "Incorrect API key provided"):
        assert fact in caplog.text
    assert "e5f6" not in caplog.text
    assert "sk-proj" not in caplog.text


@pytest.mark.parametrize(
    ("status", "told", "words"),
    [
        (400, 400, "Said the upstream."),
        (403, 403, "does not let this key do that: Said the upstream."),
        (404, 404, "does not know what was asked for: Said the upstream."),
        (429, 429, "takes no more for now, for a rate limit or for want of credit: Said the upstream."),
        (500, 502, "failed with status 500: Said the upstream. Try again"),
        (503, 502, "failed with status 503: Said the upstream. Try again"),
    ],
)
async def test_each_refusal_in_words(status, told, words):
    error = await refused(always(openai_error(status, "Said the upstream", "its_code")))
    assert error.status == told
    assert words in error.body["message"]
    assert error.body["code"] == "its_code"


async def test_a_key_in_the_upstreams_words_is_taken_out(caplog):
    error = await refused(always(openai_error(400, f"Bad header: Bearer {KEY}")))
    assert error.body["message"] == "Bad header: Bearer …. (The upstream's request id: req_42.)"
    assert KEY not in caplog.text


async def test_a_refusal_that_is_no_json():
    error = await refused(always(PlainTextResponse("<html>Bad gateway</html>", 502)))
    assert (error.status, error.body["type"]) == (502, "server_error")
    assert "status 502" in error.body["message"]


async def test_a_redirect_is_not_followed_with_the_key():
    error = await refused(always(RedirectResponse("http://127.0.0.1:1/elsewhere", 307)))
    assert (error.status, "status 307" in error.body["message"]) == (502, True)


async def test_an_answer_that_is_no_sdp_ends_the_call_it_placed():
    paths: list[str] = []

    async def answer(request: HTTPConnection) -> Response:
        paths.append(request.url.path)
        return JSONResponse({}, 201, {"Location": "/v1/realtime/calls/rtc_theirs"})

    error = await refused(answer)
    assert (error.status, error.body["code"]) == (502, "upstream_invalid_answer")
    assert paths == ["/v1/realtime/calls", "/v1/realtime/calls/rtc_theirs/hangup"]


async def test_an_answer_without_end(monkeypatch):
    monkeypatch.setattr(api, "MAX_ANSWER", 1000)
    error = await refused(always(PlainTextResponse("v=0" + "x" * 1000, 201)))
    assert (error.status, error.body["code"]) == (502, "upstream_unreachable")


async def test_one_that_does_not_answer_in_time(caplog):
    over = asyncio.Event()

    async def answer(_request: HTTPConnection) -> Response:
        await over.wait()
        return Response()

    async with upstream(answer, Patience(answer=0.05, open=0.05)) as ours:
        with pytest.raises(BackendError) as late:
            await ours.relay(OFFER, REQUEST)
        assert (late.value.status, late.value.body["code"]) == (504, "upstream_timeout")
        with pytest.raises(BackendError) as late:
            await ours.open(REQUEST)
        assert late.value.status == 504
        over.set()
    assert "upstream late" in caplog.text


async def test_one_that_speaks_no_websocket(caplog):
    caplog.set_level(logging.INFO)
    async with upstream(always(openai_error(404, "No such page"))) as ours:
        with pytest.raises(BackendError) as error:
            await ours.open(REQUEST)
    assert error.value.status == 404
    assert "No such page" in error.value.body["message"]
    assert "request_id=req_42" in caplog.text


async def test_one_that_mints_nothing():
    request = SessionRequest("sess_1", "gpt-realtime", "realtime", {"type": "realtime"})
    async with upstream(always(JSONResponse([]))) as ours:
        with pytest.raises(BackendError) as error:
            await ours.open(request)
    assert "minted no client secret" in error.value.body["message"]


async def test_a_call_without_a_name_is_none():
    """Nobody here could end it, nor listen to it; the next one is carried here."""
    async with upstream(always(PlainTextResponse("v=0", 201))) as ours:
        assert ours.direct(REQUEST)
        with pytest.raises(BackendError, match="did not name the call"):
            await ours.relay(OFFER, REQUEST)
        assert not ours.direct(REQUEST)


@pytest.mark.parametrize("config", [{"instructions": "x"}, {"type": "translation"}])
def test_a_session_of_another_type_is_refused_here(config):
    with pytest.raises(ProtocolError) as error:
        UpstreamBackend("http://localhost", KEY).describe(SessionRequest("sess_1", "m", "realtime", config))
    assert error.value.param == "session.type"
