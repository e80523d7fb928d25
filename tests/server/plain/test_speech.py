"""Speech from the voice of this process, in every format that is offered, and what is asked of it."""

from decimal import Decimal
from io import BytesIO
from typing import Any

import openai
import pytest

from tests.support.fake_models import FakeLlm, FakeTts, says
from tests.support.plain import billed, built_in, client, said
from vivavoce.access.agents import Agent, Agents
from vivavoce.access.prices import Price, Prices
from vivavoce.audio.pcm import level_dbfs
from vivavoce.models.interfaces import ModelError
from vivavoce.server.options import ServerOptions
from vivavoce.server.v1.plain.sound import decoded
from vivavoce.server.v1.plain.sound_shapes import FORMATS, MEDIA

TEXT = "One two three four five six seven eight nine ten. Eleven twelve."
THREAD = {"X-Vivavoce-Thread": "lunch"}


async def test_every_format_holds_the_sound() -> None:
    async with built_in(tts=FakeTts(rate=22_050)) as served, client(served) as api:
        for format in FORMATS:
            async with api.audio.speech.with_streaming_response.create(
                model="tts-1", voice="nova", input=TEXT, response_format=format
            ) as answer:
                assert answer.headers["content-type"] == MEDIA[format]
                sound = await answer.read()
            pcm = sound if format == "pcm" else decoded(BytesIO(sound), 24_000)
            assert len(pcm) / 48_000 == pytest.approx(1.2, abs=0.1), format  # twelve words of 100 ms
            assert level_dbfs(pcm) > -20


async def test_it_comes_as_it_is_made() -> None:
    tts = FakeTts()
    async with built_in(tts=tts) as served, client(served) as api:
        async with api.audio.speech.with_streaming_response.create(
            model="tts-1", voice="nova", input=TEXT, response_format="pcm", speed=1.5
        ) as answer:
            await anext(answer.iter_bytes(100))
    assert [(each.voice, each.speed) for each in tts.asked][:1] == [("nova", 1.5)]
    assert next(each.text for each in tts.asked) == "One two three four five six seven eight"


async def test_what_cannot_be_said_is_told_in_words() -> None:
    async with built_in(tts=FakeTts(failure=ModelError("The voice is hoarse."))) as served, client(served) as api:
        for given, words in (
            ({"speed": 3.0}, "speed of 0.25 to 1.5"),
            ({"input": ""}, "input"),
            ({"response_format": "midi"}, "response_format"),
            ({"extra_body": {"stream_format": "sse"}}, "'audio' only"),
        ):
            body: Any = {"model": "tts-1", "voice": "nova", "input": TEXT, **given}
            with pytest.raises(openai.BadRequestError, match=words):
                await api.audio.speech.create(**body)
        with pytest.raises(openai.InternalServerError, match="The voice is hoarse"):
            await api.audio.speech.create(model="tts-1", voice="nova", input=TEXT)


async def test_an_agent_has_its_own_voice_and_keeps_it() -> None:
    tts = FakeTts()
    session = {"audio": {"output": {"voice": "sage"}}}
    own = Agent(name="blue", session=session, client_may=frozenset())
    given = ServerOptions(agents=Agents({"blue": own}))
    async with built_in(given, tts=tts) as served, client(served) as api:
        await api.audio.speech.create(model="agent:blue", voice="sage", input="Hello.")
        with pytest.raises(openai.BadRequestError, match="has fixed"):
            await api.audio.speech.create(model="agent:blue", voice="nova", input="Hello.")
    assert [each.voice for each in tts.asked] == ["sage"]


async def test_what_was_said_and_is_spoken_now_is_said_once() -> None:
    user: Any = [{"role": "user", "content": "Count."}]
    async with built_in(llm=FakeLlm(says("One. Two."))) as served, client(served, **THREAD) as api:
        await api.chat.completions.create(model="x", messages=user)
        await said(served, "")
        for clause in ("One.", "Two.", "Three."):
            raw = await api.audio.speech.with_raw_response.create(model="tts-1", voice="nova", input=clause)
            told = await said(served, raw.headers["x-vivavoce-session"])
        assert told == [("user", "Count."), ("assistant", "One. Two."), ("assistant", "Three.")]


async def test_it_is_paid_by_its_length_and_written_down() -> None:
    prices = Prices({"fake-tts": Price(minute=Decimal(60))})
    async with built_in(ServerOptions(prices=prices), tts=FakeTts()) as served, client(served, **THREAD) as api:
        raw = await api.audio.speech.with_raw_response.create(model="tts-1", voice="nova", input=TEXT)
        id = raw.headers["x-vivavoce-session"]
        assert await said(served, id) == [("assistant", TEXT)]
        (bill,) = await billed(served, id)
        assert bill.usage == {"type": "duration", "seconds": 1.2}
        assert (bill.kind, bill.usd) == ("speech", Decimal("1.2"))
