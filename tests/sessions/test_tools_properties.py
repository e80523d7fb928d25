"""Whatever a model calls and a client does meanwhile: each response ends once, one at a time, and shows no function."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any, Literal

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.support import senses
from tests.sessions.test_tools import calls, slow
from tests.support.fake_models import FakeLlm, FakeStt, Script, says
from tests.support.tool_sessions import ToolHand, serving_tools, tool, tools_agent
from tests.support.virtual_time import run_virtual
from vivavoce.access.filler import Filler
from vivavoce.models.interfaces import Answer, Call, Finish, ModelError, Prompt, Said

ASKED_AGAIN = {"conversation_already_has_active_response", "response_cancel_not_active"}
FILLER = Filler(("One moment.", "Still looking."), 1.0)


class FairLlm(FakeLlm):
    """Calls what it is offered alone, and says a phrase that it is told to say."""

    async def answer(self, prompt: Prompt) -> AsyncIterator[Answer]:
        offered = {tool.name for tool in prompt.tools} if prompt.tool_choice != "none" else set()
        if prompt.instructions.startswith("Say exactly"):
            yield Said("One moment.")
            yield Finish()
            return
        async for part in super().answer(prompt):
            if isinstance(part, Call) and part.name not in offered:
                yield Said("I cannot.")
                yield Finish()
                return
            yield part


scripts = st.one_of(
    st.just(calls("quick")),
    st.just(calls("slow", first="Let me see.")),
    st.just(calls("quick", "slow")),
    st.just(calls("never")),
    st.just([*calls("slow"), ModelError("The model broke.")]),
    st.builds(lambda pause: says("Here it is, all of it.", pause=pause), st.sampled_from([0.0, 0.3])),
)
acts = st.one_of(
    st.tuples(st.just("wait"), st.sampled_from([0.1, 0.9, 2.5, 7.0])),
    st.tuples(st.sampled_from(["write", "create", "cancel", "aside", "speak"]), st.just(0.0)),
)


async def act(hand: ToolHand, what: str, seconds: float) -> None:
    match what:
        case "wait":
            await asyncio.sleep(seconds)
        case "write":
            await hand.write("And?")
        case "create":
            await hand.say("response.create")
        case "cancel":
            await hand.say("response.cancel")
        case "aside":
            await hand.say("response.create", response={"conversation": "none", "output_modalities": ["text"]})
        case "speak":
            await hand.speak(400, 800)


async def session(
    thoughts: list[Script], done: list[tuple[str, float]], answers: Literal["builtin", "upstream"], *, interrupts: bool
) -> list[dict[str, Any]]:
    given = senses(llm=FairLlm(*thoughts, *[says("Yes.")] * 80), stt=FakeStt(*["hm"] * 20))
    tools = [tool("quick", slow(0.0)), tool("slow", slow(4.0)), tool("never", slow(999.0), timeout=9.0)]
    audio = {"input": {"turn_detection": {"type": "server_vad", "interrupt_response": interrupts}}}
    async with serving_tools(given, *tools, who=tools_agent(filler=FILLER), answers=answers, audio=audio) as hand:
        reading = asyncio.create_task(hand.until("never"))
        await hand.write("Go on.")
        for what, seconds in done:
            await act(hand, what, seconds)
        await asyncio.sleep(200)
        reading.cancel()
        await asyncio.wait([reading])
        return hand.told


def check(told: list[dict[str, Any]]) -> None:
    open_in_conversation: set[str] = set()
    ended: set[str] = set()
    for event in told:
        response = event.get("response") or {}
        if event["type"] == "response.created" and response["conversation_id"] is not None:
            assert not open_in_conversation, "two responses of the conversation at one time"
            open_in_conversation.add(response["id"])
        elif event["type"] == "response.done":
            assert response["id"] not in ended
            ended.add(response["id"])
            open_in_conversation.discard(response["id"])
        elif "response_id" in event and not event["type"].startswith("output_audio_buffer"):
            assert event["response_id"] not in ended, f"{event['type']} after its response was done"
    assert not open_in_conversation
    begun = [event["item"]["id"] for event in told if event["type"] == "response.output_item.added"]
    finished = [event["item"]["id"] for event in told if event["type"] == "response.output_item.done"]
    assert sorted(begun) == sorted(finished)
    assert len(set(begun)) == len(begun)
    shown = json.dumps([event for event in told if not event["type"].startswith("session.")])
    assert "function_call" not in shown
    known = {event["item"]["id"] for event in told if event["type"] == "conversation.item.added"}
    assert {event["previous_item_id"] for event in told if event.get("previous_item_id")} <= known
    assert {event["error"]["code"] for event in told if event["type"] == "error"} <= ASKED_AGAIN


@settings(max_examples=60, deadline=None)
@given(
    thoughts=st.lists(scripts, max_size=4),
    done=st.lists(acts, max_size=8),
    answers=st.sampled_from(["builtin", "upstream"]),
    interrupts=st.booleans(),
)
def test_each_response_ends_once_and_one_at_a_time(thoughts, done, answers, interrupts):
    check(run_virtual(session(thoughts, done, answers, interrupts=interrupts)))
