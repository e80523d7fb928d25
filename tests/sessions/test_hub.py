"""Two lines joined: what passes, and how it ends."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from tests.support.leaks import no_leaks
from tests.support.lines import MemoryLine
from vivavoce.protocol.frame import APPEND, AUDIO_DELTA, Closed, Frame
from vivavoce.protocol.wire.errors import ProtocolError
from vivavoce.sessions.filters import OWNER, Asides, Behind, Filter, Observer, Stopped, Watcher
from vivavoce.sessions.hub import MAX_SIDES, Hub, TooManySides
from vivavoce.sessions.routes import REMEMBERED, Routes
from vivavoce.sessions.side import SIDE_FRAMES


@pytest.fixture(autouse=True)
async def _nothing_is_left():
    async with no_leaks():
        yield


def hub_of(client: MemoryLine, answerer: MemoryLine, **given: Any) -> Hub:
    return Hub(client, answerer, new_id=lambda: "event_1", **given)


class Seen(Observer):
    def __init__(self, types: list[str]) -> None:
        self.types = types

    def sent(self, frame: Frame) -> None:
        self.types.append(f"> {frame.type}")

    def told(self, frame: Frame) -> None:
        self.types.append(frame.type)


def ends(line: MemoryLine) -> tuple[int, str]:
    assert line.closed is not None
    return line.closed.code, line.closed.reason


async def test_frames_pass_both_ways_in_order():
    client, answerer = MemoryLine(), MemoryLine()
    joined = asyncio.create_task(hub_of(client, answerer).run())
    client.arrive(Frame(APPEND, audio=b"\1\2"), Frame("response.create"))
    answerer.arrive(Frame("session.created"), Frame("response.created"))
    assert [(await answerer.next_sent()).type for _ in range(2)] == [APPEND, "response.create"]
    assert [(await client.next_sent()).type for _ in range(2)] == ["session.created", "response.created"]
    client.hang_up()
    assert (await joined).code == 1000


async def test_a_client_that_leaves_ends_the_other_side():
    client, answerer = MemoryLine(), MemoryLine()
    client.hang_up(1001, "page left")
    end = await hub_of(client, answerer).run()
    assert (end.code, end.reason) == (1001, "page left")
    assert ends(answerer)[0] == 1000


async def test_an_end_from_the_answering_side_reaches_the_client_as_it_is():
    client, answerer = MemoryLine(), MemoryLine()
    answerer.arrive(Frame("error"))
    answerer.hang_up(4000, "invalid_request_error.invalid_model")
    await hub_of(client, answerer).run()
    assert (await client.next_sent()).type == "error"
    assert ends(client) == (4000, "invalid_request_error.invalid_model")


@pytest.mark.parametrize("code", [1005, 1006, 1015])
async def test_a_cut_is_told_in_a_code_that_may_be_sent(code):
    client, answerer = MemoryLine(), MemoryLine()
    answerer.hang_up(code)
    end = await hub_of(client, answerer).run()
    assert end.code == code
    assert ends(client) == (1011, "The side that answers was cut off.")


async def test_an_ending_from_outside_closes_both():
    client, answerer = MemoryLine(), MemoryLine()
    ending = asyncio.get_running_loop().create_future()
    joined = asyncio.create_task(hub_of(client, answerer).run(ending))
    ending.set_result(Closed(1001, "The server is going away."))
    assert (await joined).code == 1001
    assert ends(client) == (1001, "The server is going away.")
    assert ends(answerer)[0] == 1000


async def test_cancelling_closes_both_and_stays_a_cancellation():
    client, answerer = MemoryLine(), MemoryLine()
    joined = asyncio.create_task(hub_of(client, answerer).run())
    client.arrive(Frame("response.create"))
    await answerer.next_sent()
    joined.cancel()
    with pytest.raises(asyncio.CancelledError):
        await joined
    assert ends(client)[0] == 1001
    assert ends(answerer)[0] == 1000


async def test_a_bug_ends_the_session_with_words_and_the_log_has_it(caplog):
    client, answerer = MemoryLine(), MemoryLine()
    answerer.break_with(ZeroDivisionError("of ours"))
    assert (await hub_of(client, answerer).run()).code == 1011
    assert ends(client) == (1011, "The server made a mistake; this session is lost.")
    assert answerer.closed
    assert "ZeroDivisionError: of ours" in caplog.text


async def test_a_slow_client_slows_its_session_and_no_frame_is_piled_up():
    client, answerer = MemoryLine(slow=True), MemoryLine()
    seen: list[str] = []
    joined = asyncio.create_task(hub_of(client, answerer, observers=[Seen(seen)]).run())
    answerer.arrive(Frame("one"), Frame("two"), Frame("three"))
    await client.pressed.wait()
    assert answerer.unread() == 2
    assert seen == []  # a frame counts once the client has it: who waits for an answer's end must not cut it off
    client.room.set()
    assert [(await client.next_sent()).type for _ in range(3)] == ["one", "two", "three"]
    client.hang_up()
    await joined
    assert seen == ["one", "two", "three"]


async def test_a_line_that_fails_to_close_does_not_keep_the_other_open(caplog):
    class Stubborn(MemoryLine):
        async def close(self, code: int = 1000, reason: str = "") -> None:
            raise OSError("will not close")

    client, answerer = MemoryLine(), Stubborn()
    client.hang_up()
    await hub_of(client, answerer).run()
    assert client.closed
    assert "will not close" in caplog.text


# Sides: other clients of the same session -----------------------------------------------------------


def created(voice: str) -> Frame:
    return Frame("session.created", {"type": "session.created", "session": {"voice": voice}})


async def test_a_side_begins_with_the_session_as_it_is_and_then_hears_everything_but_sound():
    client, answerer, side = MemoryLine(), MemoryLine(), MemoryLine()
    hub = hub_of(client, answerer)
    running = asyncio.create_task(hub.run())
    answerer.arrive(created("ash"), Frame("session.updated", {"session": {"voice": "sage"}}))
    for _ in range(2):
        await client.next_sent()
    listening = asyncio.create_task(hub.attach(side))
    first = await side.next_sent()
    assert (first.type, first.data["session"]) == ("session.created", {"voice": "sage"})
    answerer.arrive(Frame(AUDIO_DELTA, audio=b"12"), Frame("response.done"))
    assert (await side.next_sent()).type == "response.done"
    assert [(await client.next_sent()).type for _ in range(2)] == [AUDIO_DELTA, "response.done"]
    client.hang_up()
    assert (await running).code == 1000
    assert (await listening).code == 1000
    assert side.closed is not None


async def test_what_a_side_does_wrong_is_told_to_it_alone():
    client, answerer, side = MemoryLine(), MemoryLine(), MemoryLine()
    hub = hub_of(client, answerer)
    running = asyncio.create_task(hub.run())
    listening = asyncio.create_task(hub.attach(side))
    side.arrive(Frame("nonsense"))
    asked = await answerer.next_sent()
    answerer.arrive(Frame("error", origin=asked.origin), Frame("session.updated", {"session": {}}))
    assert (await side.next_sent()).type == "error"
    assert (await client.next_sent()).type == "session.updated"
    side.hang_up()
    assert (await listening).code == 1000
    client.hang_up()
    await running


async def test_a_side_that_falls_behind_is_let_go_and_the_session_goes_on():
    client, answerer, side = MemoryLine(), MemoryLine(), MemoryLine(slow=True)
    hub = hub_of(client, answerer)
    running = asyncio.create_task(hub.run())
    listening = asyncio.create_task(hub.attach(side))
    await asyncio.sleep(0)
    answerer.arrive(*[Frame("response.output_text.delta") for _ in range(SIDE_FRAMES + 10)])
    assert (await listening).code == 1008
    for _ in range(SIDE_FRAMES + 10):
        await client.next_sent()
    client.hang_up()
    await running


async def test_only_so_many_sides():
    client, answerer = MemoryLine(), MemoryLine()
    hub = hub_of(client, answerer)
    running = asyncio.create_task(hub.run())
    sides = [asyncio.create_task(hub.attach(MemoryLine())) for _ in range(MAX_SIDES)]
    await asyncio.sleep(0)
    with pytest.raises(TooManySides):
        await hub.attach(MemoryLine())
    client.hang_up()
    await running
    await asyncio.gather(*sides)


# Filters and watchers -------------------------------------------------------------------------------


class Guard(Filter):
    """Refuses what is forbidden, doubles what is dear, keeps secrets."""

    def inward(self, frame: Frame) -> Sequence[Frame]:
        if frame.type == "forbidden":
            raise ProtocolError("not_allowed", "No.", param="type")
        return [frame, frame] if frame.type == "dear" else [frame]

    def outward(self, frame: Frame) -> Sequence[Frame]:
        return [] if frame.type == "secret" else [frame]


async def test_a_filter_refuses_changes_and_hides():
    client, answerer, seen = MemoryLine(), MemoryLine(), list[str]()
    running = asyncio.create_task(hub_of(client, answerer, filters=[Guard()], observers=[Seen(seen)]).run())
    client.arrive(Frame("forbidden", {"event_id": "mine"}), Frame("dear"))
    error = await client.next_sent()
    assert error.data["error"]["code"] == "not_allowed"
    assert error.data["error"]["event_id"] == "mine"
    assert [(await answerer.next_sent()).type for _ in range(2)] == ["dear", "dear"]
    answerer.arrive(Frame("secret"), Frame("plain"))
    assert (await client.next_sent()).type == "plain"
    client.hang_up()
    await running
    assert seen == ["> dear", "> dear", "plain"]


async def test_a_sideband_is_told_of_its_own_refusal():
    client, answerer, side = MemoryLine(), MemoryLine(), MemoryLine()
    hub = hub_of(client, answerer, filters=[Guard()])
    running = asyncio.create_task(hub.run())
    listening = asyncio.create_task(hub.attach(side))
    side.arrive(Frame("forbidden"))
    assert (await side.next_sent()).data["error"]["code"] == "not_allowed"
    assert client.sent.empty()
    client.hang_up()
    await asyncio.gather(running, listening)


@pytest.mark.parametrize(("rule", "taken"), [(Behind.DROP, ["a", "b", "d"]), (Behind.STOP, ["a", "b"])])
async def test_a_watcher_that_falls_behind_follows_its_rule(rule: Behind, taken: list[str]):
    got: list[str] = []
    two = asyncio.Event()

    async def take(frame: Frame, sent: bool) -> None:
        got.append(frame.type)
        if len(got) == 2:
            two.set()

    watcher = Watcher("the record", take, wants=lambda frame: frame.type != "noise", size=2, rule=rule)
    for type in ("a", "noise", "b", "c"):
        watcher.told(Frame(type))
    running = asyncio.create_task(watcher.run())
    await two.wait()
    watcher.sent(Frame("d"))
    await watcher.finish(Closed())
    await running
    assert got == taken
    assert watcher.missed == 1


async def test_what_filters_say_aside_reaches_who_answers_in_order_and_is_observed():
    client, answerer, asides = MemoryLine(), MemoryLine(), Asides()
    seen: list[str] = []
    joined = asyncio.create_task(hub_of(client, answerer, asides=asides, observers=[Seen(seen)]).run())
    asides.say(Frame("session.update"), Frame("response.create"))
    said = [await answerer.next_sent() for _ in range(2)]
    assert [(frame.type, frame.origin) for frame in said] == [
        ("session.update", Asides.ORIGIN),
        ("response.create", Asides.ORIGIN),
    ]
    answerer.arrive(Frame("error", origin=Asides.ORIGIN), Frame("last"))
    assert (await client.next_sent()).type == "last"  # an error of our own making is none of the client's
    client.hang_up()
    await joined
    assert seen == ["> session.update", "> response.create", "last"]


async def test_who_is_stopped_is_told_why_before_the_line_closes():
    client, answerer = MemoryLine(), MemoryLine()
    ending = asyncio.get_running_loop().create_future()
    joined = asyncio.create_task(hub_of(client, answerer).run(ending))
    ending.set_result(Stopped(ProtocolError("budget_exceeded", "It is spent.", type="insufficient_quota")))
    assert (await joined).code == 4000
    told = await client.next_sent()
    assert (told.type, told.data["error"]["code"]) == ("error", "budget_exceeded")
    assert ends(client) == (4000, "insufficient_quota.budget_exceeded")
    assert ends(answerer)[0] == 1000


async def test_the_owner_beside_a_session_is_told_from_others():
    client, answerer = MemoryLine(), MemoryLine()
    hub = hub_of(client, answerer)
    joined = asyncio.create_task(hub.run())
    for owner in (True, False):
        side = MemoryLine()
        attached = asyncio.create_task(hub.attach(side, owner=owner))
        side.arrive(Frame("response.create"))
        assert (await answerer.next_sent()).origin.startswith(OWNER) is owner
        side.hang_up()
        await attached
    client.hang_up()
    await joined


class Picky(Filter, Observer):
    """Concerned by some types alone."""

    def __init__(self, *types: str) -> None:
        self.types, self.asked, self.met = types, list[str](), list[str]()

    def sees(self, type: str) -> bool:
        self.asked.append(type)
        return type in self.types

    def inward(self, frame: Frame) -> Sequence[Frame]:
        self.met.append(frame.type)
        return (frame,)

    def told(self, frame: Frame) -> None:
        self.met.append(frame.type)


async def test_who_is_not_concerned_by_a_type_is_asked_once_and_shown_nothing():
    client, answerer = MemoryLine(), MemoryLine()
    filter, observer = Picky("wanted"), Picky("wanted")
    running = asyncio.create_task(hub_of(client, answerer, filters=[filter], observers=[observer]).run())
    client.arrive(*[Frame(APPEND, audio=b"\1\2")] * 3, Frame("wanted"))
    assert [(await answerer.next_sent()).type for _ in range(4)] == [APPEND] * 3 + ["wanted"]
    answerer.arrive(Frame("other"), Frame("wanted"))
    assert [(await client.next_sent()).type for _ in range(2)] == ["other", "wanted"]
    client.hang_up()
    await running
    assert filter.met == observer.met == ["wanted"]
    assert observer.asked.count(APPEND) == 1


async def test_a_frame_that_concerns_one_filter_meets_them_all():
    """What one makes of it may concern the next."""

    class Renaming(Filter):
        def sees(self, type: str) -> bool:
            return type == "dear"

        def inward(self, frame: Frame) -> Sequence[Frame]:
            return (Frame("forbidden"),)

    client, answerer = MemoryLine(), MemoryLine()
    guard = Guard()
    guard.sees = lambda type: type == "forbidden"  # type: ignore[method-assign]
    running = asyncio.create_task(hub_of(client, answerer, filters=[Renaming(), guard]).run())
    client.arrive(Frame("dear"))
    assert (await client.next_sent()).data["error"]["code"] == "not_allowed"
    client.hang_up()
    await running


def test_routes_of_made_up_types_are_not_kept():
    routes = Routes([], [])
    for number in range(2 * REMEMBERED):
        assert routes[f"made.up.{number}"].inward == ()
    assert len(routes) == REMEMBERED
