import asyncio

import pytest

from tests.support.virtual_time import virtual_time
from vivavoce.protocol.frame import Closed, Frame
from vivavoce.transports.webrtc.inbox import MAX_BYTES, MAX_WAITING, Inbox


@virtual_time
async def test_in_order_and_what_came_before_the_end_is_still_there():
    inbox = Inbox()
    getting = asyncio.create_task(inbox.get())
    await asyncio.sleep(0)
    frame = Frame("a")
    inbox.put("one", 3)
    inbox.put(frame)
    inbox.end(4000, "first")
    inbox.end(1000, "second")
    inbox.put("too late", 3)
    assert await getting == "one"
    assert await inbox.get() is frame
    with pytest.raises(Closed) as end:
        await inbox.get()
    assert (end.value.code, end.value.reason) == (4000, "first")


@pytest.mark.parametrize(("count", "size"), [(MAX_WAITING, 0), (1000, MAX_BYTES // 1000)])
@virtual_time
async def test_when_nobody_takes_what_comes_the_call_ends(count: int, size: int):
    inbox = Inbox()
    for _ in range(count):
        inbox.put("x", size)
    inbox.check()
    inbox.put("x", 1000)
    with pytest.raises(Closed) as end:
        await inbox.get()
    assert end.value.code == 1008
