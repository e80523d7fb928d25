"""A client that comes back by itself: what was missed is received, and what was said meanwhile is sent."""

import asyncio
from collections.abc import Sequence
from contextlib import asynccontextmanager

import pytest

from tests.support.leaks import no_leaks
from tests.support.scripted_realtime import Script, Stage, scripted
from vivavoce.client.realtime import RealtimeSession, Unreachable, dial
from vivavoce.client.returning import OFFERED, Returning
from vivavoce.protocol.frame import Closed, Frame

HELLO = Frame("response.create", {"type": "response.create"})


@pytest.fixture(autouse=True)
async def _nothing_is_left():
    async with no_leaks():
        yield


class Client:
    def __init__(self) -> None:
        self.shown: list[str] = []
        self.anew = 0
        self.slept: list[float] = []
        self.unreachable = 0
        self.dialled: list[tuple[Sequence[str], str | None]] = []

    @asynccontextmanager
    async def line(self, script: Script):
        async with scripted(script) as url:

            async def again(subprotocols: Sequence[str], after: str | None) -> RealtimeSession:
                self.dialled.append((subprotocols, after))
                if len(self.dialled) <= self.unreachable:
                    raise Unreachable("nobody is there")
                return await dial(url, subprotocols=subprotocols)

            async def begun(line: Returning) -> None:
                self.anew += 1
                await line.send(HELLO)

            async def sleep(seconds: float) -> None:
                self.slept.append(seconds)

            first = await dial(url, subprotocols=OFFERED)
            line = Returning(first, again, anew=begun, show=self.shown.append, sleep=sleep)
            try:
                yield line
            finally:
                await line.close()


def parts(*scenes: Script) -> Script:
    """One for each connection, in order."""
    waiting = iter(scenes)

    async def play(stage: Stage) -> None:
        await next(waiting)(stage)

    return play


async def begins(stage: Stage) -> None:
    await stage.send("session.created")
    await stage.send("vivavoce.resume", token="vvr_one")
    await stage.send("response.created")
    await stage.cut()


async def test_it_comes_back_to_where_it_was():
    async def rest(stage: Stage) -> None:
        await stage.send("vivavoce.resume", token="vvr_two")
        await stage.expect("response.create")
        await stage.send("response.done")
        await stage.cut()

    async def end(stage: Stage) -> None:
        await stage.close(1000, "bye")

    client = Client()
    async with client.line(parts(begins, rest, end)) as line:
        assert (await line.receive()).type == "session.created"
        assert (await line.receive()).type == "response.created"
        speaking = asyncio.create_task(line.send(HELLO))
        assert (await line.receive()).type == "response.done"
        await speaking
        with pytest.raises(Closed):
            await line.receive()
    assert client.dialled == [
        ((*OFFERED, "vivavoce-resume.vvr_one"), "event_1"),
        ((*OFFERED, "vivavoce-resume.vvr_two"), "event_1"),
    ]
    assert client.shown == ["The connection is lost; coming back.", "Back."] * 2
    assert client.anew == 0


async def test_where_the_session_had_to_begin_anew_its_settings_are_set_again():
    async def anew(stage: Stage) -> None:
        await stage.send("session.created")
        await stage.expect("response.create")

    client = Client()
    async with client.line(parts(begins, anew)) as line:
        for type in ("session.created", "response.created", "session.created"):
            assert (await line.receive()).type == type
    assert client.anew == 1


async def test_a_server_that_is_not_there_yet_is_asked_again_and_each_time_later():
    async def rest(stage: Stage) -> None:
        await stage.send("response.done")

    client = Client()
    client.unreachable = 4
    async with client.line(parts(begins, rest)) as line:
        for type in ("session.created", "response.created", "response.done"):
            assert (await line.receive()).type == type
    assert len(client.dialled) == 5
    assert client.slept == sorted(client.slept)
    assert 0.2 < client.slept[0] < 0.5


@pytest.mark.parametrize("code", [1000, 4000, 4001])
async def test_an_end_that_is_meant_is_the_end(code):
    async def ends(stage: Stage) -> None:
        await stage.send("session.created")
        await stage.send("vivavoce.resume", token="vvr_one")
        await stage.close(code, "meant")

    client = Client()
    async with client.line(ends) as line:
        await line.receive()
        with pytest.raises(Closed) as ended:
            await line.receive()
        assert ended.value.code == code
        with pytest.raises(Closed):
            await line.send(HELLO)
    assert client.dialled == []


async def test_a_server_that_gave_nothing_to_come_back_with():
    async def cut(stage: Stage) -> None:
        await stage.send("session.created")
        await stage.cut()

    client = Client()
    async with client.line(cut) as line:
        await line.receive()
        with pytest.raises(Closed):
            await line.receive()
    assert client.dialled == []
