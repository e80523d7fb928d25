"""openai-python, ``client.beta.realtime`` (C-04): the same client in the dialect of 2024."""

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from openai import AsyncOpenAI
from openai.resources.beta.realtime.realtime import AsyncRealtimeConnection
from openai.types.beta.realtime.session_update_event_param import SessionTool

from tests.compat.server import Place
from tests.compat.talking import each, events, last, say, write
from tests.compat.words import HELLO, STOP, STORY, WEATHER

__all__ = ["barge_in", "function_call", "spoken_turn", "text_turn"]

TOOL: SessionTool = {
    "type": "function",
    "name": "weather",
    "description": "The weather in a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


async def spoken_turn(place: Place) -> dict[str, Any]:
    async with connected(place) as connection:
        await say(connection, HELLO)
        heard, said, sound = "", "", b""
        async for event in events(connection, until="response.done"):
            match event.type:
                case "conversation.item.input_audio_transcription.completed":
                    heard = event.transcript
                case "response.audio_transcript.delta":
                    said += event.delta
                case "response.audio.delta":
                    sound += base64.b64decode(event.delta)
        return {"heard": heard, "said": said, "sounded": len(sound) > 0}


async def text_turn(place: Place) -> dict[str, Any]:
    async with connected(place) as connection:
        await connection.session.update(session={"modalities": ["text"]})
        await write(connection, HELLO)
        await connection.response.create()
        said = ""
        async for event in events(connection, until="response.done"):
            if event.type == "response.text.delta":
                said += event.delta
        return {"said": said}


async def function_call(place: Place) -> dict[str, Any]:
    async with connected(place) as connection:
        await connection.session.update(session={"tools": [TOOL], "tool_choice": "auto"})
        await write(connection, WEATHER)
        await connection.response.create()
        (call,) = (await last(connection, "response.done")).response.output
        await connection.conversation.item.create(
            item={"type": "function_call_output", "call_id": call.call_id, "output": "sunny"}
        )
        await connection.response.create()
        (message,) = (await last(connection, "response.done")).response.output
        return {"called": json.loads(call.arguments), "said": message.content[0].transcript}


async def barge_in(place: Place) -> dict[str, Any]:
    async with connected(place) as connection:
        await write(connection, STORY)
        await connection.response.create()
        delta = await last(connection, "response.audio.delta")
        await say(connection, STOP)
        cancelled = (await last(connection, "response.done")).response
        await connection.conversation.item.truncate(item_id=delta.item_id, content_index=0, audio_end_ms=20)
        seen = await each(connection, "conversation.item.truncated", "response.done")
        assert seen["conversation.item.truncated"].item_id == delta.item_id
        (message,) = seen["response.done"].response.output
        interrupted = (cancelled.status, cancelled.status_details.reason) == ("cancelled", "turn_detected")
        return {"interrupted": interrupted, "said": message.content[0].transcript}


@asynccontextmanager
async def connected(place: Place) -> AsyncIterator[AsyncRealtimeConnection]:
    async with (
        AsyncOpenAI(websocket_base_url=place.websocket_base, api_key="any") as client,
        client.beta.realtime.connect(model="gpt-4o-realtime-preview") as connection,
    ):
        created = await last(connection, "session.created")
        assert (created.session.modalities, created.session.input_audio_format) == (["text", "audio"], "pcm16")
        await connection.session.update(
            session={"input_audio_transcription": {"model": "whisper-1"}, "voice": "verse", "temperature": 0.7}
        )
        updated = await last(connection, "session.updated")
        assert (updated.session.voice, updated.session.temperature) == ("verse", 0.7)
        yield connection
