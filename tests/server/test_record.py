"""What is written down of a session over the wire, and what its agent says is not to be."""

import asyncio
import json
from decimal import Decimal
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from tests.backends.test_kept import message, turn
from tests.server.test_agents import BILLING, event, served
from tests.support.agents import agent
from tests.support.lines import MemoryLine
from tests.support.serving import Served
from vivavoce.access.agents import Agent
from vivavoce.protocol.frame import Frame
from vivavoce.store.sessions import Session


async def talked(server: Served, socket: ClientConnection, answerer: MemoryLine, number: int) -> None:
    answerer.arrive(*turn(number))
    await event(socket, "response.done")


async def the_record(server: Served) -> Session:
    """Once its session is over."""
    (id,) = server.service.registry.records()
    live = server.service.registry.named(id)
    assert live is not None
    live.end()
    await asyncio.wait_for(live.gone.wait(), 5)
    found = await server.service.store.sessions.find(id)
    assert found is not None
    return found


async def test_a_session_says_whose_it_was_and_who_answered():
    async with served(agent()) as (server, backend, _), connect(f"{server.ws}?agent=blue") as socket:
        answerer = await backend.next_opened()
        await event(socket, "session.created")
        await talked(server, socket, answerer, 1)
        found = await the_record(server)
        assert (found.owner, found.agent, found.model, found.kept) == ("local", "blue", "gpt-realtime", "text")
        assert (found.kind, found.backend, found.voice, found.call_id) == ("realtime", "builtin", "marin", None)
        assert (found.title, found.preview, found.responses, found.usd) == ("Question 1?", "Answer 1.", 1, Decimal(1))
        assert (found.end_reason, found.ended_at is not None) == ("1001 The server is going away.", True)
        assert [day.agent for day in await server.service.store.usage.days()] == ["blue"]


async def test_an_agent_that_keeps_nothing_leaves_no_word_and_its_cost():
    async with served(agent(store="off")) as (server, backend, _), connect(f"{server.ws}?agent=blue") as socket:
        await talked(server, socket, await backend.next_opened(), 1)
        found = await the_record(server)
        assert (found.kept, found.title, found.preview, found.usd) == ("off", None, None, Decimal(1))
        assert await server.service.store.items.all(found.id) == []


async def test_who_is_handed_over_to_may_keep_less():
    quiet = Agent(**{each: getattr(BILLING, each) for each in BILLING.__slots__} | {"store": "off"})
    async with served(agent(handoffs=("billing",)), quiet) as (server, backend, _):
        async with connect(f"{server.ws}?agent=blue") as socket:
            answerer = await backend.next_opened()
            await event(socket, "session.created")
            await talked(server, socket, answerer, 1)
            await handed_over(socket, answerer)
            await talked(server, socket, answerer, 2)
            found = await the_record(server)
            items = await server.service.store.items.all(found.id)
            assert [item.id for item in items] == ["u1", "f1", "a1"]
            assert found.preview == "Answer 1."
            assert {(day.agent, day.requests) for day in await server.service.store.usage.days()} == {
                ("blue", 2), ("billing", 1),
            }  # fmt: skip


async def handed_over(socket: ClientConnection, answerer: MemoryLine) -> None:
    call = {"id": "t", "type": "function_call", "call_id": "c", "name": "transfer_to_billing", "arguments": "{}"}
    response: dict[str, Any] = {"id": "resp_9", "conversation_id": "conv_1"}
    for type, fields in (
        ("response.created", {"response": response}),
        ("response.output_item.done", {"response_id": "resp_9", "item": call}),
        (
            "response.done",
            {"response": {**response, "status": "completed", "output": [call], "usage": {"output_tokens": 1}}},
        ),
    ):
        answerer.arrive(Frame(type, {"type": type, "event_id": "event_x", **fields}))
    await event(socket, "response.done")


async def test_a_call_is_found_by_its_own_name():
    async with served() as (server, backend, http):
        placed = await http.post("/v1/realtime/calls", content="v=0\r\n", headers={"Content-Type": "application/sdp"})
        call_id = placed.headers["location"].rpartition("/")[2]
        answerer = await backend.next_opened()
        live = server.service.registry.find(call_id)
        assert live is not None
        item = message("u1", "user", "input_audio", "Hello?")
        answerer.arrive(Frame("conversation.item.done", {"item": item, "previous_item_id": None}))
        await http.post(f"/v1/realtime/calls/{call_id}/hangup")
        await asyncio.wait_for(live.gone.wait(), 5)
        found = await server.service.store.sessions.of_call(call_id)
        assert found is not None
        assert (found.id, found.end_reason) == (live.record, "1000 The call was hung up.")


async def test_a_client_that_takes_an_item_out_takes_it_out_of_the_conversation():
    async with served() as (server, backend, _), connect(server.ws) as socket:
        answerer = await backend.next_opened()
        await talked(server, socket, answerer, 1)
        await socket.send(json.dumps({"type": "conversation.item.delete", "item_id": "u1"}))
        await answerer.next_sent()
        deleted = {"type": "conversation.item.deleted", "event_id": "event_x", "item_id": "u1"}
        answerer.arrive(Frame(deleted["type"], deleted))
        await event(socket, "conversation.item.deleted")
        found = await the_record(server)
        items = await server.service.store.items.all(found.id)
        assert [(item.id, item.place, item.words) for item in items] == [
            ("u1", "deleted", "Question 1?"), ("f1", "conversation", ""), ("a1", "conversation", "Answer 1."),
        ]  # fmt: skip
