"""Connections, patience and words: what the three senses have in common, tried with the mind."""

import asyncio
import logging
import socket
from contextlib import aclosing

import pytest

from tests.support.leaks import no_leaks
from tests.support.model_server import ModelServer, model_server, sse
from vivavoce.models.interfaces import Message, ModelError, Prompt, Said
from vivavoce.models.llm.remote import RemoteLlm
from vivavoce.models.remote import api
from vivavoce.models.remote.place import Patience

PROMPT = Prompt("", [Message("user", "Hello.")])
KEY = "sk-very-secret-0123456789"


def word(text: str, finish: str | None = None) -> dict[str, object]:
    return {"choices": [{"delta": {"content": text}, "finish_reason": finish}]}


HELLO = sse(word("Hello", "stop"))


async def said(mind: RemoteLlm) -> str:
    return "".join([part.text async for part in mind.answer(PROMPT) if isinstance(part, Said)])


def mind_of(server: ModelServer, *, key: str = "", patience: Patience | None = None) -> RemoteLlm:
    return RemoteLlm(url=server.url, model="tiny", key=key, key_env="MY_KEY" if key else "", patience=patience)


async def why(server: ModelServer, *, key: str = "", patience: Patience | None = None) -> str:
    mind = mind_of(server, key=key, patience=patience)
    with pytest.raises(ModelError) as caught:
        await said(mind)
    await mind.close()
    return str(caught.value)


async def test_a_connection_is_used_again() -> None:
    async with model_server() as server, no_leaks():
        mind = mind_of(server)
        for _ in range(3):
            server.tell(HELLO)
            assert await said(mind) == "Hello"
        assert {asked.connection for asked in server.asked} == {0}
        await mind.close()
        await mind.close()


async def test_closing_the_answer_stops_the_server() -> None:
    async with model_server() as server, no_leaks():
        mind, never = mind_of(server), asyncio.Event()
        server.tell(sse(word("Once"), done=False), never)
        async with aclosing(mind.answer(PROMPT)) as answer:
            assert await anext(answer) == Said("Once")
        async with asyncio.timeout(5):
            await server.asked[0].left.wait()
        await mind.close()


async def test_cancelling_before_the_first_word_stops_the_server() -> None:
    async with model_server() as server, no_leaks():
        mind, never = mind_of(server), asyncio.Event()
        server.tell(never)
        asking = asyncio.create_task(said(mind))
        async with asyncio.timeout(5):
            await server.came.wait()
            asking.cancel()
            await server.asked[0].left.wait()
        await mind.close()


async def test_the_key_is_shown_to_the_server_and_to_nobody_else(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with model_server() as server:
        server.tell_json({"error": {"message": f"Incorrect API key provided: {KEY}."}}, 401)
        words = await why(server, key=KEY)
        assert server.asked[0].headers["Authorization"] == f"Bearer {KEY}"
    assert words == (
        f"The model at {server.url} refused the key in MY_KEY. Set it to a valid one and start the server again."
    )
    assert KEY not in caplog.text
    assert KEY not in repr(mind_of(server, key=KEY)._api.remote)


async def test_without_a_key_none_is_shown() -> None:
    async with model_server() as server:
        server.tell_json({"detail": "Not authenticated"}, 401)
        assert "wants a key: put it into a variable and name that with --llm-key-env" in await why(server)
        assert "Authorization" not in server.asked[0].headers


@pytest.mark.parametrize(
    ("status", "told", "words"),
    [
        (404, {"error": {"message": "model 'tiny' not found"}}, "does not know what was asked for ('tiny')"),
        (400, {"detail": [{"msg": "no"}]}, "refused the request with status 400: [{'msg': 'no'}]."),
        (403, {"error": "Your plan"}, "does not let this key do that: Your plan."),
        (429, {"error": {"code": "insufficient_quota", "message": "Pay!"}}, "for want of credit: Pay!"),
    ],
)
async def test_what_is_no_passing_fault_is_told_at_once(status: int, told: object, words: str) -> None:
    async with model_server() as server:
        server.tell_json(told, status)
        assert words in await why(server)
        assert len(server.asked) == 1


async def test_a_passing_fault_is_tried_once_more_and_no_further() -> None:
    async def at_once(_seconds: float) -> None: ...

    async with model_server() as server:
        mind = mind_of(server, patience=Patience(sleep=at_once))
        server.tell_json({}, 503)
        server.tell(HELLO)
        assert await said(mind) == "Hello"
        for _ in range(2):
            server.tell_json({"error": {"message": "overloaded"}}, 503)
        with pytest.raises(ModelError, match="failed with status 503: overloaded"):
            await said(mind)
        assert len(server.asked) == 4
        server.tell_json({}, 429, {"Retry-After": "20"})  # nobody waits so long
        with pytest.raises(ModelError, match="takes no more for now"):
            await said(mind)
        await mind.close()


async def test_a_connection_that_the_server_has_closed_is_no_fault() -> None:
    async with model_server() as server:
        mind = mind_of(server)
        server.tell(HELLO)
        assert await said(mind) == "Hello"
        (protocol,) = {each for conns in mind._api._http().connector._conns.values() for each, _ in conns}  # type: ignore[union-attr]
        assert protocol.transport
        protocol.transport.abort()
        server.tell(HELLO)
        assert await said(mind) == "Hello"
        await mind.close()


async def test_after_the_first_word_nothing_is_asked_again() -> None:
    async with model_server() as server:
        server.tell(sse(word("Once upon"), done=False))
        assert "broke off in the middle of its answer" in await why(server)
        assert len(server.asked) == 1


async def test_silence_has_an_end() -> None:
    async with model_server() as server:
        never = asyncio.Event()
        server.tell(never)
        assert "said nothing for 0.05 s" in await why(server, patience=Patience(first=0.05))
        server.tell(sse(word("Once"), done=False), never)
        assert "said nothing for 0.05 s" in await why(server, patience=Patience(between=0.05))


async def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    mind = RemoteLlm(url=f"http://127.0.0.1:{port}/v1", model="tiny", patience=Patience(pause=0))
    with pytest.raises(ModelError, match=r"cannot be reached: Connection refused\. Is it running\? See --llm-url\."):
        await mind.warm()
    await mind.close()


async def test_not_more_at_once_than_stated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "AT_ONCE", 1)
    async with model_server() as server:
        mind, never = mind_of(server), asyncio.Event()
        server.tell(sse(word("Once"), done=False), never)
        async with aclosing(mind.answer(PROMPT)) as answer:
            await anext(answer)
            with pytest.raises(ModelError, match="is asked 1 things at once already"):
                await said(mind)
        server.tell(HELLO)
        assert await said(mind) == "Hello"
        await mind.close()


async def test_a_check_tells_the_models() -> None:
    async with model_server() as server:
        mind = mind_of(server)
        server.tell_json({"data": [{"id": "tiny"}, {"id": "large"}]})
        assert await mind.check() == ["tiny", "large"]
        server.tell_json({"detail": "Not Found"}, 404)
        assert await mind.check() is None
        await mind.close()


def test_a_server_that_is_not_openai_s_needs_the_name_of_a_model() -> None:
    with pytest.raises(ModelError, match="Name one with --llm-model"):
        RemoteLlm(url="http://127.0.0.1:1/v1")
    assert RemoteLlm().name == "gpt-4.1-mini"
