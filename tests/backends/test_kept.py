"""Whatever goes wrong, what was finished is in the store: as it was told to the client, with what it cost (issue 5)."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.backends.test_faults import HASTE, KEY, Chain, begun, chain, event, httpx_post, started_again
from tests.support.leaks import no_leaks
from tests.support.lines import MemoryLine
from tests.support.serving import Served, serving_app
from vivavoce.access.agents import Agent, Agents
from vivavoce.access.prices import Price, Prices
from vivavoce.backends.upstream.backend import UpstreamBackend
from vivavoce.protocol.frame import Closed, Frame
from vivavoce.server.app import build
from vivavoce.server.keeping import Keeping
from vivavoce.server.options import ServerOptions
from vivavoce.sessions.live import Live
from vivavoce.store.calls import DirectCall
from vivavoce.store.database import in_directory
from vivavoce.store.items import GAP, Item
from vivavoce.store.store import Store, open_store


@pytest.fixture(autouse=True)
async def _nothing_is_left():
    async with no_leaks(sockets=True):
        yield


def frame(type: str, **data: Any) -> Frame:
    return Frame(type, {"type": type, "event_id": "event_x", **data})


def message(id: str, role: str, type: str, words: str | None, status: str = "completed") -> dict[str, Any]:
    content = [{"type": type, "transcript": words}] if words is not None or role == "user" else []
    return {"id": id, "object": "realtime.item", "type": "message", "role": role, "status": status, "content": content}


def turn(number: int, previous: str | None = None) -> list[Frame]:
    """Something is asked, a function is called, something is answered."""
    user, answer = f"u{number}", f"a{number}"
    call = {
        "id": f"f{number}", "object": "realtime.item", "type": "function_call", "status": "completed",
        "call_id": f"call_{number}", "name": "look", "arguments": '{"for": "it"}',
    }  # fmt: skip
    response = {"id": f"resp_{number}", "conversation_id": "conv_1"}
    question = message(user, "user", "input_audio", None)
    done = message(answer, "assistant", "output_audio", f"Answer {number}.")
    where = {"item_id": answer, "content_index": 0, "response_id": response["id"]}
    transcribed = {"item_id": user, "content_index": 0, "transcript": f"Question {number}?"}
    return [
        frame("conversation.item.added", item=question, previous_item_id=previous),
        frame("conversation.item.done", item=question, previous_item_id=previous),
        frame("response.created", response={**response, "status": "in_progress"}),
        frame("conversation.item.added", item=call, previous_item_id=user),
        frame("conversation.item.done", item=call, previous_item_id=user),
        frame("conversation.item.input_audio_transcription.completed", **transcribed),
        *begin(number, previous=call["id"]),
        frame("response.output_audio_transcript.delta", **where, delta=f"Answer {number}."),
        frame("response.output_item.done", response_id=response["id"], item=done),
        frame("conversation.item.done", item=done, previous_item_id=call["id"]),
        frame("response.done", response={**response, "status": "completed", "usage": {"output_tokens": 1}}),
    ]


def begin(number: int, previous: str) -> list[Frame]:
    item = message(f"a{number}", "assistant", "output_audio", None, "in_progress")
    return [
        frame("response.output_item.added", response_id=f"resp_{number}", item=item),
        frame("conversation.item.added", item=item, previous_item_id=previous),
    ]


HALF = [
    frame("response.created", response={"id": "resp_3", "conversation_id": "conv_1"}),
    *begin(3, previous="a2"),
    frame("response.output_audio_transcript.delta", item_id="a3", content_index=0, delta="One sentence. And"),
    frame("response.output_audio_transcript.delta", item_id="a3", content_index=0, delta=" half of"),
]
"""An answer that nothing will finish."""


async def cut(at: Chain, socket: ClientConnection, live: Live) -> None:
    theirs = the_session(at.theirs)
    at.proxy.cut()
    await gone(theirs, socket)


async def gone(theirs: Live, socket: ClientConnection) -> None:
    """The upstream's session is over; whether or not another goes on, the client leaves then."""
    await asyncio.wait_for(theirs.gone.wait(), 5)
    await socket.close()


async def cut_in_mid_frame(at: Chain, socket: ClientConnection, live: Live) -> None:
    theirs = the_session(at.theirs)
    at.proxy.cut_after(100)
    at.answering.lines[0].arrive(*turn(4, previous="a3"))
    await gone(theirs, socket)


async def client_is_cut_off(at: Chain, socket: ClientConnection, live: Live) -> None:
    socket.transport.abort()


async def client_leaves(at: Chain, socket: ClientConnection, live: Live) -> None:
    await socket.close()


async def upstream_leaves(at: Chain, socket: ClientConnection, live: Live) -> None:
    at.answering.lines[0].hang_up(1001, "Bye.")


async def server_leaves(at: Chain, socket: ClientConnection, live: Live) -> None:
    await at.ours.service.registry.drain(0)


async def owner_ends_it(at: Chain, socket: ClientConnection, live: Live) -> None:
    live.end(Closed(4000, "That is enough."))


def the_session(served: Served) -> Live:
    (id,) = served.service.registry.records()
    live = served.service.registry.named(id)
    assert live is not None
    return live


Fault = Callable[[Chain, ClientConnection, Live], Awaitable[None]]
FAULTS: list[Fault] = [
    cut, cut_in_mid_frame, client_is_cut_off, client_leaves, upstream_leaves, server_leaves, owner_ends_it
]  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
async def test_nothing_that_was_finished_is_missing(fault: Fault):
    async with chain() as at, connect(at.ours.ws) as socket:
        answerer = await begun(at, socket)
        live = the_session(at.ours)
        frames = [*turn(1), *turn(2, previous="a1"), *HALF]
        answerer.arrive(*frames)
        told = [await event(socket) for _ in frames]
        await fault(at, socket, live)
        with contextlib.suppress(ConnectionClosed):
            while True:
                told.append(await event(socket))
        await asyncio.wait_for(live.gone.wait(), 10)
        assert live.record is not None
        await everything_is_there(at.ours.service.store, live.record, told)


async def everything_is_there(store: Store, id: str, told: list[dict[str, Any]]) -> None:
    items = {item.id: item for item in await store.items.all(id)}
    finished = {each["item"]["id"]: each["item"] for each in told if each["type"] == "conversation.item.done"}
    said = {each["item_id"]: each["transcript"] for each in told if each["type"].endswith("transcription.completed")}
    for name, item in finished.items():
        if name in said:
            item["content"][0]["transcript"] = said[name]
        assert items[name].item == item
    assert [id for id in items if not id.startswith("gap")][:7] == ["u1", "f1", "a1", "u2", "f2", "a2", "a3"]
    assert (items["u2"].words, items["a2"].words) == ("Question 2?", "Answer 2.")
    assert items["a3"].words == "One sentence. And half of"
    assert items["a3"].status == "incomplete"
    session = await store.sessions.find(id)
    assert session is not None
    ended = [each for each in told if each["type"] == "response.done"]
    assert len(ended) >= 2
    assert session.responses == len(ended)
    assert (session.title, session.conversation_id) == ("Question 1?", "conv_1")
    assert session.ended_at is not None
    assert session.end_reason


async def test_what_is_being_told_to_a_slow_client_that_then_goes_is_kept():
    """It reads nothing; what the upstream finished and we have taken from it is written down all the same."""
    async with chain() as at, connect(at.ours.ws, max_queue=1) as socket:
        answerer = await begun(at, socket)
        live = the_session(at.ours)
        answerer.arrive(*turn(1))
        for _ in range(60):
            answerer.arrive(
                Frame("response.output_audio.delta", {"type": "response.output_audio.delta"}, bytes(262_144))
            )
        while not await stored(at.ours.service.store, live, "a1"):
            pass
        socket.transport.abort()
        await asyncio.wait_for(live.gone.wait(), 10)
        assert [item.id for item in await at.ours.service.store.items.all(str(live.record))] == ["u1", "f1", "a1"]


async def stored(store: Store, live: Live, id: str) -> Item | None:
    return await store.items.find(str(live.record), id)


# Calls that are only listened to ----------------------------------------------------------------------


async def test_a_gap_in_a_call_that_passes_us_by_is_noted_where_it_was():
    async with chain() as at:
        placed = await at.place()
        live = at.ours.service.registry.find(placed.headers["location"].rpartition("/")[2])
        assert live is not None
        theirs = await at.answering.next_opened()
        store = at.ours.service.store
        async with connect(f"{at.ours.ws}?call_id={live.id}") as side:
            await event(side)
            await tell(theirs, side, turn(1))
            at.proxy.cut()
            while (await event(side))["type"] != "session.updated":
                pass
            await tell(theirs, side, turn(2, previous="a1"))
        await at.http.post(placed.headers["location"] + "/hangup")
        items = await store.items.all(str(live.record))
        assert [item.id if item.type != GAP else GAP for item in items] == ["u1", "f1", "a1", GAP, "u2", "f2", "a2"]
        session = await store.sessions.of_call(live.id)
        assert session is not None
        assert (session.id, session.responses) == (live.record, 2)


async def tell(theirs: MemoryLine, side: ClientConnection, frames: list[Frame]) -> None:
    theirs.arrive(*frames)
    for each in frames:
        assert (await event(side))["type"] == each.type


async def test_after_a_crash_a_call_goes_on_in_its_record_and_is_paid_for():
    async with chain() as at:
        placed = await httpx_post(f"{at.theirs.http}/v1/realtime/calls")
        theirs = await at.answering.next_opened()
        call = DirectCall(
            "rtc_ours", placed.headers["location"].rpartition("/")[2], "local", 900.0,
            session_id="sess_before", agent="blue", model="m", address="127.0.0.1",
        )  # fmt: skip
        blue = Agent(name="blue", greeting="Hello!", budget_usd=Decimal(2), max_minutes=5.0, insists_on_direct=True)
        options = ServerOptions(prices=Prices({"m": Price(text_out=Decimal(1_000_000))}), agents=Agents({"blue": blue}))
        async with started_again(at, call, options=options) as again:
            async with connect(f"{again.ws}?call_id=rtc_ours") as side:
                live = again.service.registry.find("rtc_ours")
                assert live is not None
                assert (await event(side))["type"] == "session.created"  # the call is heard
                await tell(theirs, side, turn(1))
                assert not live.ending.done()
                theirs.arrive(*turn(2, previous="a1"))  # its budget is for two
                await asyncio.wait_for(live.gone.wait(), 10)
            items = await again.service.store.items.all("sess_before")
            assert [item.type for item in items[:2]] == [GAP, "message"]
            assert [item.id for item in items[1:]] == ["u1", "f1", "a1", "u2", "f2", "a2"]
            session = await again.service.store.sessions.find("sess_before")
            assert session is not None
            assert (session.usd, session.agent, session.end_reason) == (
                Decimal(2), "blue", "4000 insufficient_quota.budget_exceeded",
            )  # fmt: skip
            assert [(day.owner, day.agent, day.usd) for day in await again.service.store.usage.days()] == [
                ("local", "blue", Decimal(2))
            ]
        assert theirs.closed is not None
        assert all(frame.type != "response.create" for frame in sent(theirs))  # it has greeted before


def sent(line: MemoryLine) -> list[Frame]:
    return [line.sent.get_nowait() for _ in range(line.sent.qsize())]


async def test_what_one_process_wrote_the_next_one_knows(tmp_path: Path):
    """The rows of a server that leaves are there for the next, over the same files."""
    url = in_directory(tmp_path)
    async with chain() as at:
        for number in (1, 2):
            app = build(
                ServerOptions(),
                UpstreamBackend(at.proxy.url, KEY, patience=HASTE),
                keeping=Keeping(store=open_store(url)),
            )
            async with serving_app(app) as ours, connect(ours.ws) as socket:
                answerer = await begun(at, socket)
                frames = turn(number)
                answerer.arrive(*frames)
                for _ in frames:
                    await event(socket)
                if number == 2:
                    async with httpx.AsyncClient() as http:
                        assert (await http.get(f"{ours.http}/health")).status_code == 200
    store = open_store(url)
    assert sorted(each.title or "" for each in await store.sessions.newest()) == ["Question 1?", "Question 2?"]
    store.close()
