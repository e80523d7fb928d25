"""What is said while a tool takes long, on virtual time, with both backends."""

import asyncio
from typing import Any

import pytest

from tests.sessions.test_tools import BOTH, TEXT, calls, mind, never, slow, sunny, thinking
from tests.support.fake_models import says, tone
from tests.support.tool_sessions import serving_tools, tool, tools_agent
from tests.support.virtual_time import virtual_time
from vivavoce.access.filler import Filler
from vivavoce.models.interfaces import Message

FILLER = Filler(("One moment.", "Still looking."), 3.0)
ASKED = 'Say exactly "One moment." and nothing else.'


def transcripts(response: dict[str, Any]) -> list[str]:
    return [item["content"][0]["transcript"] for item in response["output"] if item["type"] == "message"]


@BOTH
@virtual_time
async def test_a_phrase_is_spoken_in_the_answer_and_the_model_never_reads_it(answers):
    given = thinking(calls("weather"), says("One moment."), says("Sunny."), says("You are welcome."))
    async with serving_tools(
        given, tool("weather", slow(5.0)), who=tools_agent(filler=FILLER), answers=answers
    ) as hand:
        await hand.write("How is the weather?")
        await hand.until("response.output_audio.delta")
        assert asyncio.get_running_loop().time() == pytest.approx(3.0)
        done = (await hand.until("response.done"))["response"]
        assert asyncio.get_running_loop().time() == pytest.approx(5.0)
        await hand.write("Thanks.")
        await hand.until("response.done")
    assert transcripts(done) == ["One moment.", "Sunny."]
    assert [item["type"] for item in done["output"]] == ["mcp_call", "message", "message"]
    indexes = [event["output_index"] for event in hand.of("response.output_item.added")]
    assert indexes == [0, 1, 2, 0]
    assert hand.types.count("response.created") == 2
    assert done["usage"]["total_tokens"] > 0
    assert mind(given).asked[1].prompt.instructions == ASKED
    assert mind(given).asked[1].prompt.messages == [Message("user", ASKED)]
    for later in mind(given).asked[2:]:
        assert "moment" not in " ".join(message.text for message in later.prompt.messages)


@BOTH
@virtual_time
async def test_a_quick_tool_needs_none(answers):
    given = thinking(calls("weather"), says("Sunny."))
    async with serving_tools(
        given, tool("weather", slow(2.9)), who=tools_agent(filler=FILLER), answers=answers
    ) as hand:
        await hand.write("How is the weather?")
        assert transcripts((await hand.until("response.done"))["response"]) == ["Sunny."]


@virtual_time
async def test_a_tool_that_takes_very_long_has_the_next_phrase_and_then_no_more():
    given = thinking(calls("weather"), says("One moment."), says("Still looking."), says("Sunny."))
    async with serving_tools(given, tool("weather", slow(60.0), timeout=90), who=tools_agent(filler=FILLER)) as hand:
        await hand.write("How is the weather?")
        begun = []
        for _ in range(2):
            await hand.until("response.content_part.added")
            begun.append(asyncio.get_running_loop().time())
        done = (await hand.until("response.done"))["response"]
    assert transcripts(done) == ["One moment.", "Still looking.", "Sunny."]
    assert begun[0] == pytest.approx(3.0)
    assert 9.0 <= begun[1] < 10.0  # twice as long after the first


@virtual_time
async def test_a_tool_has_phrases_of_its_own_or_none():
    own = Filler(("Counting the clouds.",), 1.0)
    given = thinking(calls("weather"), says("Counting the clouds."), calls("stars"), says("Done."))
    tools = [tool("weather", slow(2.0), filler=own), tool("stars", slow(9.0), filler=None)]
    async with serving_tools(given, *tools, who=tools_agent(filler=FILLER)) as hand:
        await hand.write("Tell me.")
        assert transcripts((await hand.until("response.done"))["response"]) == ["Counting the clouds.", "Done."]


@virtual_time
async def test_there_is_none_for_an_answer_in_writing_nor_without_an_agent_s_wish():
    for who, asked in ((tools_agent(filler=FILLER), TEXT), (tools_agent(), {})):
        given = thinking(calls("weather"), says("Sunny."))
        async with serving_tools(given, tool("weather", slow(9.0)), who=who) as hand:
            await hand.write("How is the weather?", **asked)
            assert len((await hand.until("response.done"))["response"]["output"]) == 2


@virtual_time
async def test_it_waits_until_what_the_model_said_itself_has_sounded():
    announced = "I will look that up for you at once, please hold the line."
    given = thinking(calls("weather", first=announced), says("One moment."), says("Sunny."))
    async with serving_tools(given, tool("weather", slow(20.0), timeout=30), who=tools_agent(filler=FILLER)) as hand:
        await hand.write("How is the weather?")
        await hand.until("response.mcp_call.in_progress")
        await hand.until("response.content_part.added")
        assert asyncio.get_running_loop().time() > 3.0 + len(announced) / 15 - 0.1
        await hand.until("response.done")


@virtual_time
async def test_nobody_is_talked_over():
    detection = {"type": "server_vad", "interrupt_response": False, "create_response": False}
    given = thinking(calls("weather"), says("One moment."), says("Sunny."), heard="hm")
    audio = {"input": {"turn_detection": detection}}
    async with serving_tools(
        given, tool("weather", slow(20.0), timeout=30), who=tools_agent(filler=FILLER), audio=audio
    ) as hand:
        await hand.write("How is the weather?")
        await hand.until("response.mcp_call.in_progress")
        await hand.live(tone(5000))
        await hand.live(bytes(2 * 24 * 900))
        await hand.until("response.content_part.added")
        assert asyncio.get_running_loop().time() == pytest.approx(6.0)
        await hand.until("response.done")


@BOTH
@virtual_time
async def test_a_user_who_goes_on_hears_no_more_of_it(answers):
    long = says("One moment please while I look for it.", pause=0.5)
    given = thinking(calls("weather"), long, says("Yes?"), heard="stop")
    async with serving_tools(given, tool("weather", never), who=tools_agent(filler=FILLER), answers=answers) as hand:
        await hand.write("How is the weather?")
        await hand.until("response.output_audio_transcript.delta")
        await hand.speak(500, 900)
        done = (await hand.until("response.done"))["response"]
        assert (await hand.until("response.done"))["response"]["status"] == "completed"
    assert done["status_details"]["reason"] == "turn_detected"
    assert hand.types.count("response.created") == 2
    at = hand.types.index("response.done")
    assert {event.get("response_id") for event in hand.told[at + 1 :]} <= {
        None,
        hand.of("response.created")[1]["response"]["id"],
    }


@BOTH
@virtual_time
async def test_what_clients_do_with_any_item_works_with_a_phrase_too(answers):
    given = thinking(calls("weather"), says("One moment."), says("Sunny."))
    async with serving_tools(
        given, tool("weather", slow(5.0)), who=tools_agent(filler=FILLER), answers=answers
    ) as hand:
        await hand.write("How is the weather?")
        item_id = (await hand.until("response.output_audio.done"))["item_id"]
        await hand.say("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=40)
        assert (await hand.until("conversation.item.truncated"))["audio_end_ms"] == 40
        await hand.until("response.done")
        await hand.say("conversation.item.retrieve", item_id=item_id)
        item = (await hand.until("conversation.item.retrieved"))["item"]
        assert item["content"][0]["transcript"] == "One moment."
        await hand.say("conversation.item.delete", item_id=item_id)
        assert (await hand.until("conversation.item.deleted"))["item_id"] == item_id
        await hand.say("conversation.item.delete", item_id=item_id)
        assert (await hand.until("error"))["error"]["code"] == "item_delete_invalid_item_id"


@virtual_time
async def test_the_answer_waits_until_the_phrase_is_made():
    given = thinking(calls("weather"), says("One moment.", pause=1.0), says("Sunny."))
    async with serving_tools(given, tool("weather", slow(3.5)), who=tools_agent(filler=FILLER)) as hand:
        await hand.write("How is the weather?")
        done = (await hand.until("response.done"))["response"]
    items = [event["item"] for event in hand.of("response.output_item.added", "response.output_item.done")]
    first, first_again, second, second_again = [item["id"] for item in items if item["type"] == "message"]
    assert (first, second) == (first_again, second_again)
    assert transcripts(done) == ["One moment.", "Sunny."]


@virtual_time
async def test_a_model_that_is_asked_once_more_has_its_phrases_left():
    given = thinking(calls("a"), says("One moment."), calls("b"), says("Still looking."), says("Both."))
    async with serving_tools(given, tool("a", slow(4.0)), tool("b", slow(8.0)), who=tools_agent(filler=FILLER)) as hand:
        await hand.write("Both.")
        assert transcripts((await hand.until("response.done"))["response"]) == [
            "One moment.",
            "Still looking.",
            "Both.",
        ]


@virtual_time
async def test_a_plain_answer_is_not_touched():
    given = thinking(says("Hello."))
    async with serving_tools(given, tool("weather", sunny), who=tools_agent(filler=FILLER)) as hand:
        await hand.write("Hi.")
        await hand.until("response.done")
    assert mind(given).asked[0].prompt.messages == [Message("user", "Hi.")]
