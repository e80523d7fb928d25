"""What a session holds back, and what waits for it."""

import asyncio

import pytest

from tests.support.virtual_time import virtual_time
from vivavoce.engine import unplayed
from vivavoce.engine.outgoing import MAX_FRAMES, Outgoing
from vivavoce.engine.unplayed import Unplayed
from vivavoce.protocol.frame import Closed, Frame


async def waits(waiting: "asyncio.Task[None]") -> bool:
    await asyncio.sleep(0)
    return not waiting.done()


@virtual_time
async def test_makers_wait_until_what_is_there_was_taken():
    outgoing = Outgoing()
    for _ in range(MAX_FRAMES):
        outgoing.put(Frame("x"))
    maker = asyncio.create_task(outgoing.room())
    assert await waits(maker)
    await outgoing.take()
    await maker


@virtual_time
async def test_sound_counts_by_its_bytes():
    outgoing = Outgoing()
    outgoing.put(Frame("x", audio=bytes(2_000_000)))
    assert outgoing.full
    await outgoing.take()
    assert not outgoing.full


@virtual_time
async def test_what_was_said_before_the_end_is_still_taken():
    outgoing = Outgoing()
    outgoing.put(Frame("last words"))
    outgoing.close(Closed(1001, "over"))
    assert (await outgoing.take()).type == "last words"
    with pytest.raises(Closed, match="over"):
        await outgoing.take()


@virtual_time
async def test_the_voice_is_only_so_far_ahead_of_the_listener():
    ahead = Unplayed()
    ahead.queued("item_1", unplayed.MAX_SAMPLES)
    maker = asyncio.create_task(ahead.room())
    assert await waits(maker)
    ahead.played("item_1", 24_000, drained=False)
    await maker
    ahead.queued("item_1", 24_000)
    maker = asyncio.create_task(ahead.room())
    assert await waits(maker)
    ahead.played("item_1", 24_000, drained=False)
    assert await waits(maker), "the same second is not played twice"
    ahead.flushed("item_1")
    await maker


@virtual_time
async def test_a_drained_track_has_nothing_unplayed():
    ahead = Unplayed()
    ahead.queued("item_1", unplayed.MAX_SAMPLES)
    ahead.played("item_1", 0, drained=True)
    await ahead.room()
