"""A session that outlives its client's connection: nothing is said twice or lost, and nobody waits for ever."""

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.lines import MemoryLine
from tests.support.virtual_time import run_virtual, virtual_time
from vivavoce.protocol.frame import AUDIO_DELTA, REST, Closed, Frame
from vivavoce.sessions.berth import LOST, TAKEN_UP, Berth, State
from vivavoce.sessions.hub import Hub
from vivavoce.sessions.ring import FRAME_BYTES, PARKED_BYTES, Ring

WAITS = 45.0
HELLO = Frame("response.create", {"type": "response.create"})


def said(number: int) -> Frame:
    """Every other one is sound."""
    data = {"event_id": f"event_{number}", "item_id": "item_1"}
    return Frame(AUDIO_DELTA, data, bytes([number % 256])) if number % 2 else Frame("response.x", data)


def after(event_id: str):
    return lambda ring: ring.after(event_id)


async def begun(line: MemoryLine, **given: float) -> Berth:
    """A session whose client has said something."""
    berth = Berth(line, given.get("patience", WAITS))
    line.arrive(HELLO)
    assert await berth.receive() is HELLO
    return berth


async def told(line: MemoryLine) -> list[Frame]:
    return [line.sent.get_nowait() for _ in range(line.sent.qsize())]


@virtual_time
async def test_what_is_said_while_nobody_is_there_is_told_to_who_comes_back():
    first, second = MemoryLine(), MemoryLine()
    berth = await begun(first)
    await berth.send(said(1))
    first.hang_up(1006)
    heard = asyncio.create_task(berth.receive())
    await asyncio.sleep(0)
    assert berth.state is State.PARKED
    await berth.send(said(2))
    await berth.send(said(3))
    await asyncio.sleep(WAITS - 1)
    await berth.come_back(second, after("event_1"))
    await berth.send(said(4))
    assert await told(second) == [said(2), said(3), said(4)]
    second.arrive(HELLO)
    assert await heard is HELLO


@virtual_time
async def test_who_does_not_come_back_in_time_has_gone():
    line = MemoryLine()
    berth = await begun(line)
    line.hang_up(1006)
    with pytest.raises(Closed) as ended:
        await berth.receive()
    assert ended.value.args == LOST
    assert asyncio.get_running_loop().time() == WAITS
    with pytest.raises(Closed):
        await berth.come_back(MemoryLine(), after("event_1"))
    with pytest.raises(Closed):
        await berth.send(said(1))


@pytest.mark.parametrize("code", [1000, 1001])
@virtual_time
async def test_a_good_bye_is_the_end(code):
    line = MemoryLine()
    berth = await begun(line)
    line.hang_up(code, "bye")
    with pytest.raises(Closed) as ended:
        await berth.receive()
    assert (ended.value.code, berth.state) == (code, State.OVER)


@virtual_time
async def test_where_nobody_is_waited_for_a_cut_is_the_end():
    line = MemoryLine()
    berth = await begun(line, patience=0)
    line.hang_up(1006)
    with pytest.raises(Closed):
        await berth.receive()


@virtual_time
async def test_a_client_that_never_said_anything_is_not_waited_for():
    line = MemoryLine()
    line.hang_up(1006)
    with pytest.raises(Closed):
        await Berth(line, WAITS).receive()


@virtual_time
async def test_a_connection_that_still_looks_open_is_let_go_with_a_word():
    first, second = MemoryLine(), MemoryLine()
    berth = await begun(first)
    stay = asyncio.create_task(berth.stay(first))
    reader = asyncio.create_task(berth.receive())
    await asyncio.sleep(0)
    await berth.send(said(1))
    await berth.come_back(second, after("event_1"))
    second.arrive(HELLO)
    assert await reader is HELLO  # it no longer waits for the first
    await stay
    assert first.closed is not None
    assert first.closed.args == TAKEN_UP
    await berth.send(said(2))
    assert await told(second) == [said(2)]


@virtual_time
async def test_a_speaker_that_is_stuck_in_the_old_connection_goes_on_in_the_new_one():
    first, second = MemoryLine(slow=True), MemoryLine()
    berth = await begun(first)
    stay = asyncio.create_task(berth.stay(first))
    speaking = asyncio.create_task(berth.send(said(1)))
    await first.pressed.wait()
    await berth.come_back(second, lambda ring: list(ring))
    await speaking
    await stay
    await berth.send(said(2))
    assert await told(second) == [said(1), said(2)]


@virtual_time
async def test_a_cancelled_reader_is_cancelled_and_not_called_elsewhere():
    berth = await begun(MemoryLine())
    reader = asyncio.create_task(berth.receive())
    await asyncio.sleep(0)
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader


@virtual_time
async def test_of_two_that_come_back_the_later_one_has_it():
    first, second = MemoryLine(slow=True), MemoryLine()
    line = MemoryLine()
    berth = await begun(line)
    await berth.send(said(1))
    line.hang_up(1006)
    reader = asyncio.create_task(berth.receive())
    await asyncio.sleep(0)
    coming = asyncio.create_task(berth.come_back(first, lambda ring: list(ring)))
    await first.pressed.wait()
    await berth.come_back(second, lambda ring: list(ring))
    first.room.set()
    with pytest.raises(Closed) as refused:
        await coming
    assert refused.value.args == TAKEN_UP
    assert await told(second) == [said(1)]
    second.arrive(HELLO)
    assert await reader is HELLO


@virtual_time
async def test_who_comes_back_and_is_cut_off_again_has_lost_nothing():
    line, second, third = MemoryLine(), MemoryLine(), MemoryLine()
    berth = await begun(line)
    await berth.send(said(1))
    line.hang_up(1006)
    reader = asyncio.create_task(berth.receive())
    await asyncio.sleep(0)
    await second.close(1006)
    with pytest.raises(Closed):
        await berth.come_back(second, lambda ring: list(ring))
    assert berth.state is State.PARKED
    await berth.come_back(third, lambda ring: list(ring))
    assert await told(third) == [said(1)]
    reader.cancel()


@virtual_time
async def test_the_session_ends_while_its_client_is_away():
    client, answerer = MemoryLine(), MemoryLine()
    berth = Berth(client, WAITS)
    running = asyncio.create_task(Hub(berth, answerer, new_id=lambda: "event_0").run())
    client.arrive(HELLO)
    assert await answerer.next_sent() is HELLO
    client.hang_up(1006)
    answerer.arrive(said(1))
    await asyncio.sleep(0)
    answerer.hang_up(4000, "server_error.session_expired")
    assert (await running).code == 4000
    assert berth.state is State.OVER


@virtual_time
async def test_a_session_whose_client_is_cancelled_here_was_cut_off():
    line = MemoryLine()
    berth = await begun(line)
    stay = asyncio.create_task(berth.stay(line))
    await asyncio.sleep(0)
    stay.cancel()
    await asyncio.wait([stay])
    assert berth.state is State.PARKED
    await berth.close()


class Playing(MemoryLine):
    """A call: what it has not played is known."""

    def __init__(self) -> None:
        super().__init__()
        self.unplayed: list[Frame] = []

    def rest(self) -> list[Frame]:
        return self.unplayed


@virtual_time
async def test_what_a_track_had_not_played_is_played_by_the_next():
    first, second = Playing(), Playing()
    berth = await begun(first)
    for number in (1, 2, 3):
        await berth.send(said(number))
    first.unplayed = [Frame(REST, {"type": REST, "item_id": "item_1"}, b"\3")]
    first.hang_up(1006)
    reader = asyncio.create_task(berth.receive())
    await asyncio.sleep(0)
    await berth.send(said(5))  # sound that no track has
    await berth.come_back(second, after("event_2"))
    assert await told(second) == [*first.unplayed, said(5)]
    second.unplayed = []
    second.hang_up(1006)
    await asyncio.sleep(0)
    third = Playing()
    await berth.come_back(third, lambda ring: list(ring))
    assert await told(third) == [said(2)]  # events alone: what sounds was handed to a track
    reader.cancel()


def test_a_ring_is_bounded_and_forgets_the_oldest():
    ring = Ring()
    ring.room = PARKED_BYTES
    size = 64 * 1024
    for number in range(PARKED_BYTES // size * 2):
        ring.add(Frame(AUDIO_DELTA, {"event_id": f"event_{number}"}, bytes(size)))
    kept = list(ring)
    assert sum(FRAME_BYTES + len(frame.audio or b"") for frame in kept) <= PARKED_BYTES
    assert kept[-1].data["event_id"] == f"event_{PARKED_BYTES // size * 2 - 1}"
    assert ring.after("event_0") is None
    assert ring.after(kept[-2].data["event_id"]) == kept[-1:]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 3), st.integers(0, 4), st.booleans()), max_size=5))
def test_cut_anywhere_the_joined_stream_is_the_uncut_one(cuts: Sequence[tuple[int, int, int, bool]]):
    """Each cut: so many frames are told, of which so many are lost on their way; so many are said while nobody is
    there, or the old connection is left standing."""

    async def scene() -> None:
        line, number, heard = MemoryLine(), 0, list[Frame]()
        berth = await begun(line)
        reader = asyncio.create_task(berth.receive())
        await asyncio.sleep(0)
        for count, lost, missed, stands in cuts:
            for _ in range(count):
                number += 1
                await berth.send(said(number))
            arrived = await told(line)
            heard += arrived[: max(0, len(arrived) - lost)]
            if not stands:
                line.hang_up(1006)
                await asyncio.sleep(0)
            for _ in range(missed):
                number += 1
                await berth.send(said(number))
            last = heard[-1].data["event_id"] if heard else None
            line = MemoryLine()
            await berth.come_back(line, after(last) if last else lambda ring: list(ring))
            await asyncio.sleep(0)
        heard += await told(line)
        assert heard == [said(each + 1) for each in range(number)]
        reader.cancel()

    run_virtual(scene())
