"""An error of the upstream finds whoever caused it, and nobody else."""

from itertools import count
from typing import Any

from tests.support.lines import MemoryLine
from vivavoce.backends.upstream.line import MAX_REMEMBERED, UpstreamLine
from vivavoce.protocol.frame import APPEND, Frame

UPDATE = "session.update"


def staged() -> tuple[UpstreamLine, MemoryLine]:
    upstream, numbers = MemoryLine(), count(1)
    return UpstreamLine(upstream, new_id=lambda: f"ours_{next(numbers)}"), upstream


def error(event_id: Any) -> Frame:
    return Frame("error", {"type": "error", "event_id": "event_9", "error": {"code": "x", "event_id": event_id}})


async def test_the_sessions_own_client_keeps_its_ids():
    line, upstream = staged()
    sent = Frame(APPEND, {"type": APPEND, "event_id": "mine"}, b"\0\0")
    await line.send(sent)
    assert await upstream.next_sent() is sent
    upstream.arrive(error("mine"))
    told = await line.receive()
    assert (told.data["error"]["event_id"], told.origin) == ("mine", "")


async def test_a_sidebands_mistake_is_the_sidebands():
    """Two clients of one session may well choose the same ids."""
    line, upstream = staged()
    await line.send(Frame(UPDATE, {"type": UPDATE, "event_id": "event_1"}))
    await line.send(Frame(UPDATE, {"type": UPDATE, "event_id": "event_1"}, origin="side 1"))
    await line.send(Frame(UPDATE, {"type": UPDATE}, origin="side 2"))
    ids = [(await upstream.next_sent()).data["event_id"] for _ in range(3)]
    assert len(set(ids)) == 3
    for event_id in ids:
        upstream.arrive(error(event_id))
    told = [await line.receive() for _ in range(3)]
    assert [(each.origin, each.data["error"]["event_id"]) for each in told] == [
        ("", "event_1"), ("side 1", "event_1"), ("side 2", None),
    ]  # fmt: skip
    assert all(each.data["event_id"] == "event_9" for each in told)


async def test_an_error_of_nobodys_is_for_the_sessions_own_client():
    line, upstream = staged()
    for odd in (error(None), error([]), Frame("error", {"type": "error", "error": "what?"})):
        upstream.arrive(odd)
        assert await line.receive() is odd


async def test_what_is_remembered_has_a_bound(caplog):
    line, upstream = staged()
    for _ in range(MAX_REMEMBERED + 1):
        await line.send(Frame(APPEND, {"type": APPEND}, b"\0\0", origin="side 1"))
    upstream.arrive(error("ours_1"), error("ours_2"))
    assert (await line.receive()).origin == ""
    assert (await line.receive()).origin == "side 1"
