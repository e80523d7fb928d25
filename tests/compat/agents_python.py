"""openai-agents-python, with its own session loop, tools and history (C-08 to C-24)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from agents import function_tool
from agents.realtime import RealtimeAgent, RealtimeRunner, RealtimeSession

from tests.compat.server import Place
from tests.compat.words import HELLO, STOP, STORY, WEATHER, spoken

__all__ = ["barge_in", "function_call", "spoken_turn", "text_turn"]

PATIENCE = 15.0
CHUNK = 4800


async def spoken_turn(place: Place) -> dict[str, Any]:
    async with connected(place) as session:
        await session.send_audio(spoken(HELLO))
        sounded = False
        async for event in events(session):
            sounded |= event.type == "audio"
            if event.type == "history_updated" and (said := words(event, "assistant")) and words(event, "user"):
                return {"heard": words(event, "user")[0], "said": said[0], "sounded": sounded}
    raise AssertionError("the session ended")


async def text_turn(place: Place) -> dict[str, Any]:
    async with connected(place) as session:
        await session.send_message(HELLO)
        return {"said": (await said(session, 1))[0]}


async def function_call(place: Place) -> dict[str, Any]:
    called: dict[str, Any] = {}

    @function_tool
    def weather(city: str) -> str:
        """The weather in a city."""
        called["city"] = city
        return "sunny"

    async with connected(place, weather) as session:
        await session.send_audio(spoken(WEATHER))
        return {"called": called, "said": (await said(session, 1))[0]}


async def barge_in(place: Place) -> dict[str, Any]:
    async with connected(place) as session:
        await session.send_message(STORY)
        async for event in events(session):
            if event.type == "audio":
                break
        await session.send_audio(spoken(STOP))
        interrupted = False
        async for event in events(session):
            interrupted |= event.type == "audio_interrupted"
            if event.type == "history_updated" and (answers := words(event, "assistant"))[1:]:
                return {"interrupted": interrupted, "said": answers[1]}
    raise AssertionError("the session ended")


@asynccontextmanager
async def connected(place: Place, *tools: Any) -> AsyncIterator[RealtimeSession]:
    agent: RealtimeAgent[Any] = RealtimeAgent(name="Test", instructions="Be brief.", tools=list(tools))
    runner = RealtimeRunner(agent, config={"tracing_disabled": True})
    url = f"{place.websocket}?model=gpt-realtime"
    async with await runner.run(model_config={"url": url, "api_key": "any"}) as session:
        yield session


async def events(session: RealtimeSession) -> AsyncIterator[Any]:
    async with asyncio.timeout(PATIENCE):
        async for event in session:
            assert event.type != "error", event
            yield event


async def said(session: RealtimeSession, count: int) -> list[str]:
    """What the assistant has said, once it is that many messages."""
    async for event in events(session):
        if event.type == "history_updated" and len(answers := words(event, "assistant")) >= count:
            return answers
    raise AssertionError("the session ended")


def words(event: Any, role: str) -> list[str]:
    """Of finished messages, in order."""
    messages = [item for item in event.history if item.type == "message" and item.role == role]
    done = [item for item in messages if item.status != "in_progress"]
    texts = [
        "".join(getattr(part, "transcript", None) or getattr(part, "text", None) or "" for part in item.content)
        for item in done
    ]
    return [text for text in texts if text]
