"""Official clients of the plain endpoints, unchanged: a recording becomes words, words an answer, a tool is called, and
the answer is spoken. What each of them shows to its user has to be the same."""

from tests.compat import openai_python_plain
from tests.compat.node import Node
from tests.compat.server import Place
from tests.compat.words import HELLO

TOLD = {
    "heard": HELLO,
    "said": "Hello to you.",
    "called": {"city": "Paris"},
    "finish": "tool_calls",
    "answered": "The weather in Paris: sunny.",
    "sounded": True,
    "models": ["gpt-realtime", "words", "pitch", "fake-tts"],
}


async def test_openai_python(place: Place) -> None:
    assert await openai_python_plain.synchronous(place) == TOLD


async def test_openai_python_asynchronous(place: Place) -> None:
    assert await openai_python_plain.asynchronous(place) == TOLD


async def test_openai_node(place: Place, node: Node) -> None:
    assert await node.run("openai_node_plain.mjs", "conversation", place.base) == TOLD
