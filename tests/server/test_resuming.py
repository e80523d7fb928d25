"""A client that was cut off takes its session up again, and nobody else does."""

import asyncio
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

import httpx
import pybase64
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from tests.support.backends import ScriptedBackend
from tests.support.calls import OFFER, Calls
from tests.support.faulty_proxy import faulty
from tests.support.leaks import no_leaks
from tests.support.lines import MemoryLine
from tests.support.serving import Served, serving
from tests.transports.webrtc.caller import Caller
from vivavoce.access.agents import Agent, Agents
from vivavoce.access.limits import Allowance
from vivavoce.protocol.frame import AUDIO_DELTA, Frame
from vivavoce.server.options import ServerOptions
from vivavoce.server.v1.claim import HEADER
from vivavoce.sessions import capacity
from vivavoce.sessions.berth import TAKEN_UP
from vivavoce.sessions.live import Live

OURS = [Subprotocol("vivavoce.v1"), Subprotocol("realtime")]
PARKS = ServerOptions(park_seconds=45)
KEYS = ("sk-one", "sk-two")


@pytest.fixture(autouse=True)
async def _nothing_is_left():
    async with no_leaks():
        yield


class Client:
    """What a client of ours keeps: the last event that it saw, and the newest token."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.token = ""
        self.last = ""
        self.notices: dict[str, dict[str, Any]] = {}
        self.seen: list[dict[str, Any]] = []

    async def event(self) -> dict[str, Any]:
        """The next event of the protocol."""
        while (event := json.loads(await asyncio.wait_for(self.socket.recv(), 5)))["type"].startswith("vivavoce."):
            self.notices[event["type"]] = event
        self.last = event["event_id"]
        self.seen.append(event)
        return dict(event)

    async def resume_token(self) -> str:
        while "vivavoce.resume" not in self.notices or self.notices["vivavoce.resume"]["token"] == self.token:
            event = json.loads(await asyncio.wait_for(self.socket.recv(), 5))
            assert event["type"].startswith("vivavoce."), event
            self.notices[event["type"]] = event
        self.token = self.notices["vivavoce.resume"]["token"]
        return self.token

    async def say(self, type: str = "response.create") -> None:
        await self.socket.send(json.dumps({"type": type}))

    def cut(self) -> None:
        self.socket.transport.abort()


async def begun(at: str, backend: ScriptedBackend, key: str | None = None) -> tuple[Client, MemoryLine]:
    """A session whose client has said something."""
    client = Client(await connect(at, subprotocols=OURS, additional_headers=bearer(key)))
    answerer = await backend.next_opened()
    assert (await client.event())["type"] == "session.created"
    await client.resume_token()
    await client.say()
    await answerer.next_sent()
    return client, answerer


def back(at: str, token: str, after: str = "", key: str | None = None) -> connect:
    query = f"?after={after}" if after else ""
    offered = [*OURS, Subprotocol(f"vivavoce-resume.{token}")]
    return connect(at + query, subprotocols=offered, additional_headers=bearer(key))


def bearer(key: str | None) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"} if key else {}


def sound(number: int) -> Frame:
    data = {"type": AUDIO_DELTA, "event_id": f"event_a{number}", "response_id": "resp_1", "item_id": "item_1"}
    return Frame(AUDIO_DELTA, data, bytes([number % 256]) * 480)


def created(conversation: str = "conv_1") -> Frame:
    response = {"id": "resp_1", "conversation_id": conversation}
    return Frame("response.created", {"type": "response.created", "event_id": "event_r", "response": response})


def alone(served: Served) -> Live:
    (live,) = served.service.registry._live.values()
    return live


async def parked(served: Served) -> Live:
    live = alone(served)
    await until(lambda: live.parked)
    return live


async def until(condition: Callable[[], bool]) -> None:
    """The server says nothing when a client goes."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0)


async def refused(socket: ClientConnection) -> Mapping[str, Any]:
    """The error, and that the socket was closed for it."""
    error = json.loads(await asyncio.wait_for(socket.recv(), 5))["error"]
    with pytest.raises(ConnectionClosed):
        await asyncio.wait_for(socket.recv(), 5)
    return dict(error)


async def test_cut_in_the_middle_of_an_answer_the_rest_of_it_is_heard():
    backend = ScriptedBackend()
    async with serving(backend, PARKS) as served, faulty(served.port) as proxy:
        at = f"ws://127.0.0.1:{proxy.port}/v1/realtime"
        client, answerer = await begun(at, backend)
        answers = [sound(number) for number in range(60)]
        proxy.cut_after(9_000)  # in the middle of a frame
        answerer.arrive(*answers[:30])
        heard = bytearray()
        with suppress(ConnectionClosed):
            async for text in client.socket:
                event = json.loads(text)
                client.last = event["event_id"]
                heard += pybase64.b64decode(event["delta"])
        assert 0 < len(heard) < 30 * 480
        await parked(served)
        answerer.arrive(*answers[30:])
        proxy.heal()
        async with back(at, client.token, client.last) as socket:
            again = Client(socket)
            while len(heard) < 60 * 480:
                heard += pybase64.b64decode((await again.event())["delta"])
        assert bytes(heard) == b"".join(frame.audio or b"" for frame in answers)
        assert again.notices["vivavoce.resume"]["received"] == 1


async def test_a_connection_that_still_looks_open_gives_way():
    backend = ScriptedBackend()
    async with serving(backend, PARKS) as served:
        client, answerer = await begun(served.ws, backend)
        async with back(served.ws, client.token, client.last) as socket:
            with pytest.raises(ConnectionClosed):
                await client.event()
            assert (client.socket.close_code, client.socket.close_reason) == TAKEN_UP
            answerer.arrive(sound(1))
            assert (await Client(socket).event())["event_id"] == "event_a1"
        await until(lambda: not served.service.registry)


async def test_a_token_holds_until_something_came_by_the_new_connection_and_no_longer():
    backend = ScriptedBackend()
    async with serving(backend, PARKS) as served:
        client, answerer = await begun(served.ws, backend)
        first = client.token
        async with back(served.ws, first) as lost:  # who comes back, and is cut off before it knows anything
            lost.transport.abort()
        async with back(served.ws, first) as socket:
            again = Client(socket)
            second = await again.resume_token()
            assert second != first
            await again.say()
            await answerer.next_sent()
            async with back(served.ws, first) as replayed:
                assert (await refused(replayed))["code"] == "resume_token_invalid"
            await again.say()
            await answerer.next_sent()  # and whoever tried it has done no harm
            again.cut()
            await parked(served)
            async with back(served.ws, second):
                pass


async def test_of_two_clients_with_one_token_one_has_the_session():
    backend = ScriptedBackend()
    async with serving(backend, PARKS) as served:
        client, answerer = await begun(served.ws, backend)
        client.cut()
        await parked(served)
        sockets = await asyncio.gather(*(back(served.ws, client.token) for _ in range(2)))
        closing = {asyncio.create_task(socket.wait_closed()): socket for socket in sockets}
        done, left = await asyncio.wait(closing, return_when=asyncio.FIRST_COMPLETED, timeout=5)
        ((lost,), (kept,)) = done, left
        assert closing[lost].close_code == TAKEN_UP[0]
        has = Client(closing[kept])
        answerer.arrive(Frame("response.done", {"type": "response.done", "event_id": "event_d"}))
        while (await has.event())["type"] != "response.done":
            pass
        assert len(served.service.registry) == 1
        await has.socket.close()
        await kept


@pytest.mark.parametrize("what", ["token", "conversation"])
async def test_another_users_session_is_not_there(what):
    backend = ScriptedBackend()
    options = ServerOptions(park_seconds=45, api_keys=KEYS)
    async with serving(backend, options) as served:
        client, answerer = await begun(served.ws, backend, KEYS[0])
        answerer.arrive(created("conv_mine"))
        await client.event()
        client.cut()
        await parked(served)
        if what == "token":
            trying, code = back(served.ws, client.token, key=KEYS[1]), "resume_token_invalid"
        else:
            trying = connect(f"{served.ws}?conversation_id=conv_mine", additional_headers=bearer(KEYS[1]))
            code = "conversation_not_found"
        async with trying as socket:
            assert (await refused(socket))["code"] == code
        assert alone(served).parked
        async with back(served.ws, client.token, key=KEYS[0]) as socket:
            await Client(socket).resume_token()


async def test_behind_an_apps_key_a_conversations_id_opens_nothing():
    backend = ScriptedBackend()
    async with serving(backend, ServerOptions(park_seconds=45, api_keys=KEYS)) as served:
        client, answerer = await begun(served.ws, backend, KEYS[0])
        answerer.arrive(created("conv_mine"))
        await client.event()
        async with httpx.AsyncClient() as http:
            minted = await http.post(f"{served.http}/v1/realtime/client_secrets", json={}, headers=bearer(KEYS[0]))
        theirs = bearer(minted.json()["value"])
        async with connect(f"{served.ws}?conversation_id=conv_mine", additional_headers=theirs) as socket:
            assert (await refused(socket))["code"] == "conversation_not_found"
        await client.socket.close()


async def test_a_plain_client_comes_back_by_its_conversation_and_is_told_how_things_stand():
    backend = ScriptedBackend()
    async with serving(backend, PARKS) as served:
        socket = await connect(served.ws)
        client, answerer = Client(socket), await backend.next_opened()
        first = await client.event()
        await client.say()
        content = [{"type": "input_text", "text": "Count."}]
        item = {"id": "item_u", "type": "message", "role": "user", "status": "completed", "content": content}
        done = {"type": "conversation.item.done", "event_id": "event_u", "previous_item_id": None, "item": item}
        answerer.arrive(Frame("conversation.item.done", done), created("conv_plain"), sound(1))
        for _ in range(3):
            await client.event()
        client.cut()
        await parked(served)
        answerer.arrive(sound(2))
        record = alone(served).record or ""
        async with asyncio.timeout(5):
            while not await served.service.store.items.all(record):
                pass
        async with connect(f"{served.ws}?conversation_id=conv_plain") as socket:
            again = Client(socket)
            shown = await again.event()
            assert (shown["type"], shown["session"]) == ("session.created", first["session"])
            assert (await again.event())["conversation"]["id"] == "conv_plain"
            told = [await again.event() for _ in range(5)]
            assert [event.get("item", {}).get("id") for event in told[:2]] == ["item_u", "item_u"]
            assert [event["event_id"] for event in told[2:]] == ["event_r", "event_a1", "event_a2"]
            assert again.notices == {}


async def test_who_does_not_come_back_leaves_nothing_behind():
    backend = ScriptedBackend()
    async with serving(backend, ServerOptions(park_seconds=0.05)) as served:
        client, answerer = await begun(served.ws, backend)
        live = alone(served)
        client.cut()
        await asyncio.wait_for(live.gone.wait(), 5)
        assert answerer.closed
        assert (len(served.service.registry), len(served.service.parking)) == (0, 0)
        assert not served.service.parking._by_token


async def test_as_many_wait_as_may_and_who_has_most_loses_the_oldest():
    backend = ScriptedBackend()
    options = ServerOptions(park_seconds=45, max_parked=2, api_keys=KEYS)
    async with serving(backend, options) as served:
        one = await begun(served.ws, backend, KEYS[0])
        one[0].cut()
        await parked(served)
        lives = served.service.registry._live
        for _ in range(2):
            client, _ = await begun(served.ws, backend, KEYS[1])
            client.cut()
            await until(lambda: [live.parked for live in lives.values()] == [True, True])
        assert sorted(live.owner for live in lives.values()) == sorted({live.owner for live in lives.values()})
        async with back(served.ws, one[0].token, key=KEYS[0]):
            pass


async def test_a_new_session_takes_the_place_of_one_that_waits():
    backend = ScriptedBackend()
    options = ServerOptions(park_seconds=45, allowances={"key": Allowance(sessions=1)}, api_keys=KEYS)
    async with serving(backend, options) as served:
        client, answerer = await begun(served.ws, backend, KEYS[0])
        client.cut()
        await parked(served)
        another, _ = await begun(served.ws, backend, KEYS[0])
        assert answerer.closed
        async with connect(served.ws, additional_headers=bearer(KEYS[0])) as socket:
            assert (await refused(socket))["code"] == "rate_limit_exceeded"  # but not of one that is held
        await another.socket.close()


async def test_a_server_that_leaves_does_not_wait_for_who_is_not_there():
    backend = ScriptedBackend()
    async with serving(backend, PARKS, drain_seconds=60) as served:
        client, answerer = await begun(served.ws, backend)
        answerer.arrive(created())
        await client.event()
        client.cut()
        await parked(served)


async def test_a_session_is_taken_up_again_the_way_it_is_held():
    backend, calls = ScriptedBackend(), Calls()
    async with serving(backend, PARKS, answer_call=calls.answer) as served:
        client, _ = await begun(served.ws, backend)
        async with httpx.AsyncClient(base_url=served.http) as http:
            headers = {"Content-Type": "application/sdp", HEADER: client.token}
            answer = await http.post("/v1/realtime/calls", content=OFFER, headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "not_resumable")
        assert not calls.offers
        await client.socket.close()


async def test_a_token_in_a_url_means_nothing():
    backend = ScriptedBackend()
    async with serving(backend, PARKS) as served:
        client, _ = await begun(served.ws, backend)
        async with connect(f"{served.ws}?resume={client.token}&token={client.token}") as socket:
            assert (await Client(socket).event())["type"] == "session.created"
            assert len(served.service.registry) == 2
        await client.socket.close()


async def test_a_caller_places_the_call_again_and_hears_what_was_not_played():
    backend = ScriptedBackend()
    sdp = {"Content-Type": "application/sdp"}
    async with serving(backend, PARKS) as served, httpx.AsyncClient(base_url=served.http, timeout=20) as http:
        first, second = Caller(), Caller()
        try:
            placed = await http.post("/v1/realtime/calls", content=await first.offer(), headers=sdp)
            await first.accept(placed.text)
            await first.event()
            answerer = await backend.next_opened()
            await answerer.next_sent()
            live = alone(served)
            token = live.notices._latest["resume"].data["token"]
            tone = bytes([0, 32]) * 24_000  # two seconds that are loud, as far as a codec is concerned
            data = {"type": AUDIO_DELTA, "event_id": "event_a", "response_id": "resp_1", "item_id": "item_1"}
            done = {"type": "response.output_audio.done", "event_id": "event_d", "item_id": "item_1"}
            answerer.arrive(Frame(AUDIO_DELTA, data, tone * 2), Frame("response.output_audio.done", done))
            assert (await first.event())["event_id"] == "event_d"
            played = 0
            while played < 500:
                if (frame := await answerer.next_sent()).type == "media.played":
                    played = frame.data["audio_ms"]
            headers = {**sdp, HEADER: token}
            again = await http.post("/v1/realtime/calls?after=event_d", content=await second.offer(), headers=headers)
            assert (again.status_code, again.headers["location"]) == (201, placed.headers["location"])
            await second.accept(again.text)
            before, drained = played, False
            while not drained:
                if (frame := await answerer.next_sent()).type == "media.played":
                    assert frame.data["audio_ms"] >= before  # it goes on, and does not begin again
                    before, drained = frame.data["audio_ms"], frame.data["drained"]
            assert before == 2000
            await asyncio.wait_for(first.closed.wait(), 10)
            assert (await http.post(again.headers["location"] + "/hangup")).status_code == 200
        finally:
            await first.close()
            await second.close()


# When the session is gone -----------------------------------------------------------------------------


def asked(conversation: str = "conv_1") -> list[Frame]:
    content = [{"type": "input_text", "text": "Count."}]
    user = {"id": "item_u", "type": "message", "role": "user", "status": "completed", "content": content}
    said = [{"type": "output_audio", "transcript": "One, two."}]
    answer = {"id": "item_a", "type": "message", "role": "assistant", "status": "completed", "content": said}
    done = "conversation.item.done"
    return [
        Frame(done, {"type": done, "event_id": "event_u", "previous_item_id": None, "item": user}),
        created(conversation),
        Frame(done, {"type": done, "event_id": "event_i", "previous_item_id": "item_u", "item": answer}),
        Frame("response.done", {"type": "response.done", "event_id": "event_d", "response": {"id": "resp_1"}}),
    ]


async def ended(served: Served, backend: ScriptedBackend, key: str | None = None) -> Client:
    """A conversation of two items whose client was cut off, and that is over."""
    client, answerer = await begun(served.ws, backend, key)
    answerer.arrive(*asked())
    for _ in range(4):
        await client.event()
    live = alone(served)
    client.cut()
    await asyncio.wait_for(live.gone.wait(), 5)
    return client


BRIEFLY = ServerOptions(park_seconds=0.05, voice="marin")


@pytest.mark.parametrize("by", ["token", "conversation"])
async def test_a_conversation_whose_session_is_over_goes_on_in_the_same_record(by):
    backend = ScriptedBackend()
    async with serving(backend, BRIEFLY) as served:
        client = await ended(served, backend)
        plain = connect(f"{served.ws}?conversation_id=conv_1", subprotocols=OURS)
        async with back(served.ws, client.token, client.last) if by == "token" else plain as socket:
            again = Client(socket)
            assert (await again.event())["type"] == "session.created"
            assert (await again.event())["conversation"]["id"] == "conv_1"
            shown = [(await again.event())["item"]["id"] for _ in range(4)]
            assert shown == ["item_u", "item_u", "item_a", "item_a"]
            history = backend.requests[1].history
            assert history is not None
            assert [item["id"] for item in history.items] == ["item_u", "item_a"]
            live = alone(served)
            assert live.record == backend.requests[0].session_id
            while "vivavoce.restored" not in again.notices:
                event = json.loads(await asyncio.wait_for(socket.recv(), 5))
                again.notices[event["type"]] = event
            assert again.notices["vivavoce.restored"]["items"] == 2
        await asyncio.wait_for(live.gone.wait(), 5)
        sessions = await served.service.store.sessions.newest()
        assert [session.id for session in sessions] == [live.record]
        items = await served.service.store.items.all(live.record)
        assert [item.id for item in items] == ["item_u", "item_a"]  # nothing is written twice


@pytest.mark.parametrize("what", ["token", "conversation"])
async def test_another_users_conversation_is_not_there_after_its_end_either(what):
    backend = ScriptedBackend()
    async with serving(backend, ServerOptions(park_seconds=0.05, api_keys=KEYS)) as served:
        client = await ended(served, backend, KEYS[0])
        if what == "token":
            trying, code = back(served.ws, client.token, key=KEYS[1]), "resume_token_invalid"
        else:
            trying = connect(f"{served.ws}?conversation_id=conv_1", additional_headers=bearer(KEYS[1]))
            code = "conversation_not_found"
        async with trying as socket:
            assert (await refused(socket))["code"] == code
        assert len(backend.requests) == 1


async def test_where_nothing_was_kept_nothing_goes_on():
    backend = ScriptedBackend()
    async with serving(backend, ServerOptions(park_seconds=0.05, store="off")) as served:
        client = await ended(served, backend)
        async with back(served.ws, client.token) as socket:
            assert (await refused(socket))["code"] == "nothing_kept"


async def test_what_was_deleted_does_not_go_on():
    backend = ScriptedBackend()
    async with serving(backend, BRIEFLY) as served:
        client = await ended(served, backend)
        await served.service.store.sessions.delete([backend.requests[0].session_id])
        async with back(served.ws, client.token) as socket:
            assert (await refused(socket))["code"] == "resume_token_invalid"


async def test_a_call_goes_on_in_a_new_one():
    backend, calls = ScriptedBackend(), Calls()
    async with serving(backend, BRIEFLY, answer_call=calls.answer) as served:
        client = await ended(served, backend)
        async with httpx.AsyncClient(base_url=served.http) as http:
            headers = {"Content-Type": "application/sdp", HEADER: client.token}
            placed = await http.post("/v1/realtime/calls", content=OFFER, headers=headers)
            assert placed.status_code == 201, placed.text
            told = [(await calls.lines[0].next_sent()).type for _ in range(3)]
            assert told == ["session.created", "conversation.created", "conversation.item.added"]
            await http.post(placed.headers["location"] + "/hangup")


async def test_a_full_server_lets_in_who_comes_back(monkeypatch):
    backend = ScriptedBackend()
    async with serving(backend, replace(BRIEFLY, max_sessions=None)) as served:
        client = await ended(served, backend)
        monkeypatch.setattr(capacity, "FEW", 0)
        monkeypatch.setattr(capacity, "BUSY", 1e-9)
        async with asyncio.timeout(5), httpx.AsyncClient(base_url=served.http) as http:
            while (await http.get("/ready")).status_code != 503:
                pass
        with pytest.raises(InvalidStatus, match="503"):
            await connect(served.ws)
        async with back(served.ws, client.token) as socket:
            again = Client(socket)
            assert (await again.event())["type"] == "session.created"
            live = alone(served)
        await asyncio.wait_for(live.gone.wait(), 5)


async def test_a_transcription_does_not_go_on():
    backend = ScriptedBackend()
    async with serving(backend, BRIEFLY) as served:
        client, _ = await begun(f"{served.ws}?intent=transcription", backend)
        live = alone(served)
        client.cut()
        await asyncio.wait_for(live.gone.wait(), 5)
        async with back(served.ws, client.token) as socket:
            assert (await refused(socket))["code"] == "not_resumable"


async def test_what_an_agent_allows_for_one_conversation_does_not_begin_anew_with_it():
    backend = ScriptedBackend()
    brief = Agent(name="brief", max_minutes=1.0)
    options = ServerOptions(park_seconds=0.05, agents=Agents({"brief": brief}))
    async with serving(backend, options) as served:
        at = f"{served.ws}?agent=brief"
        client, answerer = await begun(at, backend)
        answerer.arrive(*asked())
        for _ in range(4):
            await client.event()
        live = alone(served)
        client.cut()
        await asyncio.wait_for(live.gone.wait(), 5)
        store, record = served.service.store, live.record or ""
        began = (await store.sessions.find(record) or pytest.fail("there is a record")).active_at - 61
        await store.sessions.reopen(record, began + 61, started_at=began)
        async with back(served.ws, client.token) as socket:
            again = Client(socket)
            while (event := await again.event())["type"] != "error":
                pass
            assert event["error"]["code"] == "session_expired"
