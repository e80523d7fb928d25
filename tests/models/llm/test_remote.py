"""Chat completions as servers really stream them, and conversations as servers take them."""

from collections.abc import Sequence
from typing import Any

import pytest

from tests.support.model_server import ModelServer, model_server, sse
from vivavoce.models.interfaces import (
    Answer,
    Call,
    CallArguments,
    Finish,
    Message,
    ModelError,
    Prompt,
    Said,
    Tool,
)
from vivavoce.models.llm.remote import RemoteLlm
from vivavoce.models.llm.remote.calls import Calls
from vivavoce.models.llm.remote.chunk import Function, ToolCall
from vivavoce.models.llm.remote.messages import messages
from vivavoce.models.llm.remote.thoughts import Aloud

PROMPT = Prompt("Be brief.", [Message("user", "Hello.")])


def delta(finish: str | None = None, **fields: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": fields, "finish_reason": finish}]}


async def answer(server: ModelServer, prompt: Prompt = PROMPT) -> list[Answer]:
    mind = RemoteLlm(url=server.url, model="tiny")
    try:
        return [part async for part in mind.answer(prompt)]
    finally:
        await mind.close()


async def test_words_then_usage() -> None:
    async with model_server() as server:
        usage = {"prompt_tokens": 12, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 8}}
        server.tell(
            b": keep-alive\n\n",
            sse(
                delta(role="assistant", content=""),
                delta(reasoning_content="They greet me."),
                delta(content="Hello"),
                delta(content=" there"),
                delta("stop"),
                {"choices": [], "usage": usage},
            ),
        )
        assert await answer(server) == [Said("Hello"), Said(" there"), Finish("stop", 12, 2, 8)]
        assert server.asked[0].body == {
            "model": "tiny",
            "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello."}],
            "stream": True,
            "stream_options": {"include_usage": True},
        }


@pytest.mark.parametrize(
    ("theirs", "ours"), [("length", "length"), ("content_filter", "content_filter"), ("eos", "stop")]
)
async def test_why_it_ended(theirs: str, ours: str) -> None:
    async with model_server() as server:
        server.tell(sse(delta(theirs, content="Well"), done=False))  # no usage, no [DONE]
        finish = (await answer(server))[-1]
        assert isinstance(finish, Finish)
        assert (finish.reason, finish.input_tokens) == (ours, None)


async def test_tools_are_offered_and_called() -> None:
    weather = Tool("weather", "The weather.", {"type": "object", "properties": {"city": {"type": "string"}}})
    prompt = Prompt("", [Message("user", "Weather?")], [weather], "function:weather", max_tokens=50)
    async with model_server() as server:
        first = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "weather", "arguments": ""}}
        more = [{"index": 0, "function": {"arguments": text}} for text in ('{"ci', 'ty":"Rome"}')]
        server.tell(
            sse(
                delta(tool_calls=[first]),
                *(delta(tool_calls=[each]) for each in more),
                delta(tool_calls=[{"index": 1, "id": "call_2", "function": {"name": "weather", "arguments": "{}"}}]),
                delta("tool_calls"),
            )
        )
        assert await answer(server, prompt) == [
            Call("weather", "call_1"),
            CallArguments('{"ci'),
            CallArguments('ty":"Rome"}'),
            Call("weather", "call_2"),
            CallArguments("{}"),
            Finish(),
        ]
        body = server.asked[0].body
        assert body["tools"] == [
            {"type": "function", "function": {"name": "weather", "description": "The weather.",
                                              "parameters": weather.parameters}}
        ]  # fmt: skip
        assert body["tool_choice"] == {"type": "function", "function": {"name": "weather"}}
        assert body["max_tokens"] == 50


def pieces(*made: tuple[int | None, str | None, str | None, Any]) -> list[tuple[str, str, str]]:
    """Names, ids and arguments of the calls that these pieces make."""
    calls = Calls()
    told: list[Answer] = []
    for index, id, name, arguments in made:
        told += calls.push([ToolCall(index, id, Function(name, arguments))])
    told += calls.finish()
    found: list[list[str]] = []
    for part in told:
        if isinstance(part, Call):
            found.append([part.name, part.call_id, ""])
        elif isinstance(part, CallArguments):
            found[-1][2] += part.text
    return [(name, id, arguments) for name, id, arguments in found]


@pytest.mark.parametrize(
    "made",
    [
        [(0, "a", "f", ""), (0, None, None, "1"), (1, "b", "g", ""), (1, None, None, "2")],
        [(0, "a", "f", ""), (1, "b", "g", ""), (0, None, None, "1"), (1, None, None, "2")],  # one across the other
        [(0, "a", "f", "1"), (0, "b", "g", "2")],  # Ollama, Gemini: all are number 0
        [(None, "a", "f", "1"), (None, "b", "g", "2")],
        [(0, "a", "f", ""), (0, "a", "f", "1"), (1, "b", "g", "2")],  # the name in every piece
    ],
)
def test_whose_piece_it_is(made: Sequence[tuple[int | None, str | None, str | None, Any]]) -> None:
    assert pieces(*made) == [("f", "a", "1"), ("g", "b", "2")]


def test_arguments_that_came_as_an_object() -> None:
    assert pieces((0, "", "f", {"a": 1})) == [("f", "", '{"a": 1}')]


@pytest.mark.parametrize(
    ("heard", "aloud"),
    [
        (["<think>Hm", "m.</think>", "\n\nHello"], "Hello"),
        (["<", "think>a</thi", "nk> Hi", " there"], "Hi there"),
        (["Hello <think>"], "Hello <think>"),
        (["<thin"], "<thin"),
        (["<b>"], "<b>"),
        (["<think>never closed"], ""),
    ],
)
def test_thoughts_are_not_spoken(heard: list[str], aloud: str) -> None:
    words = Aloud()
    assert "".join(map(words.push, heard)) + words.finish() == aloud


def test_a_spoken_conversation_becomes_one_that_servers_take() -> None:
    told = messages(
        Prompt(
            "",
            [
                Message("user", ""),
                Message("assistant", ""),
                Message("call", '{"n": 1}', name="f", call_id="a"),
                Message("call", "", name="g", call_id="b"),
                Message("user", "What?", images=("data:image/png;base64,AA",)),
                Message("result", "one", call_id="a"),
                Message("result", "an orphan", call_id="z"),
            ],
        )
    )
    assert [each["role"] for each in told] == ["user", "assistant", "tool", "tool", "user"]
    assert told[0]["content"] == "[inaudible]"
    assert [call["function"]["arguments"] for call in told[1]["tool_calls"]] == ['{"n": 1}', "{}"]
    assert [each["content"] for each in told[2:4]] == ["one", "There is no result yet."]
    assert [part["type"] for part in told[4]["content"]] == ["text", "image_url"]


async def test_what_a_server_does_not_know_it_is_not_asked_again() -> None:
    async with model_server() as server:
        server.tell_json({"message": "Extra inputs are not permitted, field: 'stream_options'"}, 400)
        server.tell_json(
            {"error": {"message": "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens'."}}, 400
        )
        server.tell(sse(delta("stop", content="Hi")))
        server.tell(sse(delta("stop", content="Hi")))
        mind, prompt = RemoteLlm(url=server.url, model="tiny"), Prompt("", [], max_tokens=9)
        for _ in range(2):
            assert [part async for part in mind.answer(prompt)] == [Said("Hi"), Finish()]
        assert len(server.asked) == 4
        assert server.asked[3].body == {"model": "tiny", "messages": [], "stream": True, "max_completion_tokens": 9}
        await mind.close()


async def test_an_answer_that_was_not_streamed() -> None:
    async with model_server() as server:
        message = {"role": "assistant", "content": "Hi.", "tool_calls": None}
        server.tell_json({"choices": [{"message": message, "finish_reason": "stop"}], "usage": {"prompt_tokens": 3}})
        assert await answer(server) == [Said("Hi."), Finish("stop", 3)]


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (b'data: {"error": {"message": "CUDA out of memory"}}\n\n', "CUDA out of memory"),
        (b"data: <html>\n\n", "no OpenAI-compatible API"),
        (b'data: {"choices": 7}\n\n', "no OpenAI-compatible API"),
        (b"", "broke off"),
        (b"data: " + b"x" * 2_000_000, "too long"),
    ],
)
async def test_answers_that_are_none(sent: bytes, words: str) -> None:
    async with model_server() as server:
        server.tell(sent)
        with pytest.raises(ModelError, match=words):
            await answer(server)
