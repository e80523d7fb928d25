"""MCP from a session's configuration to a real server and back, through the engine."""

from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from tests.engine.support import Hand, senses, session
from tests.support.fake_models import FakeLlm, says
from tests.support.mcp_server import mcp_host, serving_http
from vivavoce.client.allowlist import Allowed, AllowList
from vivavoce.client.mcp import McpClient
from vivavoce.engine import mcp
from vivavoce.models.interfaces import Call, CallArguments


def client(*allowed: str) -> McpClient:
    return McpClient(AllowList(map(Allowed.parse, allowed)))


def calling(name: str, arguments: str) -> FakeLlm:
    return FakeLlm([Call(name), CallArguments(arguments)], says("Done."))


def tool(url: str, approval: str = "never") -> dict[str, Any]:
    return {"type": "mcp", "server_label": "weather", "server_url": url, "require_approval": approval}


async def called(hand: Hand, url: str) -> dict[str, Any]:
    """The call that the first response makes."""
    await hand.update(tools=[tool(url)], output_modalities=["text"])
    await hand.until("mcp_list_tools.completed")
    await hand.say("response.create")
    output = (await hand.until("response.done"))["response"]["output"]
    assert output[-1]["content"] == [{"type": "output_text", "text": "Done."}]
    return dict(output[0])


async def test_tools_are_listed_and_called():
    llm = calling("forecast", '{"city": "Rome"}')
    async with mcp_host() as host, session(senses(llm=llm), mcp=client(host.at("/"))) as hand:
        call = await called(hand, host.at("/mcp"))
    assert (call["type"], call["output"], call["status"]) == ("mcp_call", "rain in Rome", "completed")
    listed = next(frame.data["item"] for frame in hand.seen if frame.type == "conversation.item.done")
    assert [each["name"] for each in listed["tools"]] == ["forecast", "broken"]
    assert [each.name for each in llm.asked[0].prompt.tools] == ["forecast", "broken"]
    assert llm.asked[1].prompt.messages[-1].role == "result"


async def test_a_call_that_is_approved():
    llm = calling("forecast", '{"city": "Rome"}')
    async with mcp_host() as host, session(senses(llm=llm), mcp=client(host.at("/"))) as hand:
        await hand.update(tools=[tool(host.at("/mcp"), "always")], output_modalities=["text"])
        await hand.until("mcp_list_tools.completed")
        before = len(host.seen)
        await hand.say("response.create")
        while (asked := await hand.until("conversation.item.done"))["item"]["type"] != "mcp_approval_request":
            pass
        assert len(host.seen) == before
        answer = {"type": "mcp_approval_response", "approval_request_id": asked["item"]["id"], "approve": True}
        await hand.say("conversation.item.create", item=answer)
        await hand.until("response.mcp_call.completed")
        await hand.until("response.done")
        assert len(host.seen) > before


@pytest.mark.parametrize(
    ("name", "arguments", "kind"),
    [
        ("broken", "{}", "tool_execution_error"),
        ("forecast", "{}", "tool_execution_error"),
        ("forecast", "{", "protocol_error"),
    ],
)
async def test_a_call_that_fails_is_told_to_the_mind_and_the_answer_goes_on(name: str, arguments: str, kind: str):
    llm = calling(name, arguments)
    async with mcp_host() as host, session(senses(llm=llm), mcp=client(host.at("/"))) as hand:
        call = await called(hand, host.at("/mcp"))
    assert (call["status"], call["error"]["type"]) == ("incomplete", kind)


async def test_a_server_that_does_not_answer(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(mcp, "LIST_SECONDS", 0.2)

    async def hangs(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        while (await receive())["type"] != "http.disconnect":
            pass

    async with serving_http(hangs) as host, session(senses(), mcp=client(host.at("/"))) as hand:
        await hand.update(tools=[tool(host.at("/mcp"))])
        failed = await hand.until("conversation.item.done")
        assert failed["item"]["error"] == "The MCP server did not answer within 0.2 s."


async def test_a_call_that_takes_too_long(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(mcp, "CALL_SECONDS", 0.0)
    llm = calling("forecast", '{"city": "Rome"}')
    async with mcp_host() as host, session(senses(llm=llm), mcp=client(host.at("/"))) as hand:
        call = await called(hand, host.at("/mcp"))
    assert call["error"]["message"] == "The MCP server did not answer within 0 s."


async def test_a_server_that_is_not_allowed_is_never_reached():
    async with mcp_host() as host, session(senses(llm=FakeLlm(says("Hello."))), mcp=client()) as hand:
        await hand.update(tools=[tool(host.at("/mcp"))], output_modalities=["text"])
        failed = await hand.until("mcp_list_tools.failed")
        await hand.say("conversation.item.retrieve", item_id=failed["item_id"])
        told = (await hand.until("conversation.item.retrieved"))["item"]["error"]
        assert told.endswith(f"Whoever runs it can allow it: vivavoce serve --allow-mcp {host.at('')}")
        await hand.say("response.create")
        assert (await hand.until("response.done"))["response"]["status"] == "completed"
        assert not host.seen
