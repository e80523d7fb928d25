from collections.abc import Mapping, Sequence
from typing import Any

from tests.engine.support import senses, session
from tests.support.fake_models import FakeLlm, says
from tests.support.virtual_time import virtual_time
from vivavoce.client.mcp_error import McpError
from vivavoce.models.interfaces import Call, CallArguments
from vivavoce.protocol.session.mcp import McpFailure
from vivavoce.protocol.wire.config import McpTool

SERVER = {"type": "mcp", "server_label": "weather", "server_url": "https://weather.example/mcp"}
FORECAST = {"name": "forecast", "description": "Tells the weather", "input_schema": {"type": "object"}}


class Gateway:
    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []

    async def list_tools(self, server: McpTool) -> Sequence[Mapping[str, Any]]:
        if server.server_url and "down" in str(server.server_url):
            raise McpError(McpFailure("http_error", "no answer", 502))
        return [FORECAST]

    async def call_tool(self, server: McpTool, name: str, arguments: str) -> str:
        self.calls.append((name, arguments))
        return "rain"


def asking(*, then: str = "It rains.") -> FakeLlm:
    return FakeLlm([Call("forecast"), CallArguments("{}")], says(then))


@virtual_time
async def test_a_call_runs_inside_the_response_which_goes_on_with_its_result():
    gateway, llm = Gateway(), asking()
    async with session(senses(llm=llm), mcp=gateway) as hand:
        await hand.update(tools=[{**SERVER, "require_approval": "never"}], output_modalities=["text"])
        await hand.until("mcp_list_tools.completed")
        await hand.say("response.create")
        done = await hand.until("response.done")
    assert gateway.calls == [("forecast", "{}")]
    created = hand.types.index("response.created")
    assert hand.types[created:] == [
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
        *["response.output_text.delta"] * 2,
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "conversation.item.done",
        "response.done",
    ]
    call, message = done["response"]["output"]
    assert (call["type"], call["output"], call["status"]) == ("mcp_call", "rain", "completed")
    assert message["content"] == [{"type": "output_text", "text": "It rains."}]
    assert [m.role for m in llm.asked[1].prompt.messages] == ["call", "result"]


@virtual_time
async def test_a_call_waits_for_approval_and_a_declined_one_is_told_to_the_mind():
    gateway, llm = Gateway(), asking(then="As you wish.")
    async with session(senses(llm=llm), mcp=gateway) as hand:
        await hand.update(tools=[SERVER], output_modalities=["text"])
        await hand.until("mcp_list_tools.completed")
        await hand.say("response.create")
        while (asked := await hand.until("conversation.item.done"))["item"]["type"] != "mcp_approval_request":
            pass
        answer = {"type": "mcp_approval_response", "approval_request_id": asked["item"]["id"], "approve": False}
        await hand.say("conversation.item.create", item=answer)
        await hand.until("response.mcp_call.failed")
        done = await hand.until("response.done")
    assert gateway.calls == []
    assert done["response"]["output"][0]["error"]["type"] == "tool_execution_error"
    assert done["response"]["output"][-1]["content"][0]["text"] == "As you wish."


@virtual_time
async def test_tools_given_with_a_response_are_listed_inside_it():
    async with session(senses(llm=asking()), mcp=Gateway()) as hand:
        tools = [{**SERVER, "require_approval": "never"}]
        await hand.say("response.create", response={"tools": tools, "output_modalities": ["text"]})
        done = await hand.until("response.done")
    assert hand.types.index("response.created") < hand.types.index("mcp_list_tools.in_progress")
    assert done["response"]["output"][0]["output"] == "rain"


@virtual_time
async def test_a_server_that_cannot_be_listed_fails_and_the_session_goes_on():
    async with session(senses(llm=FakeLlm(says("Hello."))), mcp=Gateway()) as hand:
        await hand.update(tools=[{**SERVER, "server_url": "https://down.example"}], output_modalities=["text"])
        await hand.until("mcp_list_tools.failed")
        await hand.say("response.create")
        assert (await hand.until("response.done"))["response"]["status"] == "completed"


@virtual_time
async def test_no_credential_comes_back_out():
    async with session(senses(), mcp=Gateway()) as hand:
        await hand.update(tools=[{**SERVER, "authorization": "tok-secret", "headers": {"X-Key": "also-secret"}}])
        await hand.until("mcp_list_tools.completed")
    assert "secret" not in str([frame.data for frame in hand.seen])
