"""openai-python, ``client.realtime`` (C-01 to C-07)."""

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from openai import AsyncOpenAI
from openai.resources.realtime.realtime import AsyncRealtimeConnection
from openai.types.realtime import RealtimeFunctionToolParam, RealtimeSessionCreateRequestParam

from tests.compat.server import Place
from tests.compat.talking import each, events, last, say, write
from tests.compat.words import HELLO, STOP, STORY, WEATHER

__all__ = ["barge_in", "function_call", "spoken_turn", "text_turn"]

TOOL: RealtimeFunctionToolParam = {
    "type": "function",
    "name": "weather",
    "description": "The weather in a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
SESSION: RealtimeSessionCreateRequestParam = {
    "type": "realtime",
    "audio": {"input": {"transcription": {"model": "whisper-1"}, "turn_detection": {"type": "server_vad"}}},
}


async def spoken_turn(place: Place) -> dict[str, Any]:
    async with connected(place) as connection:
        await say(connection, HELLO)
        heard, said, sound = "", "", b""
        async for event in events(connection, until="response.done"):
            match event.type:
                case "conversation.item.input_audio_transcription.completed":
                    heard = event.transcript
                case "response.output_audio_transcript.done":
                    said = event.transcript
                case "response.output_audio.delta":
                    sound += base64.b64decode(event.delta)
        return {"heard": heard, "said": said, "sounded": len(sound) > 0}


async def text_turn(place: Place) -> dict[str, Any]:
    async with connected(place) as connection:
        await write(connection, HELLO)
        await connection.response.create(response={"output_modalities": ["text"]})
        said = ""
        async for event in events(connection, until="response.done"):
            if event.type == "response.output_text.delta":
                said += event.delta
        return {"said": said}


async def function_call(place: Place) -> dict[str, Any]:
    async with connected(place) as connection:
        await connection.session.update(session={"type": "realtime", "tools": [TOOL], "tool_choice": "auto"})
        await write(connection, WEATHER)
        await connection.response.create()
        done = await last(connection, "response.done")
        (call,) = done.response.output
        await connection.conversation.item.create(
            item={"type": "function_call_output", "call_id": call.call_id, "output": "sunny"}
        )
        await connection.response.create()
        done = await last(connection, "response.done")
        said = done.response.output[0].content[0].transcript
        return {"called": json.loads(call.arguments), "said": said}


async def barge_in(place: Place) -> dict[str, Any]:
    async with connected(place) as connection:
        await write(connection, STORY)
        await connection.response.create()
        delta = await last(connection, "response.output_audio.delta")
        await say(connection, STOP)
        cancelled = await last(connection, "response.done")
        await connection.conversation.item.truncate(item_id=delta.item_id, content_index=0, audio_end_ms=20)
        seen = await each(connection, "conversation.item.truncated", "response.done")
        assert seen["conversation.item.truncated"].item_id == delta.item_id
        answered = seen["response.done"]
        details = cancelled.response.status_details
        return {
            "interrupted": (cancelled.response.status, details.reason) == ("cancelled", "turn_detected"),
            "said": answered.response.output[0].content[0].transcript,
        }


@asynccontextmanager
async def connected(place: Place) -> AsyncIterator[AsyncRealtimeConnection]:
    async with (
        AsyncOpenAI(base_url=place.base, api_key="any") as client,
        client.realtime.connect(model="gpt-realtime") as connection,
    ):
        await last(connection, "session.created")
        await connection.session.update(session=SESSION)
        await last(connection, "session.updated")
        yield connection
