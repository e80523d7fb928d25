"""openai-python's plain resources, by its synchronous and its asynchronous client: one conversation, the same words."""

import asyncio
import json
from collections.abc import Sequence
from io import BytesIO
from typing import Any

from openai import AsyncOpenAI, OpenAI
from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolParam

from tests.compat.server import Place
from tests.compat.words import HELLO, WEATHER, spoken
from vivavoce.audio.wav import write_wav

__all__ = ["asynchronous", "recording", "synchronous"]

TOOL: ChatCompletionToolParam = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def recording() -> bytes:
    """The greeting as a WAV file."""
    file = BytesIO()
    write_wav(file, spoken(HELLO), 24_000)
    return file.getvalue()


async def synchronous(place: Place) -> dict[str, Any]:
    return await asyncio.to_thread(_synchronous, place)


def _synchronous(place: Place) -> dict[str, Any]:
    with OpenAI(base_url=place.base, api_key="any") as api:
        heard = api.audio.transcriptions.create(model="whisper-1", file=("hello.wav", recording())).text
        stream = api.chat.completions.create(model="gpt-4o", messages=_asks(heard), stream=True)
        said = "".join(chunk.choices[0].delta.content or "" for chunk in stream)
        asked = api.chat.completions.create(model="gpt-4o", messages=_asks(WEATHER), tools=[TOOL])
        answered = api.chat.completions.create(model="gpt-4o", messages=_gives(asked.choices[0].message), tools=[TOOL])
        with api.audio.speech.with_streaming_response.create(model="tts-1", voice="nova", input=said) as speech:
            sound = sum(map(len, speech.iter_bytes()))
        models = [model.id for model in api.models.list()]
    return _told(heard, said, asked, answered, sound, models)


async def asynchronous(place: Place) -> dict[str, Any]:
    async with AsyncOpenAI(base_url=place.base, api_key="any") as api:
        transcription = await api.audio.transcriptions.create(model="whisper-1", file=("hello.wav", recording()))
        stream = await api.chat.completions.create(model="gpt-4o", messages=_asks(transcription.text), stream=True)
        said = "".join([chunk.choices[0].delta.content or "" async for chunk in stream])
        asked = await api.chat.completions.create(model="gpt-4o", messages=_asks(WEATHER), tools=[TOOL])
        messages = _gives(asked.choices[0].message)
        answered = await api.chat.completions.create(model="gpt-4o", messages=messages, tools=[TOOL])
        async with api.audio.speech.with_streaming_response.create(model="tts-1", voice="nova", input=said) as speech:
            sound = sum([len(chunk) async for chunk in speech.iter_bytes()])
        models = [model.id async for model in api.models.list()]
    return _told(transcription.text, said, asked, answered, sound, models)


def _asks(question: str) -> list[ChatCompletionMessageParam]:
    return [{"role": "user", "content": question}]


def _gives(message: Any) -> list[ChatCompletionMessageParam]:
    (call,) = message.tool_calls
    return [*_asks(WEATHER), message, {"role": "tool", "tool_call_id": call.id, "content": "sunny"}]


def _told(heard: str, said: str, asked: Any, answered: Any, sound: int, models: Sequence[str]) -> dict[str, Any]:
    (call,) = asked.choices[0].message.tool_calls
    return {
        "heard": heard,
        "said": said,
        "called": json.loads(call.function.arguments),
        "finish": asked.choices[0].finish_reason,
        "answered": answered.choices[0].message.content,
        "sounded": sound > 1000,
        "models": models,
    }
