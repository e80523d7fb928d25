"""The line of a call whose media passes us by: what it survives, and what it does not."""

import asyncio
from collections.abc import Callable

import pytest

from tests.support.lines import MemoryLine
from tests.support.virtual_time import virtual_time
from vivavoce.backends.interface import BackendError
from vivavoce.backends.upstream.direct import Direct
from vivavoce.backends.upstream.patience import Patience
from vivavoce.protocol.frame import GAP, Closed, Frame, Line

UPDATED = "session.updated"


def refusal(status: int, code: str | None = None) -> BackendError:
    return BackendError.of(status, "No.", code=code)


class Upstream:
    """Gives these, in turn, to whoever wants to listen."""

    def __init__(self, *taps: MemoryLine | BackendError, cannot_hang_up: BackendError | None = None) -> None:
        self.taps = list(taps)
        self.hung_up = 0
        self.deaf = False
        self._cannot = cannot_hang_up

    async def tap(self) -> Line:
        tap = self.taps.pop(0)
        if isinstance(tap, BackendError):
            raise tap
        return tap

    async def hang_up(self) -> None:
        if self._cannot:
            raise self._cannot
        self.hung_up += 1

    def line(self, *, seconds: float = 3600.0, missed: bool = False) -> Direct:
        def untapped() -> None:
            self.deaf = True

        patience = Patience(random=lambda: 0.5)
        return Direct(self.tap, self.hang_up, patience, seconds=seconds, missed=missed, untapped=untapped)


def tapped(*types: str) -> MemoryLine:
    line = MemoryLine()
    line.arrive(*(Frame(type, {"type": type, "session": {}}) for type in types))
    return line


async def end_of(line: Direct) -> Closed:
    try:
        while True:
            await line.receive()
    except Closed as closed:
        return closed


@virtual_time
async def test_it_tells_what_is_heard_and_takes_what_is_said():
    tap = tapped("session.created", "response.created")
    line = Upstream(tap).line()
    assert [(await line.receive()).type for _ in range(2)] == ["session.created", "response.created"]
    await line.send(Frame("response.cancel"))
    assert (await tap.next_sent()).type == "response.cancel"
    await line.close()
    assert tap.closed


@virtual_time
async def test_a_cut_is_a_gap_of_so_many_seconds():
    """Whoever writes down what is said has to know that something is missing."""
    first = tapped("session.created")
    upstream = Upstream(first, refusal(502), refusal(502), tapped("session.created", "response.done"))
    line = upstream.line()
    assert (await line.receive()).type == "session.created"
    first.hang_up(1006)
    gap = await line.receive()
    assert (gap.type, gap.data["seconds"]) == (GAP, 1.5)
    assert [(await line.receive()).type for _ in range(2)] == [UPDATED, "response.done"]
    await line.close()
    assert (upstream.hung_up, line.over) == (1, True)


@virtual_time
async def test_what_is_said_in_a_gap_waits_for_its_end():
    first, second = tapped("session.created"), tapped("session.created")
    line = Upstream(first, refusal(502), second).line()
    await line.receive()
    first.hang_up(1006)
    hearing = asyncio.create_task(line.receive())
    await asyncio.sleep(0.1)
    await line.send(Frame("response.create"))
    assert (await second.next_sent()).type == "response.create"
    assert (await hearing).type == GAP
    await line.close()


@virtual_time
async def test_the_end_of_the_call_is_the_end_of_the_line():
    tap = tapped("session.created")
    upstream = Upstream(tap)
    line = upstream.line()
    await line.receive()
    tap.hang_up(1000, "The caller hung up.")
    assert (await end_of(line)).reason == "The caller hung up."
    await line.close()
    assert (upstream.hung_up, line.over) == (0, True)


@virtual_time
async def test_a_call_that_the_upstream_knows_no_more_is_over():
    tap = tapped("session.created")
    upstream = Upstream(tap, refusal(404))
    line = upstream.line()
    await line.receive()
    tap.hang_up(1001, "The server is going away.")
    assert (await end_of(line)).code == 1000
    await line.close()
    assert (upstream.hung_up, line.over) == (0, True)


@virtual_time
async def test_what_cannot_be_heard_any_longer_is_hung_up():
    tap = tapped("session.created")
    upstream = Upstream(tap, *[refusal(502)] * 7)
    line = upstream.line()
    await line.receive()
    tap.hang_up(1006)
    assert (await end_of(line)).code == 1011
    await line.close()
    assert (upstream.hung_up, upstream.taps) == (1, [])


@pytest.mark.parametrize(
    ("refused", "deaf", "over"),
    [
        (lambda: refusal(404), True, False),
        (lambda: refusal(405), True, False),
        (lambda: refusal(404, "call_id_not_found"), False, True),
        (lambda: refusal(502), False, False),
    ],
    ids=["no such address", "no such method", "the call has ended already", "unreachable"],
)
def test_an_upstream_that_cannot_be_listened_to_from_the_start(
    refused: Callable[[], BackendError], deaf: bool, over: bool
):
    """Where it lets nobody listen to any call, this one goes on unheard, for as long as a session may."""

    @virtual_time
    async def play() -> None:
        upstream = Upstream(*(refused() for _ in range(7)))
        line = upstream.line(seconds=100)
        end = await end_of(line)
        assert (upstream.deaf, line.over) == (deaf, over)
        assert (asyncio.get_running_loop().time() >= 100) == deaf
        assert end.code == (1001 if deaf else 1000 if over else 1011)
        await line.close()

    play()


@virtual_time
async def test_after_a_crash_it_begins_with_a_gap():
    line = Upstream(tapped("session.created", UPDATED)).line(missed=True)
    gap = await line.receive()
    assert (gap.type, gap.data["seconds"]) == (GAP, None)
    assert [(await line.receive()).type for _ in range(2)] == ["session.created", UPDATED]
    await line.close()


@virtual_time
async def test_a_call_has_an_end_though_nothing_is_heard():
    line = Upstream(tapped("session.created")).line(seconds=60)
    await line.receive()
    assert (await end_of(line)).code == 1001
    await line.close()


@virtual_time
async def test_a_call_that_cannot_be_hung_up_is_not_over(caplog):
    upstream = Upstream(tapped("session.created"), cannot_hang_up=refusal(502))
    line = upstream.line()
    await line.receive()
    await line.close()
    assert not line.over
    assert "could not be hung up" in caplog.text
