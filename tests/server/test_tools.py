"""Tools of the whole server, through its doors: with and without an agent, for whom they run, and how calls are
carried."""

import asyncio
import json
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect

from tests.compat.words import WEATHER, WordsLlm
from tests.engine.support import senses
from tests.support.backends import ScriptedBackend
from tests.support.calls import OFFER, Calls
from tests.support.serving import serving_app
from tests.support.tool_sessions import CITY, tools_agent
from vivavoce.access.agents import Agents
from vivavoce.backends.builtin import Builtin
from vivavoce.server.app import build
from vivavoce.server.options import ServerOptions
from vivavoce.tools.interface import Caller, ServerTool
from vivavoce.tools.toolbox import Shelf, Toolbox

TEXT = {"output_modalities": ["text"]}


class Told:
    def __init__(self) -> None:
        self.callers: list[Caller] = []

    async def weather(self, arguments: dict[str, Any], caller: Caller) -> str:
        self.callers.append(caller)
        return "sunny"

    def toolbox(self) -> Toolbox:
        tool = ServerTool(name="weather", label="server", description="It.", parameters=CITY, call=self.weather)
        return Toolbox(Shelf([tool]))


async def until(socket: ClientConnection, type: str) -> dict[str, Any]:
    async with asyncio.timeout(10):
        while (event := json.loads(await socket.recv()))["type"] != type:
            pass
    return dict(event)


async def asked(socket: ClientConnection) -> dict[str, Any]:
    content = [{"type": "input_text", "text": WEATHER}]
    item = {"type": "message", "role": "user", "content": content}
    await socket.send(json.dumps({"type": "conversation.item.create", "item": item}))
    await socket.send(json.dumps({"type": "response.create", "response": TEXT}))
    return dict((await until(socket, "response.done"))["response"])


@pytest.mark.parametrize("query", ["", "?agent=blue"])
async def test_every_session_has_them_with_an_agent_or_without(query):
    told, agents = Told(), Agents({"blue": tools_agent("blue")})
    backend = Builtin(senses(llm=WordsLlm()), lambda: 1_700_000_000.0)
    app = build(ServerOptions(agents=agents), backend, toolbox=told.toolbox())
    async with serving_app(app) as served, connect(f"{served.ws}{query}") as socket:
        session = (await until(socket, "session.created"))["session"]
        assert [tool["type"] for tool in session["tools"]] == ["mcp"]
        call, message = (await asked(socket))["output"]
    assert call["output"] == "sunny"
    assert message["content"][0]["text"] == "The weather in Paris: sunny."
    (caller,) = told.callers
    assert (caller.session, caller.owner) == (session["id"], "local")
    assert caller.agent == ("blue" if query else "")


async def test_a_client_without_an_agent_keeps_all_its_freedom():
    backend = Builtin(senses(llm=WordsLlm()), lambda: 1_700_000_000.0)
    app = build(ServerOptions(), backend, toolbox=Told().toolbox())
    update = {"type": "realtime", "instructions": "Rhyme.", "tool_choice": "none", "max_output_tokens": 99}
    async with serving_app(app) as served, connect(served.ws) as socket:
        await socket.send(json.dumps({"type": "session.update", "session": update}))
        session = (await until(socket, "session.updated"))["session"]
        system = {"type": "message", "role": "system", "content": [{"type": "input_text", "text": "Be kind."}]}
        await socket.send(json.dumps({"type": "conversation.item.create", "item": system}))
        assert (await until(socket, "conversation.item.added"))["item"]["role"] == "system"
    assert {name: session[name] for name in update} == update


async def test_a_transcription_has_none():
    backend = ScriptedBackend()
    app = build(ServerOptions(), backend, toolbox=Told().toolbox())
    async with serving_app(app) as served, connect(f"{served.ws}?intent=transcription") as socket:
        await until(socket, "session.created")
    assert (backend.requests[0].config, backend.requests[0].guarded) == (None, False)


@pytest.mark.parametrize(("toolbox", "guarded"), [(Told().toolbox(), True), (Toolbox(), False)])
async def test_a_call_is_carried_here_where_there_are_tools(toolbox, guarded):
    backend = ScriptedBackend()
    app = build(ServerOptions(), backend, answer_call=Calls().answer, toolbox=toolbox)
    async with serving_app(app) as served, httpx.AsyncClient() as http:
        placed = await http.post(
            f"{served.http}/v1/realtime/calls", content=OFFER, headers={"Content-Type": "application/sdp"}
        )
        assert placed.status_code == 201
        await backend.next_opened()
    assert backend.requests[0].guarded is guarded
