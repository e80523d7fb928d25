"""How an agent begins, and how it hands over to another: what whoever answers is told, what clients see."""

import json
from typing import Any

from tests.support.agents import TOOL, Staged, agent

CALL = {"id": "item_2", "type": "function_call", "call_id": "call_1", "name": "transfer_to_billing", "arguments": "{}"}
SPOKEN = {"id": "item_1", "type": "message", "role": "assistant", "content": []}


def two_agents(**billing: Any) -> Staged:
    other = agent(
        "billing", description="Knows about invoices.", session={"instructions": "You do billing."}, **billing
    )
    return Staged(agent("front", handoffs=("billing",)), other)


def called(staged: Staged, status: str = "completed") -> list[dict[str, Any]]:
    """What the client sees of an answer that says something and then hands over."""
    response = {"id": "resp_1", "status": status, "output": [SPOKEN, CALL]}
    events: list[tuple[str, dict[str, Any]]] = [
        ("conversation.item.added", {"previous_item_id": None, "item": SPOKEN}),
        ("response.output_item.added", {"output_index": 1, "item": CALL}),
        ("conversation.item.added", {"previous_item_id": "item_1", "item": CALL}),
        ("response.function_call_arguments.delta", {"item_id": "item_2", "call_id": "call_1", "delta": "{}"}),
        ("response.function_call_arguments.done", {"item_id": "item_2", "call_id": "call_1", "arguments": "{}"}),
        ("conversation.item.done", {"previous_item_id": "item_1", "item": CALL}),
        ("response.output_item.done", {"output_index": 1, "item": CALL}),
        ("response.done", {"response": response}),
    ]
    return [seen for type, fields in events for seen in staged.tell(type, **fields)]


def test_the_mind_is_offered_a_tool_for_each_agent_it_may_hand_over_to():
    tools = two_agents().opening["tools"]
    assert [tool["name"] for tool in tools] == ["look_up", "transfer_to_billing"]
    assert "Knows about invoices." in tools[1]["description"]


async def test_the_call_is_answered_here_and_no_client_sees_it():
    staged = two_agents()
    seen = called(staged)
    assert [event["type"] for event in seen] == ["conversation.item.added", "response.done"]
    assert seen[-1]["response"]["output"] == [SPOKEN]
    update, output, response = await staged.asides(3)
    assert update["session"]["instructions"] == "You do billing."
    assert [tool["name"] for tool in update["session"]["tools"]] == ["look_up"]
    assert output["item"]["call_id"] == "call_1"
    assert json.loads(output["item"]["output"]) == {"transferred_to": "billing"}
    assert response["type"] == "response.create"
    assert staged.persona.agent.name == "billing"


async def test_what_comes_after_is_linked_to_what_the_client_knows():
    staged = two_agents()
    called(staged)
    output = (await staged.asides(3))[1]["item"]
    assert staged.tell("conversation.item.added", previous_item_id="item_2", item=output) == []
    assert staged.tell("conversation.item.done", previous_item_id="item_2", item=output) == []
    follows = staged.tell("conversation.item.added", previous_item_id=output["id"], item={**SPOKEN, "id": "item_4"})
    assert follows[0]["previous_item_id"] == "item_1"


async def test_the_clients_tools_go_along_and_the_voice_stays():
    mine = {"type": "function", "name": "mine"}
    staged = two_agents()
    staged.persona.agents["billing"].session["audio"] = {"output": {"voice": "ash", "speed": 1.2}}  # type: ignore[index]
    staged.ask("session.update", session={"type": "realtime", "tools": [mine]})
    called(staged)
    (update, *_) = await staged.asides(3)
    assert update["session"]["tools"] == [TOOL, mine]
    assert update["session"]["audio"]["output"] == {"speed": 1.2}  # a voice that has spoken cannot change (S-15)


async def test_the_other_agent_greets_if_it_has_a_greeting():
    staged = two_agents(greeting='Billing, "hello".')
    called(staged)
    assert (await staged.asides(3))[2]["response"][
        "instructions"
    ] == "Say exactly \"Billing, 'hello'.\" and nothing else."


def test_an_answer_that_was_cut_hands_nothing_over():
    staged = two_agents()
    assert called(staged, "cancelled")[-1]["response"]["output"] == [SPOKEN]
    assert staged.persona.agent.name == "front"


async def test_a_refusal_of_our_own_events_is_for_the_log(caplog):
    staged = two_agents()
    called(staged)
    ours = (await staged.asides(3))[2]["event_id"]
    assert staged.tell("error", error={"event_id": ours, "message": "busy"}) == []
    assert "busy" in caplog.text
    assert staged.tell("error", error={"event_id": "theirs", "message": "no"})


def test_a_client_s_own_tool_of_such_a_name_is_its_own():
    staged = two_agents()
    call = {**CALL, "name": "transfer_to_nobody"}
    assert staged.tell("response.output_item.added", item=call)


async def test_an_agent_speaks_first_and_is_told_of_the_page():
    staged = Staged(agent(greeting="Hello, I am Blue."), context={"page": "/cart", "user": "Ann"})
    item, response = await staged.asides(2)
    assert item["item"]["role"] == "system"
    assert item["item"]["content"][0]["text"].endswith('<page-context>{"page": "/cart", "user": "Ann"}</page-context>')
    assert response["response"]["instructions"] == 'Say exactly "Hello, I am Blue." and nothing else.'


async def test_context_that_has_its_place_in_the_instructions_is_not_told_twice():
    placed = agent(session={"instructions": "On {page}."}, greeting="Hello.")
    (response,) = await Staged(placed, context={"page": "/cart"}).asides(1)
    assert response["type"] == "response.create"
