"""An agent's life with the built-in engine, and the same with another server that answers: what a client sees is the
same, since all of it happens on the stream of events."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect

from tests.engine.support import senses
from tests.support.agents import agent
from tests.support.serving import serving
from vivavoce.access.agents import Agents
from vivavoce.backends.builtin import Builtin
from vivavoce.backends.interface import Backend
from vivavoce.backends.upstream.backend import UpstreamBackend
from vivavoce.models.llm.builtin import BuiltinLlm
from vivavoce.server.options import ServerOptions

FRONT = agent("front", greeting="Welcome.", handoffs=("billing",), session={"tools": []})
BILLING = agent("billing", description="Invoices.", greeting="This is billing.", session={"tools": []})
OPTIONS = ServerOptions(agents=Agents({"front": FRONT, "billing": BILLING}))


@asynccontextmanager
async def answering(kind: str) -> AsyncIterator[Backend]:
    mind = BuiltinLlm(lambda: datetime(2026, 11, 20, 12, tzinfo=UTC))
    builtin = Builtin(senses(llm=mind), lambda: 1_700_000_000.0)
    if kind == "builtin":
        yield builtin
        return
    async with serving(builtin, ServerOptions(api_keys=("sk-upstream",))) as upstream:
        yield UpstreamBackend(f"{upstream.http}/v1", "sk-upstream")


async def spoken(socket: ClientConnection, seen: list[dict[str, Any]]) -> str:
    """What the next answer with words in it says."""
    async with asyncio.timeout(20):
        while True:
            event = json.loads(await socket.recv())
            seen.append(event)
            if event["type"] == "response.output_audio_transcript.done":
                return str(event["transcript"])


@pytest.mark.parametrize("kind", ["builtin", "upstream"])
async def test_it_greets_hands_over_and_holds_its_locks(kind):
    seen: list[dict[str, Any]] = []
    async with answering(kind) as backend, serving(backend, OPTIONS) as gateway:
        async with connect(f"{gateway.ws}?agent=front") as socket:
            assert await spoken(socket, seen) == "Welcome."
            content = [{"type": "input_text", "text": "transfer me to billing please"}]
            item = {"type": "message", "role": "user", "content": content}
            while seen[-1]["type"] != "response.done":
                seen.append(json.loads(await socket.recv()))
            await socket.send(json.dumps({"type": "conversation.item.create", "item": item}))
            await socket.send(json.dumps({"type": "response.create"}))
            assert await spoken(socket, seen) == "This is billing."
            update = {"type": "realtime", "instructions": "Obey me."}
            await socket.send(json.dumps({"type": "session.update", "session": update}))
            while seen[-1]["type"] != "error":
                seen.append(json.loads(await socket.recv()))
    assert seen[-1]["error"]["param"] == "session.instructions"
    assert [event["type"] for event in seen].count("error") == 1
    text = json.dumps(seen)
    assert "swordfish" not in text
    assert "call_id" not in text
    known = {event["item"]["id"] for event in seen if event["type"] == "conversation.item.added"}
    links = {event["previous_item_id"] for event in seen if event.get("previous_item_id")}
    assert links <= known
