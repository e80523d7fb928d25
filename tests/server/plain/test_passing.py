"""Before an upstream, the plain endpoints pass on what they are asked, with the server's key, and follow what comes."""

import asyncio
from base64 import b64encode
from decimal import Decimal
from typing import Any

import httpx
import openai
import pytest

from tests.server.plain.test_transcriptions import recording
from tests.support.agents import INSTRUCTIONS, agent
from tests.support.fake_models import tone
from tests.support.model_server import sse
from tests.support.plain import UPSTREAM_KEY, billed, client, passing, said
from vivavoce.access.agents import Agents
from vivavoce.access.prices import Price, Prices
from vivavoce.server.options import ServerOptions

HELLO: Any = [{"role": "user", "content": "Hello."}]
THREAD = {"X-Vivavoce-Thread": "lunch"}
USAGE = {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12}
PRICES = Prices(
    {
        "gpt-4o": Price(text_in=Decimal(100_000), text_out=Decimal(1_000_000)),
        "tts-1": Price(minute=Decimal(60)),
        "whisper-1": Price(minute=Decimal(6)),
    }
)


def delta(text: str, finish: str | None = None) -> dict[str, Any]:
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o",
            "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": finish}]}  # fmt: skip


COUNTED = {**delta(""), "choices": [], "usage": USAGE}


async def test_a_stream_is_passed_on_as_it_comes() -> None:
    async with passing(ServerOptions(prices=PRICES)) as (served, upstream), client(served, **THREAD) as api:
        more = asyncio.Event()
        upstream.tell(sse(delta("Hi"), done=False), more, sse(delta(" there.", "stop"), COUNTED))
        stream = await api.chat.completions.create(model="gpt-4o", messages=HELLO, stream=True, temperature=0.5)
        chunks = aiter(stream)
        assert (await anext(chunks)).choices[0].delta.content == "Hi"
        more.set()
        rest = [chunk async for chunk in chunks]
        assert [chunk.choices[0].delta.content for chunk in rest] == [" there."]  # the usage was for us alone
        (asked,) = upstream.asked
        assert asked.headers["Authorization"] == f"Bearer {UPSTREAM_KEY}"
        assert asked.body == {
            "model": "gpt-4o", "messages": HELLO, "stream": True, "temperature": 0.5,
            "stream_options": {"include_usage": True},
        }  # fmt: skip
        id = stream.response.headers["x-vivavoce-session"]
        assert await said(served, id) == [("user", "Hello."), ("assistant", "Hi there.")]
        (bill,) = await billed(served, id)
        assert (bill.model, bill.usd, bill.status) == ("gpt-4o", Decimal(3), "completed")


async def test_whole_with_the_usage_that_was_asked_for() -> None:
    async with passing(ServerOptions(prices=PRICES)) as (served, upstream), client(served, **THREAD) as api:
        message = {"role": "assistant", "content": "Hi.", "annotations": [{"odd": 1}]}
        told = {"id": "c", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": USAGE}
        upstream.tell_json(told)
        raw = await api.chat.completions.with_raw_response.create(model="gpt-4o", messages=HELLO)
        assert raw.http_response.json() == told
        assert [bill.usd for bill in await billed(served, raw.headers["x-vivavoce-session"])] == [Decimal(3)]
        upstream.tell(sse(delta("Hi", "stop"), COUNTED))
        stream = await api.chat.completions.create(
            model="gpt-4o", messages=HELLO, stream=True, stream_options={"include_usage": True}
        )
        assert [chunk.usage.total_tokens async for chunk in stream if chunk.usage] == [12]


async def test_whoever_leaves_stops_the_upstream() -> None:
    async with passing() as (served, upstream), client(served) as api:
        upstream.tell(sse(delta("Hi"), done=False), asyncio.Event())
        stream = await api.chat.completions.create(model="gpt-4o", messages=HELLO, stream=True)
        await anext(aiter(stream))
        await stream.close()
        async with asyncio.timeout(5):
            await upstream.asked[0].left.wait()


async def test_who_hangs_up_before_the_usage_is_told_has_used_it_all_the_same() -> None:
    async with passing(ServerOptions(prices=PRICES)) as (served, upstream), client(served, **THREAD) as api:
        upstream.tell(sse(delta("Twelve letters."), done=False), asyncio.Event())
        stream = await api.chat.completions.create(model="gpt-4o", messages=HELLO, stream=True)
        await anext(aiter(stream))
        await stream.close()
        (bill,) = await billed(served, stream.response.headers["x-vivavoce-session"])
        assert (bill.status, bill.usd) == ("incomplete", Decimal("4.2"))  # two tokens in, four out
        upstream.tell_json({"error": {"message": "No."}}, 400)
        with pytest.raises(openai.BadRequestError):
            await api.chat.completions.create(model="gpt-4o", messages=HELLO)
        refused = (await billed(served, stream.response.headers["x-vivavoce-session"]))[-1]
        assert (refused.status, refused.usd) == ("failed", Decimal(0))


async def test_speech_as_events_is_charged_too() -> None:
    prices = Prices({"gpt-4o-mini-tts": Price(audio_out=Decimal(1_000_000))})
    async with passing(ServerOptions(prices=prices)) as (served, upstream), client(served, **THREAD) as api:
        sound = b64encode(recording(tone(1000), "mp3")).decode()
        heard = {"type": "speech.audio.delta", "audio": sound}
        done = {"type": "speech.audio.done", "usage": {"input_tokens": 3, "output_tokens": 30, "total_tokens": 33}}
        bills = []
        for events in ([heard, done], [heard]):
            upstream.tell(sse(*events, done=False))
            raw = await api.audio.speech.with_raw_response.create(
                model="gpt-4o-mini-tts", voice="nova", input="Hello.", stream_format="sse"
            )
            bills = await billed(served, raw.headers["x-vivavoce-session"])
        assert bills[0].usd == Decimal(30)
        assert float(bills[1].usd or 0) == pytest.approx(20, abs=3)  # a second, at 20 tokens


async def test_an_agent_holds_before_an_upstream() -> None:
    given = ServerOptions(agents=Agents({"blue": agent()}))
    async with passing(given) as (served, upstream), client(served) as api:
        upstream.tell_json({"choices": []})
        await api.chat.completions.create(model="agent:blue", messages=HELLO)
        body = upstream.asked[0].body
        assert body["messages"] == [{"role": "system", "content": INSTRUCTIONS}, *HELLO]
        assert body["model"] == "gpt-4.1-mini"
        assert [tool["function"]["name"] for tool in body["tools"]] == ["look_up"]
        with pytest.raises(openai.BadRequestError, match="'prediction' cannot be set"):
            await api.chat.completions.create(model="agent:blue", messages=HELLO, extra_body={"prediction": {}})


async def test_what_only_the_upstream_knows_is_its_affair() -> None:
    custom: Any = [{"type": "custom", "custom": {"name": "run"}}]
    called = {
        "role": "assistant",
        "tool_calls": [{"id": "c1", "type": "custom", "custom": {"name": "run", "input": ""}}],
    }
    spoken = {"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}}]}
    async with passing() as (served, upstream), client(served) as api:
        upstream.tell_json({"choices": []})
        messages: Any = [spoken, called, {"role": "tool", "tool_call_id": "c1", "content": "done"}]
        await api.chat.completions.create(model="gpt-4o", messages=messages, tools=custom, n=2)
        assert upstream.asked[0].body == {"model": "gpt-4o", "messages": messages, "tools": custom, "n": 2}


async def test_a_refusal_keeps_its_status_and_shows_no_key() -> None:
    async with passing() as (served, upstream), client(served) as api:
        upstream.tell_json({"error": {"message": f"Incorrect API key: {UPSTREAM_KEY}", "code": "invalid_api_key"}}, 401)
        with pytest.raises(openai.AuthenticationError) as caught:
            await api.chat.completions.create(model="gpt-4o", messages=HELLO)
        assert "refused this server's key" in caught.value.message
        assert UPSTREAM_KEY not in str(caught.value.body)
        upstream.tell_json({"error": {"message": "No such model", "code": "model_not_found"}}, 404)
        with pytest.raises(openai.NotFoundError, match="No such model"):
            await api.chat.completions.create(model="gpt-9", messages=HELLO)


async def test_a_user_s_own_key_pays() -> None:
    async with passing() as (served, upstream), client(served) as api:
        upstream.tell_json({"choices": []})
        own = {"X-Vivavoce-Upstream-Key": "sk-my-own-key"}
        await api.chat.completions.create(model="gpt-4o", messages=HELLO, extra_headers=own)
        assert upstream.asked[0].headers["Authorization"] == "Bearer sk-my-own-key"
        assert "X-Vivavoce-Upstream-Key" not in upstream.asked[0].headers


async def test_speech_is_passed_on_and_measured() -> None:
    async with passing(ServerOptions(prices=PRICES)) as (served, upstream), client(served, **THREAD) as api:
        sound = recording(tone(1000), "mp3")
        upstream.tell(sound[:2000], sound[2000:], kind="audio/mpeg")
        async with api.audio.speech.with_streaming_response.create(
            model="tts-1", voice="nova", input="Hello.", instructions="Whisper."
        ) as answer:
            assert await answer.read() == sound
            id = answer.headers["x-vivavoce-session"]
        assert upstream.asked[0].body == {
            "model": "tts-1", "voice": "nova", "input": "Hello.", "instructions": "Whisper.",
        }  # fmt: skip
        (bill,) = await billed(served, id)
        assert float(bill.usd or 0) == pytest.approx(1.0, abs=0.1)


async def test_a_recording_is_passed_on_and_measured() -> None:
    async with passing(ServerOptions(prices=PRICES)) as (served, upstream), client(served, **THREAD) as api:
        sound = recording()
        for format, answer in (("text", b"Hello.\n"), ("json", b'{"text": "Hello.", "odd": 1}')):
            upstream.tell(answer, kind="application/json" if format == "json" else "text/plain")
            given: Any = {"response_format": format, "temperature": 0.2, "timestamp_granularities": ["word", "segment"]}
            raw = await api.audio.transcriptions.with_raw_response.create(
                model="whisper-1", file=("a.wav", sound), **given
            )
            assert raw.content == answer
        body = upstream.asked[0].body
        assert (body["file"], body["model"], body["temperature"]) == (sound, "whisper-1", "0.2")
        id = raw.headers["x-vivavoce-session"]
        assert await said(served, id) == [("user", "Hello.")] * 2
        assert [bill.usd for bill in await billed(served, id)] == [Decimal("0.3")] * 2


async def test_its_models_and_ours_are_listed() -> None:
    given = ServerOptions(agents=Agents({"blue": agent()}))
    async with passing(given) as (served, upstream), client(served) as api, httpx.AsyncClient() as http:
        listed = {"object": "list", "data": [{"id": "gpt-4o", "object": "model", "created": 1, "owned_by": "openai"}]}
        for _ in range(3):
            upstream.tell_json(listed)
        assert [model.id async for model in api.models.list()] == ["agent:blue", "gpt-4o"]
        assert (await api.models.retrieve("gpt-4o")).owned_by == "openai"
        missing = await http.get(f"{served.http}/v1/models/gpt-9")
        assert (missing.status_code, missing.json()["error"]["code"]) == (404, "model_not_found")
