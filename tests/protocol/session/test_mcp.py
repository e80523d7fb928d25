"""MCP servers: listed, offered, asked for and called, inside one response."""

from typing import Any

import pytest

from tests.protocol.hand import Hand, Told
from vivavoce.protocol.session.commands import CallMcp, Cancel, ListMcp, Start
from vivavoce.protocol.session.making import MAX_STEPS
from vivavoce.protocol.session.mcp import McpFailure
from vivavoce.protocol.session.parts import Arguments, CallPart, Done, TextPart, Usage

SERVER = {"type": "mcp", "server_label": "w", "server_url": "https://w.example/mcp"}
READS = {"name": "read", "input_schema": {}, "annotations": {"readOnlyHint": True}}
WRITES = {"name": "write", "input_schema": {}, "annotations": {}}


def listed(**settings: Any) -> Hand:
    """A session that knows the two tools of a server."""
    hand = Hand(output_modalities=["text"])
    hand.update(tools=[{**SERVER, **settings}])
    hand.session.mcp_listed("w", [READS, WRITES])
    hand.told()
    return hand


def called(hand: Hand, *names: str) -> Told:
    hand.respond()
    parts = [part for name in names for part in (CallPart(name), Arguments("{}"))]
    return hand.model("resp_1", *parts, Done("stop", Usage(10, 2)))


def answered(hand: Hand, call: CallMcp, result: str | McpFailure = "rain") -> Told:
    hand.session.mcp_result(call.response_id, call.item_id, result)
    return hand.told()


def test_a_server_is_listed_once_and_then_known_by_its_label():
    hand = listed()
    assert hand.update(tools=[SERVER]).commands(ListMcp) == []
    assert hand.update(tools=[]).types == ["session.updated"]
    assert hand.update(tools=[{"type": "mcp", "server_label": "w"}]).types == ["session.updated"]
    assert [tool.name for tool in hand.respond().command(Start).context.mcp] == ["read", "write"]


def test_a_listing_that_failed_is_tried_again_when_the_server_is_given_again():
    hand = Hand()
    hand.update(tools=[SERVER])
    hand.session.mcp_listed("w", McpFailure("http_error", "gone", 404))
    assert hand.told().types[-1] == "mcp_list_tools.failed"
    assert hand.update(instructions="x").names == ["session.updated"]
    assert hand.update(tools=[SERVER]).commands(ListMcp)


def test_a_label_alone_does_no_harm_to_later_updates_when_its_listing_fails():
    hand = Hand()
    hand.update(tools=[SERVER])
    hand.update(tools=[{"type": "mcp", "server_label": "w"}])
    hand.session.mcp_listed("w", McpFailure("http_error", "gone", 404))
    hand.told()
    assert hand.update(instructions="x").types == ["session.updated"]
    assert hand.update(tools=[{"type": "mcp", "server_label": "w"}]).error["code"] == "invalid_value"


@pytest.mark.parametrize(
    ("allowed", "offered"),
    [
        (None, ["read", "write"]),
        (["write"], ["write"]),
        ([], []),
        ({"tool_names": ["read"]}, ["read"]),
        ({"read_only": True}, ["read"]),
        ({"read_only": False}, ["write"]),
    ],
)
def test_what_is_offered(allowed, offered):
    hand = listed(allowed_tools=allowed)
    assert [tool.name for tool in hand.respond().command(Start).context.mcp] == offered


@pytest.mark.parametrize(
    ("rule", "asks"),
    [
        (None, True),
        ("always", True),
        ("never", False),
        ({"never": {"tool_names": ["read"]}}, False),
        ({"never": {"tool_names": ["write"]}}, True),
        ({"always": {"tool_names": ["write"]}}, False),
        ({"always": {"tool_names": ["read"]}}, True),
        ({"never": {"read_only": True}}, False),
    ],
)
def test_what_is_asked_for(rule, asks):
    told = called(listed(require_approval=rule), "read")
    assert bool(told.commands(CallMcp)) is not asks


def test_two_calls_wait_for_both_results_and_the_answer_goes_on_once():
    hand = listed(require_approval="never")
    first, second = called(hand, "read", "write").commands(CallMcp)
    assert answered(hand, second).commands(Start) == []
    again = answered(hand, first, McpFailure("tool_execution_error", "no")).command(Start)
    assert again.response_id == "resp_1"
    calls = [item.fields for item in again.context.items if item.type == "mcp_call"]
    assert [call["output"] is not None for call in calls] == [False, True]
    assert "error" in calls[0]


def test_usage_is_that_of_all_steps():
    hand = listed(require_approval="never")
    (call,) = called(hand, "read").commands(CallMcp)
    answered(hand, call)
    done = hand.model("resp_1", TextPart("It rains."), Done("stop", Usage(20, 3))).one("response.done")["response"]
    assert (done["usage"]["input_tokens"], done["usage"]["output_tokens"]) == (30, 5)
    assert [item["type"] for item in done["output"]] == ["mcp_call", "message"]


def test_a_client_that_cancels_while_a_call_runs():
    hand = listed(require_approval="never")
    (call,) = called(hand, "read").commands(CallMcp)
    told = hand.say("response.cancel")
    assert told.command(Cancel).response_id == "resp_1"
    assert told.one("response.output_item.done")["item"]["status"] == "incomplete"
    assert answered(hand, call) == []


def test_an_approval_that_nobody_waits_for():
    hand = listed()
    request = called(hand, "read").all("response.output_item.done")[-1]["item"]
    hand.say("response.cancel")
    answer = {"type": "mcp_approval_response", "approval_request_id": request["id"], "approve": True}
    assert hand.say("conversation.item.create", item=answer).refusal == ("invalid_value", "item.approval_request_id")


def test_a_function_of_the_client_beside_an_mcp_call():
    hand = listed(require_approval="never")
    hand.update(tools=[{**SERVER, "require_approval": "never"}, {"type": "function", "name": "f"}])
    told = called(hand, "f", "read")
    types = [event["item"]["type"] for event in told.all("response.output_item.done")]
    assert types == ["function_call"]
    assert len(told.commands(CallMcp)) == 1


def test_a_mind_that_only_calls_comes_to_an_end():
    hand = listed(require_approval="never")
    told = called(hand, "read")
    for _ in range(MAX_STEPS - 1):
        answered(hand, told.command(CallMcp))
        told = hand.model("resp_1", CallPart("read"), Arguments("{}"), Done())
    assert told.commands(CallMcp) == []
    assert told.types[-1] == "response.done"


def test_a_response_with_tools_of_its_own_can_be_cancelled_before_they_are_listed():
    hand = Hand()
    hand.respond(tools=[SERVER])
    assert hand.say("response.cancel").types == ["response.done"]
    hand.session.mcp_listed("w", [READS])
    assert hand.told().commands(Start) == []
