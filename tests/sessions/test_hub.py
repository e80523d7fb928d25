"""Two lines joined: what passes, and how it ends."""

import asyncio

import pytest

from tests.support.leaks import no_leaks
from tests.support.lines import MemoryLine
from vivavoce.protocol.frame import APPEND, Closed, Frame
from vivavoce.sessions.hub import join


@pytest.fixture(autouse=True)
async def _nothing_is_left():
    async with no_leaks():
        yield


def ends(line: MemoryLine) -> tuple[int, str]:
    assert line.closed is not None
    return line.closed.code, line.closed.reason


async def test_frames_pass_both_ways_in_order():
    client, answerer = MemoryLine(), MemoryLine()
    joined = asyncio.create_task(join(client, answerer))
    client.arrive(Frame(APPEND, audio=b"\1\2"), Frame("response.create"))
    answerer.arrive(Frame("session.created"), Frame("response.created"))
    assert [(await answerer.next_sent()).type for _ in range(2)] == [APPEND, "response.create"]
    assert [(await client.next_sent()).type for _ in range(2)] == ["session.created", "response.created"]
    client.hang_up()
    assert (await joined).code == 1000


async def test_a_client_that_leaves_ends_the_other_side():
    client, answerer = MemoryLine(), MemoryLine()
    client.hang_up(1001, "page left")
    end = await join(client, answerer)
    assert (end.code, end.reason) == (1001, "page left")
    assert ends(answerer)[0] == 1000


async def test_an_end_from_the_answering_side_reaches_the_client_as_it_is():
    client, answerer = MemoryLine(), MemoryLine()
    answerer.arrive(Frame("error"))
    answerer.hang_up(4000, "invalid_request_error.invalid_model")
    await join(client, answerer)
    assert (await client.next_sent()).type == "error"
    assert ends(client) == (4000, "invalid_request_error.invalid_model")


@pytest.mark.parametrize("code", [1005, 1006, 1015])
async def test_a_cut_is_told_in_a_code_that_may_be_sent(code):
    client, answerer = MemoryLine(), MemoryLine()
    answerer.hang_up(code)
    end = await join(client, answerer)
    assert end.code == code
    assert ends(client) == (1011, "The side that answers was cut off.")


async def test_an_ending_from_outside_closes_both():
    client, answerer = MemoryLine(), MemoryLine()
    ending = asyncio.get_running_loop().create_future()
    joined = asyncio.create_task(join(client, answerer, ending=ending))
    ending.set_result(Closed(1001, "The server is going away."))
    assert (await joined).code == 1001
    assert ends(client) == (1001, "The server is going away.")
    assert ends(answerer)[0] == 1000


async def test_cancelling_closes_both_and_stays_a_cancellation():
    client, answerer = MemoryLine(), MemoryLine()
    joined = asyncio.create_task(join(client, answerer))
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
    assert (await join(client, answerer)).code == 1011
    assert ends(client) == (1011, "The server made a mistake; this session is lost.")
    assert answerer.closed
    assert "ZeroDivisionError: of ours" in caplog.text


async def test_a_slow_client_slows_its_session_and_no_frame_is_piled_up():
    client, answerer = MemoryLine(slow=True), MemoryLine()
    seen: list[str] = []
    joined = asyncio.create_task(join(client, answerer, saw=lambda frame: seen.append(frame.type)))
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
    await join(client, answerer)
    assert client.closed
    assert "will not close" in caplog.text
