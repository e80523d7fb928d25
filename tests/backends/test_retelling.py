"""What was said before, told to another server: in what shapes, and that no client hears of it."""

import asyncio
from typing import Any

import pytest

from tests.engine.test_history import SAID
from tests.support.leaks import no_leaks
from tests.support.lines import MemoryLine
from vivavoce.backends.upstream.line import UpstreamLine
from vivavoce.backends.upstream.retelling import create, retell
from vivavoce.protocol.frame import Closed, Frame


@pytest.fixture(autouse=True)
async def _nothing_is_left():
    async with no_leaks():
        yield


def event(type: str, **data: Any) -> Frame:
    return Frame(type, {"type": type, "event_id": "event_1", **data})


def upstream() -> tuple[MemoryLine, UpstreamLine]:
    line, numbers = MemoryLine(), iter(range(100))
    return line, UpstreamLine(line, new_id=lambda: f"ours_{next(numbers)}")


def test_words_take_the_place_of_sound_and_a_pair_that_of_a_servers_call():
    made = [each for item in SAID for each in create(item)]
    assert [(each["id"], each["type"]) for each in made] == [
        ("item_u", "message"),
        ("item_c", "function_call"),
        ("item_o", "function_call_output"),
        ("mcp_1", "function_call"),
        ("out_mcp_1", "function_call_output"),
        ("item_a", "message"),
    ]
    assert made[0]["content"] == [{"type": "input_text", "text": "What is the weather in Paris?"}]
    assert made[3]["call_id"] == made[4]["call_id"] == "call_mcp_1"
    assert made[5] == {
        "id": "item_a",
        "type": "message",
        "role": "assistant",
        "content": [{"type": "output_text", "text": "It rains."}],
    }
    assert all(len(each["id"]) <= 32 for item in SAID for each in create({**item, "id": "x" * 60}))


async def test_what_it_answers_is_swallowed_and_all_else_waits_to_be_received():
    line, ours = upstream()
    telling = asyncio.create_task(retell(ours, SAID[:2], 5))
    line.arrive(event("session.created"))
    first, second = await line.next_sent(), await line.next_sent()
    assert (first.data["item"]["id"], second.data["item"]["id"]) == ("item_u", "item_c")
    line.arrive(
        event("conversation.item.added", item={"id": "item_u"}),
        event("rate_limits.updated"),
        event("conversation.item.done", item={"id": "item_u"}),
        event("error", error={"event_id": second.data["event_id"], "message": "no"}),
    )
    await telling
    assert [(await ours.receive()).type for _ in range(2)] == ["session.created", "rate_limits.updated"]
    line.arrive(event("conversation.item.added", item={"id": "item_x"}))
    assert (await ours.receive()).data["item"]["id"] == "item_x"


async def test_one_that_says_nothing_to_it_is_not_waited_for():
    line, ours = upstream()
    line.arrive(event("session.created"))
    await retell(ours, SAID[:1], 0.01)
    assert (await ours.receive()).type == "session.created"


async def test_one_that_goes_meanwhile():
    line, ours = upstream()
    line.hang_up(1006)
    with pytest.raises(Closed):
        await retell(ours, SAID[:1], 5)
