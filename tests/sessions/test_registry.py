"""Which sessions are alive, how many may be, and how they end when the server leaves."""

import asyncio

import pytest

from tests.support.leaks import no_leaks
from tests.support.lines import MemoryLine
from vivavoce.protocol.frame import Closed, Frame
from vivavoce.sessions.capacity import Capacity, Full
from vivavoce.sessions.filters import Observer
from vivavoce.sessions.live import Live
from vivavoce.sessions.registry import Draining, Registry


def frame(kind: str, response: str = "resp_1") -> Frame:
    if kind.startswith("response."):
        return Frame(kind, {"type": kind, "response": {"id": response}})
    return Frame(kind, {"type": kind, "response_id": response})


def make(limit: int = 4) -> Registry:
    return Registry(capacity=Capacity(limit), now=lambda: 1_000.0)


async def hold(registry: Registry, id: str, told: list[tuple[str, int]], started: asyncio.Event | None = None) -> None:
    """A session that does nothing but end when it is told to."""
    with registry.admit(id, "websocket") as live:
        if started:
            started.set()
        told.append((id, (await live.ending).code))


async def started(registry: Registry, id: str, told: list[tuple[str, int]]) -> Live:
    ready = asyncio.Event()
    registry.spawn(hold(registry, id, told, ready))
    await ready.wait()
    live = registry.find(id)
    assert live is not None
    return live


async def test_their_number_is_bounded_and_a_place_is_given_back():
    registry = make(limit=1)
    with registry.admit("sess_1", "websocket", "127.0.0.1") as live:
        assert (live.client, live.started, len(registry)) == ("127.0.0.1", 1_000.0, 1)
        with pytest.raises(Full), registry.admit("sess_2", "websocket"):
            pass
        assert registry.find("sess_1") is live
    assert registry.find("sess_1") is None
    assert live.gone.is_set()
    with registry.admit("sess_2", "websocket"):
        assert len(registry) == 1


async def test_a_session_is_busy_while_an_answer_is_given_and_played():
    with make().admit("sess_1", "webrtc") as live:
        busy = []
        for kind in (
            "response.created", "output_audio_buffer.started", "response.done", "output_audio_buffer.stopped",
        ):  # fmt: skip
            live.told(frame(kind))
            busy.append(not live.quiet.is_set())
        assert busy == [True, True, True, False]
        live.told(frame("response.created", "resp_1"))
        live.told(frame("response.created", "resp_2"))
        live.told(frame("response.done", "resp_1"))
        assert not live.quiet.is_set()
        live.told(frame("response.done", "resp_2"))
        assert live.quiet.is_set()


async def test_the_first_reason_to_end_counts():
    with make().admit("sess_1", "websocket") as live:
        live.end(Closed(1000, "hung up"))
        live.end()
        assert live.ending.result().reason == "hung up"


async def test_draining_ends_the_idle_at_once_and_waits_for_the_busy():
    told: list[tuple[str, int]] = []
    async with no_leaks(), make() as registry:
        idle = await started(registry, "idle", told)
        busy = await started(registry, "busy", told)
        busy.told(frame("response.created"))
        drained = asyncio.create_task(registry.drain(60))
        await idle.gone.wait()
        assert told == [("idle", 1001)]
        with pytest.raises(Draining), registry.admit("late", "websocket"):
            pass
        busy.told(frame("response.done"))
        await drained
        assert told == [("idle", 1001), ("busy", 1001)]
        assert len(registry) == 0


async def test_draining_has_a_limit(caplog):
    told: list[tuple[str, int]] = []
    async with no_leaks(), make() as registry:
        (await started(registry, "busy", told)).told(frame("response.created"))
        await registry.drain(0.01)
        assert told == [("busy", 1001)]
    assert "still being given after 0.01 s" in caplog.text


async def test_leaving_cancels_what_did_not_end_and_a_session_that_fails_harms_no_other(caplog):
    cancelled = asyncio.Event()
    at_work = asyncio.Event()

    async def deaf() -> None:
        try:
            at_work.set()
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    async def broken() -> None:
        raise ZeroDivisionError("of ours")

    async with no_leaks(), make() as registry:
        registry.spawn(broken())
        registry.spawn(deaf())
        await at_work.wait()
        assert not cancelled.is_set()
    assert cancelled.is_set()
    assert "ZeroDivisionError: of ours" in caplog.text


class Beside(Observer):
    """It works as long as it likes, or fails."""

    def __init__(self, *, failing: bool = False) -> None:
        self._failing, self._over = failing, asyncio.Event()
        self.told_frames: list[str] = []
        self.ended: Closed | None = None

    def told(self, frame: Frame) -> None:
        self.told_frames.append(frame.type)

    async def run(self) -> None:
        if self._failing:
            raise OSError("no disk")
        await self._over.wait()

    async def finish(self, how: Closed) -> None:
        self.ended = how
        self._over.set()


async def test_what_works_beside_a_session_ends_with_it_and_no_failure_of_it_is_the_sessions(
    caplog: pytest.LogCaptureFixture,
):
    works, fails = Beside(), Beside(failing=True)
    client, answerer = MemoryLine(), MemoryLine()
    async with no_leaks():
        with make().admit("sess_1", "websocket") as live:
            running = asyncio.create_task(live.run(client, answerer, new_id=str, observers=[works, fails]))
            answerer.arrive(Frame("one"))
            assert (await client.next_sent()).type == "one"
            client.hang_up(1000, "Bye.")
            assert (await running).reason == "Bye."
    for each in (works, fails):
        assert each.told_frames == ["one"]
        assert each.ended is not None
        assert each.ended.reason == "Bye."
    assert "what works beside a session failed" in caplog.text
