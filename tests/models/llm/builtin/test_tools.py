"""Tools chosen by their names' words, parameters filled from the rest, results said in words."""

import json
from typing import Any

import pytest

from tests.models.llm.builtin.conversation import parts, reply
from vivavoce.models.interfaces import Call, CallArguments, Finish, Message, ModelError, Said, Tool


def tool(name: str, *required: str, **properties: Any) -> Tool:
    return Tool(name, "", {"type": "object", "properties": properties, "required": list(required)})


TEXT = {"type": "string"}
WEATHER = tool("get_weather", "city", city=TEXT, unit={"type": "string", "enum": ["celsius", "fahrenheit"]})
LIGHT = tool("set_light", "state", state={"type": "string", "enum": ["on", "off"]}, brightness={"type": "integer"})
FLIGHT = tool("searchFlights", "origin", "destination", origin=TEXT, destination=TEXT, date=TEXT)
MESSAGE = tool("send_message", "recipient", "text", recipient=TEXT, text=TEXT)
TIMER = tool("start_timer", "minutes", minutes={"type": "number"}, loud={"type": "boolean"})
SEARCH = tool("search_documents", "query", query=TEXT)
ALL = [WEATHER, LIGHT, FLIGHT, MESSAGE, TIMER, SEARCH]


@pytest.mark.parametrize(
    ("request_", "name", "arguments"),
    [
        ("what is the weather in paris", "get_weather", {"city": "Paris"}),
        ("What's the weather in New York, in Celsius?", "get_weather", {"city": "New York", "unit": "celsius"}),
        ("turn the light off please", "set_light", {"state": "off"}),
        ("set the lights on brightness fifty", "set_light", {"state": "on", "brightness": 50}),
        ("search flights from berlin to rome tomorrow", "searchFlights",
         {"origin": "Berlin", "destination": "Rome", "date": "tomorrow"}),
        ("send a message to anna saying come at nine", "send_message", {"recipient": "anna", "text": "come at nine"}),
        ("start a timer for two point five minutes", "start_timer", {"minutes": 2.5}),
        ("start a loud timer of three minutes", "start_timer", {"minutes": 3, "loud": True}),
        ("search my documents for the plan in march", "search_documents", {"query": "plan in march"}),
    ],
)  # fmt: skip
async def test_the_words_choose_and_fill(request_: str, name: str, arguments: dict[str, Any]) -> None:
    call, filled, finish = await parts(request_, ALL)
    assert call == Call(name)
    assert isinstance(filled, CallArguments)
    assert json.loads(filled.text) == arguments
    assert finish == Finish()


@pytest.mark.parametrize("other", ["what time is it in london", "hello", "what is two plus two"])
async def test_other_words_call_nothing(other: str) -> None:
    assert all(isinstance(part, Said | Finish) for part in await parts(other, ALL))


async def test_what_is_missing_is_asked_for() -> None:
    said = await parts("how is the weather", ALL)
    assert "".join(part.text for part in said if isinstance(part, Said)) == "For that I need to know the city."


async def test_none_means_none() -> None:
    assert isinstance((await parts("what is the weather in paris", ALL, "none"))[0], Said)


async def test_a_named_tool_is_called_whatever_the_words() -> None:
    deep = tool("note", "n", "tags", "where", "ok", "text", n={"type": "integer", "minimum": 3}, tags={"type": "array"},
                where={"type": "object", "properties": {"x": {"type": ["null", "number"]}}, "required": ["x"]},
                ok={"type": "boolean"}, text=TEXT)  # fmt: skip
    call, filled, _ = await parts("hm", [WEATHER, deep], "function:note")
    assert call == Call("note")
    assert isinstance(filled, CallArguments)
    assert json.loads(filled.text) == {"n": 3, "tags": [], "where": {"x": 0}, "ok": False, "text": "hm"}


async def test_required_takes_the_best_and_else_the_first() -> None:
    assert (await parts("turn the light off", ALL, "required"))[0] == Call("set_light")
    assert (await parts(None, ALL, "required"))[0] == Call("get_weather")


async def test_a_tool_that_is_not_there_is_an_error() -> None:
    with pytest.raises(ModelError, match="no such tool"):
        await parts("hm", [WEATHER], "function:nothing")


@pytest.mark.parametrize(
    ("result", "said"),
    [
        ('{"temperature_celsius": 21, "sunny": true}', "Temperature celsius 21, sunny yes."),
        ("It is sunny and warm", "It is sunny and warm."),
        ('"already said."', "Already said."),
        ('["a", {"b": 1}]', "A, b 1."),
        ('{"error": "no such city"}', "That did not work: no such city."),
        ("{}", "Done."),
        ("null", "Done."),
        ("", "Done."),
    ],
)
async def test_results_are_said_in_words(result: str, said: str) -> None:
    asked = [Message("user", "weather in paris"), Message("call", "{}", "get_weather", "c1"),
             Message("result", result, call_id="c1")]  # fmt: skip
    assert await reply(asked) == said


async def test_several_results_are_all_said_and_long_ones_are_cut() -> None:
    asked = [Message("user", "x"), Message("result", "one"), Message("result", "two " * 500)]
    said = await reply(asked)
    assert said.startswith("One. Two two")
    assert len(said) < 420
