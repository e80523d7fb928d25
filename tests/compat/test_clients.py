"""Official clients of the Realtime API, unchanged, each through a spoken turn, a text turn, a function call and a
barge-in against a real server. What each of them shows to its user has to be the same."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.compat import agents_python, openai_python, openai_python_beta
from tests.compat.server import Place
from tests.compat.words import HELLO

Perform = Callable[[str], Awaitable[dict[str, Any]]]


@pytest.fixture(
    params=[openai_python, openai_python_beta, agents_python], ids=lambda module: module.__name__.rpartition(".")[2]
)
def perform(request: pytest.FixtureRequest, place: Place) -> Perform:
    async def perform(what: str) -> dict[str, Any]:
        result: dict[str, Any] = await getattr(request.param, what)(place)
        return result

    return perform


async def test_a_spoken_turn(perform: Perform):
    assert await perform("spoken_turn") == {"heard": HELLO, "said": "Hello to you.", "sounded": True}


async def test_a_text_turn(perform: Perform):
    assert await perform("text_turn") == {"said": "Hello to you."}


async def test_a_function_call(perform: Perform):
    assert await perform("function_call") == {"called": {"city": "Paris"}, "said": "The weather in Paris: sunny."}


async def test_a_barge_in(perform: Perform):
    assert await perform("barge_in") == {"interrupted": True, "said": "All right."}
