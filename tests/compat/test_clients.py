"""Official clients of the Realtime API, unchanged, each through a spoken turn, a text turn, a function call and a
barge-in against a real server. What each of them shows to its user has to be the same."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest

from tests.compat import agents_python, js_clients, openai_python, openai_python_beta
from tests.compat.node import Node
from tests.compat.server import Place
from tests.compat.words import HELLO

Perform = Callable[[str], Awaitable[dict[str, Any]]]


PYTHON = {"openai": openai_python, "openai-beta": openai_python_beta, "openai-agents": agents_python}
JAVASCRIPT = {
    "openai-node": js_clients.openai_node,
    "agents-node": js_clients.agents_node,
    "agents-browser": js_clients.agents_browser,
    "reference-beta": js_clients.reference_beta,
}


@pytest.fixture(params=[*PYTHON, *JAVASCRIPT])
def perform(request: pytest.FixtureRequest, place: Place) -> Perform:
    client: str = request.param
    if client in PYTHON:
        return lambda scenario: getattr(PYTHON[client], scenario)(place)
    node: Node = request.getfixturevalue("node")
    return partial(JAVASCRIPT[client], node, place)


async def test_a_spoken_turn(perform: Perform):
    assert await perform("spoken_turn") == {"heard": HELLO, "said": "Hello to you.", "sounded": True}


async def test_a_text_turn(perform: Perform):
    assert await perform("text_turn") == {"said": "Hello to you."}


async def test_a_function_call(perform: Perform):
    assert await perform("function_call") == {"called": {"city": "Paris"}, "said": "The weather in Paris: sunny."}


async def test_a_barge_in(perform: Perform):
    assert await perform("barge_in") == {"interrupted": True, "said": "All right."}
