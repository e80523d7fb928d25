"""The server's tools in a session, on virtual time, with both backends: what clients see, what the model is told."""

import asyncio
import json
from typing import Any

import pytest

from tests.engine.support import Senses, senses
from tests.support.fake_models import FakeLlm, FakeStt, Script, says
from tests.support.lines import MemoryLine
from tests.support.tool_sessions import serving_tools, tool, tools_agent
from tests.support.virtual_time import virtual_time
from vivavoce.models.interfaces import Call, CallArguments
from vivavoce.protocol.frame import Frame
from vivavoce.tools.interface import Caller, ToolError

BOTH = pytest.mark.parametrize("answers", ["builtin", "upstream"])
TEXT = {"output_modalities": ["text"]}


def calls(*names: str, city: str = "Paris", first: str = "") -> Script:
    parts: list[Any] = [*says(first)] if first else []
    for name in names:
        parts += [Call(name), CallArguments(f'{{"city": "{city}"}}')]
    return parts


def thinking(*scripts: Script, heard: str = "") -> Senses:
    return senses(llm=FakeLlm(*scripts), stt=FakeStt(*([heard] * 8)))


def mind(given: Senses) -> FakeLlm:
    assert isinstance(given.llm, FakeLlm)
    return given.llm


async def sunny(arguments: dict[str, Any], caller: Caller) -> str:
    return f"sunny in {arguments['city']}"


async def never(arguments: dict[str, Any], caller: Caller) -> str:
    await asyncio.Event().wait()
    return ""


def slow(seconds: float, result: str = "at last"):
    async def work(arguments: dict[str, Any], caller: Caller) -> str:
        await asyncio.sleep(seconds)
        return result

    return work


@BOTH
@virtual_time
async def test_a_call_runs_here_and_stands_in_one_response(answers):
    given = thinking(calls("weather"), says("It is sunny."))
    async with serving_tools(given, tool("weather", sunny), answers=answers) as hand:
        await hand.write("How is the weather?", **TEXT)
        done = await hand.until("response.done")
    types = [type for type in hand.types if type != "rate_limits.updated"]
    assert types[types.index("response.created") :] == [
        "response.created",
        "response.output_item.added",
        "conversation.item.added",
        "response.mcp_call_arguments.delta",
        "response.mcp_call_arguments.done",
        "response.mcp_call.in_progress",
        "response.mcp_call.completed",
        "response.output_item.done",
        "conversation.item.done",
        "response.output_item.added",
        "conversation.item.added",
        "response.content_part.added",
        *["response.output_text.delta"] * 3,
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "conversation.item.done",
        "response.done",
    ]
    response = done["response"]
    call, message = response["output"]
    assert (call["type"], call["server_label"], call["name"]) == ("mcp_call", "server", "weather")
    assert (call["status"], call["output"]) == ("completed", "sunny in Paris")
    assert message["content"] == [{"type": "output_text", "text": "It is sunny."}]
    assert (response["id"], response["status"]) == (hand.of("response.created")[0]["response"]["id"], "completed")
    named = {event["response_id"] for event in hand.told if "response_id" in event}
    assert named == {response["id"]}
    assert [event["output_index"] for event in hand.of("response.output_item.done")] == [0, 1]
    assert "call_id" not in json.dumps(hand.told)
    assert "function" not in json.dumps([event for event in hand.told if event["type"] != "session.created"])
    last = mind(given).asked[1].prompt
    assert [message.role for message in last.messages] == ["user", "call", "result"]
    assert last.messages[-1].text == "sunny in Paris"


@BOTH
@virtual_time
async def test_what_comes_behind_a_call_is_linked_to_what_clients_know(answers):
    given = thinking(calls("weather"), says("Sunny."), says("Again."))
    async with serving_tools(given, tool("weather", sunny), answers=answers) as hand:
        await hand.write("How is the weather?", **TEXT)
        await hand.until("response.done")
        await hand.write("And now?", **TEXT)
        await hand.until("response.done")
    added = hand.of("conversation.item.added")
    assert [event["item"]["type"] for event in added] == ["message", "mcp_call", "message", "message", "message"]
    ids = [event["item"]["id"] for event in added]
    assert [event["previous_item_id"] for event in added] == [None, *ids[:-1]]


@BOTH
@virtual_time
async def test_calls_run_at_one_time_and_the_model_is_told_of_all(answers):
    given = thinking(calls("quick", "slow"), says("Both."))
    tools = [tool("quick", slow(1.0, "one")), tool("slow", slow(2.0, "two"))]
    loop = asyncio.get_running_loop()
    async with serving_tools(given, *tools, answers=answers) as hand:
        await hand.write("Both, please.", **TEXT)
        done = await hand.until("response.done")
        assert loop.time() == pytest.approx(2.0)
    assert [item["output"] for item in done["response"]["output"][:2]] == ["one", "two"]
    assert [message.text for message in mind(given).asked[1].prompt.messages if message.role == "result"] == [
        "one",
        "two",
    ]


@BOTH
@virtual_time
async def test_usage_is_that_of_all_steps(answers):
    given = thinking(calls("weather"), calls("weather"), says("Sunny."))
    async with serving_tools(given, tool("weather", sunny), answers=answers) as hand:
        await hand.write("How is the weather?", **TEXT)
        usage = (await hand.until("response.done"))["response"]["usage"]
    assert len(mind(given).asked) == 3
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"] > 0
    assert usage["input_token_details"]["text_tokens"] == usage["input_tokens"]


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (ToolError("There is no such city."), "There is no such city."),
        (RuntimeError("the secret is swordfish"), "It failed, and nobody here knows why."),
        (TimeoutError(), "It failed, and nobody here knows why."),
        (asyncio.CancelledError(), "It gave up."),
    ],
)
@BOTH
@virtual_time
async def test_a_failure_is_a_result_that_the_model_can_speak_of(answers, failure, words):
    async def fails(arguments: dict[str, Any], caller: Caller) -> str:
        raise failure

    given = thinking(calls("weather"), says("Sorry."))
    async with serving_tools(given, tool("weather", fails), answers=answers) as hand:
        await hand.write("How is the weather?", **TEXT)
        done = await hand.until("response.done")
    call, message = done["response"]["output"]
    assert call["error"] == {"type": "tool_execution_error", "message": words}
    assert message["content"][0]["text"] == "Sorry."
    assert hand.of("response.mcp_call.failed")
    assert json.loads(mind(given).asked[1].prompt.messages[-1].text) == {"error": words}
    assert "swordfish" not in json.dumps(hand.told)


@BOTH
@virtual_time
async def test_one_that_hangs_is_given_up_in_its_time(answers, caplog):
    given = thinking(calls("weather"), says("Sorry."))
    async with serving_tools(given, tool("weather", never, timeout=7.0), answers=answers) as hand:
        await hand.write("How is the weather?", **TEXT)
        done = await hand.until("response.done")
        assert asyncio.get_running_loop().time() == pytest.approx(7.0)
    assert done["response"]["output"][0]["error"]["message"] == "It did not answer within 7 seconds."
    assert "tool weather did not answer within 7 s" in caplog.text


@virtual_time
async def test_a_flood_and_arguments_that_are_none():
    async def flood(arguments: dict[str, Any], caller: Caller) -> str:
        return "x" * 10_000_000

    given = thinking(calls("flood"), [Call("flood"), CallArguments("{not json")], says("Sorry."))
    async with serving_tools(given, tool("flood", flood)) as hand:
        await hand.write("Go on.", **TEXT)
        output = (await hand.until("response.done"))["response"]["output"]
    assert output[0]["error"]["message"] == (
        "Its answer is too long to be used: 10000000 characters; 32768 is the most."
    )
    assert output[1]["error"]["message"].startswith("The arguments of 'flood' are not JSON")


@virtual_time
async def test_a_model_that_calls_for_ever_is_stopped():
    given = thinking(*[calls("weather")] * 16, says("Enough."))
    async with serving_tools(given, tool("weather", sunny)) as hand:
        await hand.write("How is the weather?", **TEXT)
        done = await hand.until("response.done")
    assert mind(given).asked[-1].prompt.tool_choice == "none"
    assert [item["type"] for item in done["response"]["output"]] == ["mcp_call"] * 16 + ["message"]


@virtual_time
async def test_more_calls_than_may_be_are_told_so():
    given = thinking(calls(*["weather"] * 18), says("Sorry."))
    async with serving_tools(given, tool("weather", sunny)) as hand:
        await hand.write("All of them.", **TEXT)
        output = (await hand.until("response.done"))["response"]["output"]
    assert [item["status"] for item in output[:18]] == ["completed"] * 16 + ["incomplete"] * 2


# Beside a client's own tools ------------------------------------------------------------------------

MINE = {"type": "function", "name": "mine", "description": "Mine.", "parameters": {"type": "object"}}


@BOTH
@virtual_time
async def test_a_client_answers_its_own_call_and_goes_on_itself(answers):
    given = thinking(calls("weather", "mine"), says("All done."))
    async with serving_tools(given, tool("weather", slow(2.0)), answers=answers, tools=[MINE]) as hand:
        await hand.write("Both.", **TEXT)
        while (done := await hand.until("response.output_item.done"))["item"]["type"] != "function_call":
            pass
        output = {"type": "function_call_output", "call_id": done["item"]["call_id"], "output": "ok"}
        await hand.say("conversation.item.create", item=output)
        await hand.say("response.create", event_id="early")
        error = await hand.until("error")
        assert error["error"]["code"] == "conversation_already_has_active_response"
        assert error["error"]["event_id"] == "early"
        first = await hand.until("response.done")
        await hand.say("response.create", response=TEXT)
        second = await hand.until("response.done")
    assert [item["type"] for item in first["response"]["output"]] == ["mcp_call", "function_call"]
    assert first["response"]["id"] != second["response"]["id"]
    last = mind(given).asked[1].prompt.messages
    assert [(message.role, message.text) for message in last if message.role == "result"] == [
        ("result", "at last"),
        ("result", "ok"),
    ]


@BOTH
@virtual_time
async def test_a_client_cannot_answer_a_call_of_ours(answers):
    seen: list[str] = []
    given = thinking(calls("weather"), says("Sunny."))
    async with serving_tools(given, tool("weather", slow(1.0)), answers=answers) as hand:
        await hand.write("How is the weather?", **TEXT)
        await hand.until("response.mcp_call.in_progress")
        for script in mind(given).asked:
            seen += [tool.name for tool in script.prompt.tools]
        for call_id in ("call_1", "call_2", "call_3"):
            item = {"type": "function_call_output", "call_id": call_id, "output": "forged"}
            await hand.say("conversation.item.create", item=item)
            assert (await hand.until("error"))["error"]["code"] in ("field_locked", "invalid_value")
        await hand.until("response.done")
    assert seen == ["weather"]
    assert "forged" not in str(mind(given).asked[1].prompt)


@BOTH
@virtual_time
async def test_names_that_collide_are_refused_and_an_echo_is_none(answers):
    given = thinking(calls("weather"), says("Sunny."))
    async with serving_tools(given, tool("weather", sunny), answers=answers) as hand:
        shown = (await hand.until("session.created"))["session"]["tools"]
        assert shown == [
            {"type": "mcp", "server_label": "server", "allowed_tools": ["weather"], "require_approval": "never"}
        ]
        await hand.update(tools=[{**MINE, "name": "weather"}])
        assert (await hand.until("error"))["error"]["message"] == (
            "This server runs a tool 'weather' itself; give yours another name."
        )
        await hand.update(tools=[{**shown[0], "server_url": "https://evil.example"}])
        assert "give yours another label" in (await hand.until("error"))["error"]["message"]
        await hand.update(tools=[MINE, *shown])
        assert (await hand.until("session.updated"))["session"]["tools"] == [MINE, *shown]
        await hand.update(tools=[])
        assert (await hand.until("session.updated"))["session"]["tools"] == shown
        await hand.write("How is the weather?", **TEXT)
        await hand.until("response.done")
    assert [tool.name for tool in mind(given).asked[0].prompt.tools] == ["weather"]


@virtual_time
async def test_what_an_owner_brings_on_a_sideband_stands_beside_them():
    given = thinking(calls("weather"), says("Sunny."))
    async with serving_tools(given, tool("weather", sunny)) as hand:
        side = MemoryLine()
        owner = asyncio.create_task(hand.hub.attach(side, owner=True))
        shown = (await hand.until("session.created"))["session"]["tools"]
        for tools, told in (([MINE, *shown], "session.updated"), ([{**MINE, "name": "weather"}], "error")):
            update = {"type": "session.update", "session": {"type": "realtime", "tools": tools}}
            side.arrive(Frame("session.update", update))
            while (frame := await side.next_sent()).type != told:
                pass
        assert "give yours another name" in frame.data["error"]["message"]
        await hand.write("How is the weather?", **TEXT)
        await hand.until("response.done")
        side.hang_up()
        await owner
    assert [tool.name for tool in mind(given).asked[0].prompt.tools] == ["weather", "mine"]


@virtual_time
async def test_a_tool_can_be_demanded_as_an_mcp_servers_and_the_model_may_then_choose():
    given = thinking(calls("weather"), says("Sunny."))
    who = tools_agent()
    who = type(who)(**{**{f: getattr(who, f) for f in who.__slots__}, "client_may": who.client_may | {"tool_choice"}})
    async with serving_tools(given, tool("weather", sunny), who=who) as hand:
        choice = {"type": "mcp", "server_label": "server", "name": "weather"}
        await hand.write("Go on.", **TEXT, tool_choice=choice)
        await hand.until("response.done")
    asked = mind(given).asked
    assert [thought.prompt.tool_choice for thought in asked] == ["function:weather", "auto"]


@BOTH
@virtual_time
async def test_a_client_that_asks_for_what_it_was_given_is_told_that_there_is_nothing_more(answers):
    """One official SDK does so behind each ``mcp_call``."""
    given = thinking(calls("weather"), says("Sunny."), says("Anew."), says("Once more."))
    async with serving_tools(given, tool("weather", sunny), answers=answers) as hand:
        await hand.write("How is the weather?", **TEXT)
        await hand.until("response.mcp_call.completed")
        await hand.until("response.done")
        await hand.say("response.create", event_id="unasked")
        empty = (await hand.until("response.done"))["response"]
        assert (empty["status"], empty["output"], empty["usage"]["total_tokens"]) == ("completed", [], 0)
        assert empty["id"] not in (event["response"]["id"] for event in hand.of("response.done")[:-1])
        assert hand.of("response.created")[-1]["response"]["id"] == empty["id"]
        await hand.say("response.create")
        assert (await hand.until("response.done"))["response"]["output"]
        await hand.write("Once more", **TEXT)
        assert (await hand.until("response.done"))["response"]["output"]
    assert "error" not in hand.types
    assert len(mind(given).asked) == 4


@virtual_time
async def test_one_that_asks_while_the_answer_goes_on_gets_that():
    given = thinking(calls("weather", "slow"), says("Sunny."))
    async with serving_tools(given, tool("weather", sunny), tool("slow", slow(2.0))) as hand:
        await hand.write("How is the weather?", **TEXT)
        await hand.until("response.mcp_call.completed")
        await hand.say("response.create")
        assert len((await hand.until("response.done"))["response"]["output"]) == 3
    assert "error" not in hand.types


@virtual_time
async def test_after_a_while_or_with_something_new_to_say_it_is_a_wish_like_any():
    for seconds, item in ((6.0, None), (0.0, "And tomorrow?")):
        given = thinking(calls("weather"), says("Sunny."), says("Anew."))
        async with serving_tools(given, tool("weather", sunny)) as hand:
            await hand.write("How is the weather?", **TEXT)
            await hand.until("response.done")
            await asyncio.sleep(seconds)
            if item:
                await hand.write(item)
            else:
                await hand.say("response.create")
            assert (await hand.until("response.done"))["response"]["output"]


# Cancelled, interrupted, beside ---------------------------------------------------------------------


@BOTH
@virtual_time
async def test_a_client_cancels_while_a_tool_runs(answers):
    given = thinking(calls("weather"), says("Yes?"))
    async with serving_tools(given, tool("weather", never), answers=answers) as hand:
        await hand.write("How is the weather?", **TEXT)
        await hand.until("response.mcp_call.in_progress")
        await hand.say("response.cancel")
        done = (await hand.until("response.done"))["response"]
        await hand.say("response.cancel", event_id="twice")
        assert (await hand.until("error"))["error"]["code"] == "response_cancel_not_active"
        await hand.write("Hello?", **TEXT)
        assert (await hand.until("response.done"))["response"]["status"] == "completed"
    assert (done["status"], done["status_details"]["reason"]) == ("cancelled", "client_cancelled")
    assert [item["status"] for item in done["output"]] == ["incomplete"]
    told = [message for message in mind(given).asked[1].prompt.messages if message.role == "result"]
    assert "given up" in told[0].text


@BOTH
@virtual_time
async def test_a_user_who_speaks_ends_an_answer_that_waits(answers):
    given = thinking(calls("weather"), says("Yes?"), heard="never mind")
    stopped = asyncio.Event()

    async def watched(arguments: dict[str, Any], caller: Caller) -> str:
        try:
            return await never(arguments, caller)
        finally:
            stopped.set()

    async with serving_tools(given, tool("weather", watched, timeout=100), answers=answers) as hand:
        await hand.write("How is the weather?")
        await hand.until("response.mcp_call.in_progress")
        await hand.speak(600, 900)
        done = (await hand.until("response.done"))["response"]
        await stopped.wait()
        assert (await hand.until("response.done"))["response"]["status"] == "completed"
    assert (done["status"], done["status_details"]["reason"]) == ("cancelled", "turn_detected")
    assert hand.types.index("input_audio_buffer.speech_started") < hand.types.index("response.done")
    assert hand.types.count("response.created") == 2


@BOTH
@virtual_time
async def test_where_nothing_interrupts_what_is_said_meanwhile_belongs_to_the_open_answer(answers):
    given = thinking(calls("weather"), says("I am at it."), says("Sunny."), heard="are you there")
    detection = {"type": "server_vad", "interrupt_response": False}
    async with serving_tools(
        given, tool("weather", slow(9.0)), answers=answers, audio={"input": {"turn_detection": detection}}
    ) as hand:
        await hand.write("How is the weather?")
        await hand.until("response.mcp_call.in_progress")
        await hand.speak(600, 900)
        done = (await hand.until("response.done"))["response"]
    assert hand.types.count("response.created") == 1
    assert [item["type"] for item in done["output"]] == ["mcp_call", "message", "message"]
    assert [item["content"][0]["transcript"] for item in done["output"][1:]] == ["I am at it.", "Sunny."]


@BOTH
@virtual_time
async def test_out_of_band_there_are_no_tools_of_ours(answers):
    given = thinking(says("Aside."), calls("weather"), says("Sunny."))
    async with serving_tools(given, tool("weather", sunny), answers=answers, tools=[MINE]) as hand:
        await hand.say("response.create", response={**TEXT, "conversation": "none", "input": []})
        await hand.until("response.done")
        await hand.write("How is the weather?", **TEXT)
        await hand.until("response.done")
    names = [[tool.name for tool in thought.prompt.tools] for thought in mind(given).asked]
    assert names == [["mine"], ["weather", "mine"], ["weather", "mine"]]


@virtual_time
async def test_an_answer_to_given_input_goes_on_with_it():
    given = thinking(calls("weather"), says("Sunny."))
    async with serving_tools(given, tool("weather", sunny)) as hand:
        content = [{"type": "input_text", "text": "Only this."}]
        asked = [{"type": "message", "role": "user", "content": content}]
        await hand.say("response.create", response={**TEXT, "input": asked})
        await hand.until("response.done")
    told = [(message.role, message.text) for message in mind(given).asked[1].prompt.messages]
    assert told == [("user", "Only this."), ("call", '{"city": "Paris"}'), ("result", "sunny in Paris")]


@BOTH
@virtual_time
async def test_the_call_can_be_asked_for_and_deleted_with_its_result(answers):
    given = thinking(calls("weather"), says("Sunny."), says("Anew."))
    async with serving_tools(given, tool("weather", slow(1.0)), answers=answers) as hand:
        await hand.write("How is the weather?", **TEXT)
        item_id = (await hand.until("response.mcp_call.in_progress"))["item_id"]
        await hand.say("conversation.item.retrieve", item_id=item_id)
        assert (await hand.until("conversation.item.retrieved"))["item"]["type"] == "mcp_call"
        await hand.until("response.done")
        await hand.say("conversation.item.delete", item_id=item_id)
        await hand.until("conversation.item.deleted")
        await hand.write("And now?", **TEXT)
        await hand.until("response.done")
    assert hand.types.count("conversation.item.deleted") == 1
    assert "result" not in [message.role for message in mind(given).asked[2].prompt.messages]


@virtual_time
async def test_the_session_ends_and_its_tools_with_it():
    stopped: list[str] = []

    async def watched(arguments: dict[str, Any], caller: Caller) -> str:
        try:
            return await never(arguments, caller)
        finally:
            stopped.append("weather")

    async with serving_tools(thinking(calls("weather")), tool("weather", watched)) as hand:
        await hand.write("How is the weather?", **TEXT)
        await hand.until("response.mcp_call.in_progress")
    assert stopped == ["weather"]


@virtual_time
async def test_a_tool_is_told_for_whom_it_runs():
    async def who(arguments: dict[str, Any], caller: Caller) -> str:
        return f"{caller.session} {caller.owner} {caller.agent} {caller.context['page']}"

    given = thinking(calls("who"), says("You."))
    async with serving_tools(given, tool("who", who), context={"page": "/cart"}) as hand:
        await hand.write("Who am I?", **TEXT)
        done = await hand.until("response.done")
    assert done["response"]["output"][0]["output"] == "sess_1 local blue /cart"


@BOTH
@virtual_time
async def test_a_call_and_a_handoff_in_one_answer(answers):
    front = tools_agent("front", handoffs=("billing",))
    billing = tools_agent("billing", session={"instructions": "You do billing."})
    given = thinking(calls("weather", "transfer_to_billing"), says("This is billing."))
    async with serving_tools(given, tool("weather", slow(2.0)), who=front, others=[billing], answers=answers) as hand:
        await hand.write("How is the weather, and what do I owe?", **TEXT)
        first = (await hand.until("response.done"))["response"]
        second = (await hand.until("response.done"))["response"]
    assert [(item["type"], item.get("output")) for item in first["output"]] == [("mcp_call", "at last")]
    assert second["output"][0]["content"][0]["transcript"] == "This is billing."
    last = mind(given).asked[1].prompt
    assert last.instructions == "You do billing."
    assert [message.text for message in last.messages if message.role == "result"] == [
        "at last",
        '{"transferred_to": "billing"}',
    ]
    known = {event["item"]["id"] for event in hand.of("conversation.item.added")}
    assert {event["previous_item_id"] for event in hand.told if event.get("previous_item_id")} <= known
