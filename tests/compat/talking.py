"""A hand on a connection of openai-python, GA or beta: both have the same methods."""

import asyncio
import base64
from collections.abc import AsyncIterator
from typing import Any

from openai.resources.beta.realtime.realtime import AsyncRealtimeConnection as BetaConnection
from openai.resources.realtime.realtime import AsyncRealtimeConnection as GaConnection

from tests.compat.words import spoken

__all__ = ["each", "events", "last", "say", "write"]

Connection = GaConnection | BetaConnection

PATIENCE = 10.0
CHUNK = 4800
"""Bytes: 100 ms."""


async def events(connection: Connection, *, until: str) -> AsyncIterator[Any]:
    async with asyncio.timeout(PATIENCE):
        async for event in connection:
            assert event.type != "error", event
            yield event
            if event.type == until:
                return


async def each(connection: Connection, *types: str) -> dict[str, Any]:
    """The next event of each type, in whatever order they come."""
    seen: dict[str, Any] = {}
    async with asyncio.timeout(PATIENCE):
        while not seen.keys() >= set(types):
            event = await connection.recv()
            assert event.type != "error", event
            seen.setdefault(event.type, event)
    return seen


async def last(connection: Connection, type: str) -> Any:
    return (await each(connection, type))[type]


async def say(connection: Connection, question: str) -> None:
    sound = spoken(question)
    for at in range(0, len(sound), CHUNK):
        await connection.input_audio_buffer.append(audio=base64.b64encode(sound[at : at + CHUNK]).decode())


async def write(connection: Connection, question: str) -> None:
    await connection.conversation.item.create(
        item={"type": "message", "role": "user", "content": [{"type": "input_text", "text": question}]}
    )
