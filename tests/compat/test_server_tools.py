"""Both official agents SDKs, unchanged, beside a tool that the server runs and they know nothing of: it runs once, the
answer is spoken, and no error is told. With the built-in engine, and with another server that answers."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from agents import function_tool
from starlette.applications import Starlette

from tests.compat import js_clients
from tests.compat.agents_python import connected, events, said, words
from tests.compat.node import Node
from tests.compat.server import Place, engine, serving
from tests.compat.words import STOP, WEATHER, WordsLlm, spoken
from tests.support.tool_sessions import CITY
from vivavoce.access.agents import Agent, Agents
from vivavoce.access.filler import Filler
from vivavoce.backends.interface import Backend
from vivavoce.backends.upstream.backend import UpstreamBackend
from vivavoce.models.interfaces import Answer, Finish, Prompt, Said
from vivavoce.server.app import build
from vivavoce.server.options import ServerOptions
from vivavoce.tools.interface import Caller, ServerTool
from vivavoce.tools.toolbox import Shelf, Toolbox

ANSWER = "The weather in Paris: sunny."
FILLER = "One moment."
HELLO_ANSWER = "Hello to you."


class ObedientLlm(WordsLlm):
    """Says what it is told to say, too."""

    async def answer(self, prompt: Prompt) -> AsyncIterator[Answer]:
        if prompt.instructions.startswith("Say exactly"):
            yield Said(prompt.instructions.split('"')[1])
            yield Finish()
        else:
            async for made in super().answer(prompt):
                yield made


@dataclass
class Weather:
    """The tool. What it does is up to each test."""

    seconds: float = 0.0
    ran: list[dict[str, Any]] = field(default_factory=list)

    async def call(self, arguments: dict[str, Any], caller: Caller) -> str:
        self.ran.append(arguments)
        await asyncio.sleep(self.seconds)
        return "sunny"

    def toolbox(self) -> Toolbox:
        tool = ServerTool(name="weather", label="server", description="The weather.", parameters=CITY, call=self.call)
        return Toolbox(Shelf([tool]))


@dataclass
class House:
    place: Place
    weather: Weather


@pytest.fixture(scope="module", params=["builtin", "upstream"])
def house(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    weather = Weather()
    agents = Agents({"default": Agent(name="default", filler=Filler((FILLER,), 0.3))})

    def app(backend: Backend, place: Place) -> Starlette:
        options = ServerOptions(allow_origins=(place.other_origin,), agents=agents)
        return build(options, backend, toolbox=weather.toolbox())

    with serving(tmp_path_factory.mktemp("engine"), lambda place: build(ServerOptions(), engine(ObedientLlm()))) as far:

        def backend() -> Backend:
            return engine(ObedientLlm()) if request.param == "builtin" else UpstreamBackend(far.base, "any")

        with serving(tmp_path_factory.mktemp("house"), lambda place: app(backend(), place)) as place:
            yield House(place, weather)


@pytest.fixture(autouse=True)
def _anew(house: House) -> None:
    house.weather.seconds = 0.0
    house.weather.ran.clear()


@function_tool
def colour() -> str:
    """The favourite colour of the user."""
    return "blue"


async def test_agents_python_hears_the_answer(house: House):
    async with connected(house.place, colour) as session:
        await session.send_audio(spoken(WEATHER))
        assert await said(session, 1) == [ANSWER]
    assert house.weather.ran == [{"city": "Paris"}]


async def test_agents_python_hears_a_phrase_while_it_takes_long(house: House):
    house.weather.seconds = 1.0
    async with connected(house.place, colour) as session:
        await session.send_audio(spoken(WEATHER))
        assert sorted(await said(session, 2)) == [FILLER, ANSWER]
    assert len(house.weather.ran) == 1


async def test_agents_python_interrupts_while_it_runs(house: House):
    house.weather.seconds = 60.0
    async with connected(house.place, colour) as session:
        await session.send_audio(spoken(WEATHER))
        async for event in events(session):
            if event.type == "raw_model_event" and "response.mcp_call.in_progress" in str(event.data):
                break
        await session.send_audio(spoken(STOP))
        async for event in events(session):
            if event.type == "history_updated" and "All right." in words(event, "assistant"):
                break
    assert len(house.weather.ran) == 1


async def test_agents_javascript_hears_the_answer(house: House, node: Node):
    found = await js_clients.agents_node(node, house.place, "server_tool")
    assert found == {"said": [ANSWER, HELLO_ANSWER], "calls": [["mcp_call", "weather", "sunny"]]}
    assert house.weather.ran == [{"city": "Paris"}]


async def test_agents_javascript_hears_a_phrase_while_it_takes_long(house: House, node: Node):
    house.weather.seconds = 1.0
    found = await js_clients.agents_node(node, house.place, "server_tool")
    assert found == {"said": [FILLER, ANSWER, HELLO_ANSWER], "calls": [["mcp_call", "weather", "sunny"]]}
    assert len(house.weather.ran) == 1


async def test_agents_javascript_interrupts_while_it_runs(house: House, node: Node):
    house.weather.seconds = 60.0
    found = await js_clients.agents_node(node, house.place, "server_tool_interrupted")
    assert found == {"said": "All right."}
    assert len(house.weather.ran) == 1


@pytest.mark.parametrize("house", ["upstream"], indirect=True)
async def test_agents_javascript_in_a_browser_hears_the_answer_in_a_call(house: House, node: Node):
    found = await js_clients.agents_browser(node, house.place, "server_tool")
    assert found == {"said": [ANSWER, HELLO_ANSWER], "calls": [["mcp_call", "weather", "sunny"]]}
    assert len(house.weather.ran) == 1
