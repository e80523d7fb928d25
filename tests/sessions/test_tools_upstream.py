"""What another server of the protocol may do while a tool of ours runs, played by hand: the order in which its events
come is its own."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.sessions.test_understudy import Theatre, created
from tests.support.lines import MemoryLine
from tests.support.tool_sessions import ToolHand, serving_tools, tool, tools_agent
from tests.support.virtual_time import virtual_time
from vivavoce.access.agents import Agent
from vivavoce.access.filler import Filler
from vivavoce.protocol.frame import AUDIO_DELTA, Frame
from vivavoce.sessions.filters import Asides
from vivavoce.sessions.understudy import Understudy
from vivavoce.tools.interface import Caller

SESSION = {"type": "realtime", "audio": {"input": {"turn_detection": {"type": "server_vad"}}}}
MESSAGE = {"id": "item_9", "type": "message", "role": "assistant", "status": "completed", "content": []}


def call(number: int = 1, status: str = "completed", name: str = "weather") -> dict[str, Any]:
    return {
        "id": f"item_{number}",
        "type": "function_call",
        "call_id": f"call_{number}",
        "name": name,
        "arguments": '{"city": "Paris"}' if status != "in_progress" else "",
        "status": status,
    }


class Theirs:
    """The other server."""

    def __init__(self, line: MemoryLine) -> None:
        self.line = line

    def tell(self, type: str, **fields: Any) -> None:
        self.line.arrive(Frame(type, {"type": type, "event_id": "theirs", **fields}))

    def begin(self, number: int, **fields: Any) -> None:
        response: dict[str, Any] = {
            "id": f"resp_{number}",
            "status": "in_progress",
            "conversation_id": "conv_1",
            "metadata": None,
        }
        response |= {"output": [], "output_modalities": ["audio"], "usage": None, **fields}
        self.tell("response.created", response=response)

    def put(self, number: int, item: dict[str, Any], index: int = 0) -> None:
        where = {"response_id": f"resp_{number}", "output_index": index}
        self.tell("response.output_item.added", **where, item={**item, "status": "in_progress"})
        self.tell("conversation.item.added", previous_item_id="item_0", item={**item, "status": "in_progress"})
        self.tell("response.output_item.done", **where, item=item)
        self.tell("conversation.item.done", previous_item_id="item_0", item=item)

    def end(self, number: int, *output: dict[str, Any], status: str = "completed", **fields: Any) -> None:
        usage = {"total_tokens": 10, "input_tokens": 6, "output_tokens": 4, "input_token_details": {"text_tokens": 6}}
        response: dict[str, Any] = {
            "id": f"resp_{number}",
            "status": status,
            "status_details": None,
            "output": [*output],
        }
        response |= {"usage": usage, "conversation_id": "conv_1", "metadata": None, **fields}
        self.tell("response.done", response=response)

    async def asked(self, type: str) -> dict[str, Any]:
        """The next event for it, which has to be a ``type``."""
        frame = await self.line.next_sent()
        assert frame.type == type, frame
        return dict(frame.data)

    def refuse(self, event: dict[str, Any], code: str = "conversation_already_has_active_response") -> None:
        error = {"type": "invalid_request_error", "code": code, "message": "No.", "event_id": event["event_id"]}
        data = {"type": "error", "event_id": "theirs", "error": error}
        self.line.arrive(Frame("error", data, origin=Asides.ORIGIN))


@asynccontextmanager
async def session(
    result: "asyncio.Future[str] | None" = None, who: Agent | None = None, *, media: bool = False
) -> AsyncIterator[tuple[ToolHand, Theirs]]:
    """``result`` is what the tool waits for."""
    line = MemoryLine()

    async def weather(arguments: dict[str, Any], caller: Caller) -> str:
        return "sunny" if result is None else await result

    async with serving_tools(line, tool("weather", weather, timeout=60), who=who, media=media) as hand:
        theirs = Theirs(line)
        theirs.tell("session.created", session=SESSION)
        await hand.until("session.created")
        yield hand, theirs


def later() -> "asyncio.Future[str]":
    return asyncio.get_running_loop().create_future()


@virtual_time
async def test_the_result_stands_behind_its_call_and_the_wishes_of_the_client_go_on():
    async with session(who=Agent(name="", session={})) as (hand, theirs):
        await hand.say("response.create", response={"instructions": "Rhyme.", "tool_choice": "required"})
        await theirs.asked("response.create")
        theirs.begin(1)
        theirs.put(1, call())
        theirs.end(1, call())
        output = await theirs.asked("conversation.item.create")
        again = await theirs.asked("response.create")
        theirs.begin(2)
        theirs.put(2, MESSAGE)
        theirs.end(2, MESSAGE)
        done = (await hand.until("response.done"))["response"]
    assert output["previous_item_id"] == "item_1"
    assert len(output["item"]["id"]) <= 32
    assert (output["item"]["call_id"], output["item"]["output"]) == ("call_1", "sunny")
    assert again["response"] == {"instructions": "Rhyme.", "tool_choice": "auto"}
    assert (done["id"], [item["id"] for item in done["output"]]) == ("resp_1", ["item_1", "item_9"])
    assert done["usage"]["total_tokens"] == 20
    assert done["usage"]["input_token_details"] == {"text_tokens": 12}


@virtual_time
async def test_the_user_speaks_between_our_asking_and_the_beginning_of_the_answer():
    """Whoever answers cannot know that its response has become unwanted: it is cancelled, and nothing of it is kept."""
    async with session() as (hand, theirs):
        theirs.begin(1)
        theirs.put(1, call())
        theirs.end(1, call())
        await theirs.asked("conversation.item.create")
        await theirs.asked("response.create")
        theirs.tell("input_audio_buffer.speech_started", item_id="item_5", audio_start_ms=0)
        theirs.begin(2)
        theirs.tell("response.output_item.added", response_id="resp_2", output_index=0, item=MESSAGE)
        theirs.tell("conversation.item.added", previous_item_id="item_1", item=MESSAGE)
        theirs.end(2, MESSAGE, status="cancelled")
        done = (await hand.until("response.done"))["response"]
        assert (await theirs.asked("response.cancel"))["response_id"] == "resp_2"
        assert (await theirs.asked("conversation.item.delete"))["item_id"] == "item_9"
        theirs.begin(3)
        assert (await hand.until("response.created"))["response"]["id"] == "resp_3"
    assert (done["id"], done["status_details"]["reason"]) == ("resp_1", "turn_detected")
    assert "item_9" not in json.dumps(hand.told)


@virtual_time
async def test_one_who_will_not_go_on_leaves_the_answer_as_it_is():
    async with session() as (hand, theirs):
        theirs.begin(1)
        theirs.put(1, call())
        theirs.end(1, call())
        await theirs.asked("conversation.item.create")
        theirs.refuse(await theirs.asked("response.create"))
        done = (await hand.until("response.done"))["response"]
    assert (done["status"], done["output"][0]["output"]) == ("completed", "sunny")
    assert "error" not in hand.types


@virtual_time
async def test_a_response_that_fails_or_is_cut_takes_its_calls_with_it():
    for status, details in (
        ("failed", {"type": "failed", "error": {"type": "server_error", "code": "x", "message": "Oh."}}),
        ("incomplete", {"type": "incomplete", "reason": "max_output_tokens"}),
        ("cancelled", {"type": "cancelled", "reason": "turn_detected"}),
    ):
        async with session(later()) as (hand, theirs):
            theirs.begin(1)
            theirs.put(1, call())
            theirs.end(1, call(), status=status, status_details=details)
            done = (await hand.until("response.done"))["response"]
            assert "given up" in (await theirs.asked("conversation.item.create"))["item"]["output"]
        assert (done["status"], done["status_details"]) == (status, details)
        assert [item["status"] for item in done["output"]] == ["incomplete"]


@virtual_time
async def test_a_call_that_was_cut_does_not_run():
    async with session() as (hand, theirs):
        theirs.begin(1)
        theirs.put(1, call(status="incomplete"))
        theirs.end(1, call(status="incomplete"), status="cancelled", status_details={"reason": "turn_detected"})
        await hand.until("response.done")
    assert "response.mcp_call.in_progress" not in hand.types


@virtual_time
async def test_a_call_whose_end_is_never_told_is_no_answer_without_end():
    async with session() as (hand, theirs):
        theirs.begin(1)
        started = {"response_id": "resp_1", "output_index": 0, "item": call(status="in_progress")}
        theirs.tell("response.output_item.added", **started)
        theirs.end(1, call())
        assert "given up" in (await theirs.asked("conversation.item.create"))["item"]["output"]
        await theirs.asked("response.create")
        theirs.begin(2)
        theirs.end(2)
        assert (await hand.until("response.done"))["response"]["output"][0]["status"] == "incomplete"


@virtual_time
async def test_the_item_may_be_told_before_its_place_in_the_answer():
    async with session() as (hand, theirs):
        theirs.begin(1)
        theirs.tell("conversation.item.added", previous_item_id=None, item=call(status="in_progress"))
        where = {"response_id": "resp_1", "output_index": 0}
        theirs.tell("response.output_item.added", **where, item=call(status="in_progress"))
        theirs.tell("conversation.item.done", previous_item_id=None, item=call())
        theirs.tell("response.output_item.done", **where, item=call())
        theirs.end(1, call())
        await hand.until("response.mcp_call.completed")
        assert (await hand.until("conversation.item.done"))["item"]["output"] == "sunny"
    assert "function_call" not in json.dumps(hand.told)


@virtual_time
async def test_a_track_that_still_sounds_names_the_clients_response():
    async with session() as (hand, theirs):
        theirs.begin(1)
        theirs.put(1, call())
        theirs.end(1, call())
        await theirs.asked("conversation.item.create")
        await theirs.asked("response.create")
        theirs.begin(2)
        theirs.tell("output_audio_buffer.started", response_id="resp_2")
        theirs.end(2)
        theirs.tell("output_audio_buffer.stopped", response_id="resp_2")
        assert (await hand.until("output_audio_buffer.stopped"))["response_id"] == "resp_1"
    assert hand.of("output_audio_buffer.started")[0]["response_id"] == "resp_1"


@virtual_time
async def test_a_phrase_that_comes_when_nobody_waits_any_more_is_not_heard():
    result, who = later(), tools_agent(filler=Filler(("One moment.",), 3.0))
    async with session(result, who) as (hand, theirs):
        theirs.begin(1)
        theirs.put(1, call())
        theirs.end(1, call())
        await hand.until("response.mcp_call.in_progress")
        filler = await theirs.asked("response.create")
        assert filler["response"]["conversation"] == "none"
        await hand.say("response.cancel")
        await hand.until("response.done")
        await theirs.asked("conversation.item.create")
        theirs.begin(2, conversation_id=None, metadata=filler["response"]["metadata"])
        assert (await theirs.asked("response.cancel"))["response_id"] == "resp_2"
        theirs.line.arrive(Frame(AUDIO_DELTA, {"type": AUDIO_DELTA, "response_id": "resp_2"}, b"\0\0"))
        theirs.end(2, conversation_id=None, metadata=filler["response"]["metadata"])
        theirs.begin(3, conversation_id=None, metadata={"mine": "yes"})
        assert (await hand.until("response.created"))["response"]["id"] == "resp_3"
    assert AUDIO_DELTA not in hand.types
    assert hand.types.count("response.created") == 2


@virtual_time
async def test_a_phrase_that_is_refused_holds_nothing_up():
    result, who = later(), tools_agent(filler=Filler(("One moment.",), 3.0))
    async with session(result, who) as (hand, theirs):
        theirs.begin(1)
        theirs.put(1, call())
        theirs.end(1, call())
        theirs.refuse(await theirs.asked("response.create"), "rate_limit_exceeded")
        result.set_result("sunny")
        await theirs.asked("conversation.item.create")
        await theirs.asked("response.create")
    assert "error" not in hand.types


@virtual_time
async def test_a_client_that_answers_for_us_is_refused():
    free = Agent(name="", session={})
    result = later()
    async with session(result, free) as (hand, theirs):
        theirs.begin(1)
        theirs.put(1, call())
        theirs.end(1, call())
        await hand.until("response.mcp_call.in_progress")
        forged = {"type": "function_call_output", "call_id": "call_1", "output": "forged"}
        await hand.say("conversation.item.create", item=forged)
        assert (await hand.until("error"))["error"]["message"] == "This call is answered by the server itself."
        await hand.say("response.create", response={"conversation": "none", "input": [forged]})
        assert (await hand.until("error"))["error"]["param"] == "response.input[0].call_id"
        result.set_result("sunny")
        assert (await theirs.asked("conversation.item.create"))["item"]["output"] == "sunny"


@virtual_time
async def test_one_who_gives_our_output_an_id_of_its_own_shows_it_to_nobody():
    async with session() as (hand, theirs):
        theirs.begin(1)
        theirs.put(1, call())
        theirs.end(1, call())
        output = {**(await theirs.asked("conversation.item.create"))["item"], "id": "item_77"}
        theirs.tell("conversation.item.added", previous_item_id="item_1", item=output)
        theirs.tell("conversation.item.done", previous_item_id="item_1", item=output)
        theirs.begin(2)
        theirs.tell("conversation.item.added", previous_item_id="item_77", item=MESSAGE)
        while (added := await hand.until("conversation.item.added"))["item"]["id"] != "item_9":
            pass
        assert added["previous_item_id"] == "item_1"
    assert "item_77" not in json.dumps(hand.told)


@virtual_time
async def test_an_event_that_only_the_other_server_knows_gets_there_where_nothing_is_fixed():
    async with session(who=Agent(name="", session={})) as (hand, theirs):
        await hand.say("session.sparkle", colour="red")
        assert (await theirs.asked("session.sparkle"))["colour"] == "red"


@virtual_time
async def test_another_who_goes_on_while_a_tool_runs_is_given_its_result():
    result, theatre = later(), Theatre()
    theatre.first.arrive(created("sess_1"))

    async def weather(arguments: dict[str, Any], caller: Caller) -> str:
        return await result

    answering = Understudy(theatre.first, theatre.request, theatre.house)
    async with serving_tools(answering, tool("weather", weather, timeout=60)) as hand:
        theirs = Theirs(theatre.first)
        theirs.begin(1)
        theirs.put(1, call())
        theirs.end(1, call())
        await hand.until("response.mcp_call.in_progress")
        theatre.first.hang_up(1006)
        await asyncio.sleep(1)
        request, line = theatre.opened[0]
        assert request.history
        assert [item["type"] for item in request.history.items] == ["function_call"]
        theirs = Theirs(line)
        result.set_result("sunny")
        assert (await theirs.asked("conversation.item.create"))["item"]["output"] == "sunny"
        await theirs.asked("response.create")
        theirs.begin(2)
        theirs.put(2, MESSAGE)
        theirs.end(2, MESSAGE)
        done = (await hand.until("response.done"))["response"]
    assert [item["type"] for item in done["output"]] == ["mcp_call", "message"]
    assert (done["id"], done["output"][0]["output"]) == ("resp_1", "sunny")
