"""``POST /v1/chat/completions``, streamed and whole, with tools."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from functools import partial
from typing import Any, cast

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from vivavoce.backends.plain import Passes
from vivavoce.models.interfaces import Answer, Finish, Llm, Prompt
from vivavoce.protocol.wire.errors import ProtocolError
from vivavoce.protocol.wire.shape import check
from vivavoce.server.service import Service
from vivavoce.server.v1.client_secrets import read_json
from vivavoce.server.v1.plain.asking import Asked, asked
from vivavoce.server.v1.plain.completion import Completion, protocol_usage
from vivavoce.server.v1.plain.events import DONE, EventStream, event
from vivavoce.server.v1.plain.passed_chat import passed_chat
from vivavoce.server.v1.plain.shapes import Chat, ChatMessage, flat_choice, flat_tool, prompt
from vivavoce.server.v1.plain.visit import Visit, visited

__all__ = ["chat"]


async def chat(service: Service, request: Request) -> Response:
    return await visited(_chat, service, request)


async def _chat(visit: Visit, request: Request) -> Response:
    raw = check(await visit.read(read_json(request)), dict[str, Any])
    wish = check(raw, Chat)
    if isinstance(thread := (wish.metadata or {}).get("thread"), str):
        visit.thread.call(thread)
    backend, ask = visit.service.backend, partial(asked, visit.service, visit.principal, wish.model)
    wanted = ask({}, wish.agent, wish.context)
    if wanted.agent or not isinstance(backend, Passes):  # else tools are between the client and the upstream
        wanted = ask(_session(wish), wish.agent, wish.context)
    messages = check(wish.messages, list[ChatMessage], "messages")
    visit.thread.belongs_to(wanted.agent)
    await _held(visit, wanted, messages)
    if isinstance(backend, Passes):
        return await passed_chat(visit, backend, wanted, wish, raw)
    return await _answered(visit, visit.senses.llm, wanted, wish, messages)


def _session(wish: Chat) -> dict[str, Any]:
    """What of a session the client asks for, in the Realtime API's words."""
    session: dict[str, Any] = {}
    if wish.tools is not None:
        session["tools"] = [flat_tool(tool, f"tools[{index}]") for index, tool in enumerate(wish.tools)]
    if wish.tool_choice is not None:
        session["tool_choice"] = flat_choice(wish.tool_choice)
    if wish.most is not None:
        session["max_output_tokens"] = wish.most
    return session


async def _held(visit: Visit, wanted: Asked, messages: Sequence[ChatMessage]) -> None:
    """Notes what was said, and holds it against the agent's locks: a client may write no instructions, put no words
    into the agent's mouth that are not in the thread, and answer no call that it did not make. Raises
    :class:`ProtocolError`."""
    known = None if wanted.may("history") else await visit.thread.known()
    calls: set[str] = set()
    for index, message in enumerate(messages):
        at = f"messages[{index}].role"
        if message.role in ("system", "developer"):
            if not wanted.may("instructions"):
                words = "The owner of this agent has fixed its instructions; leave this message out."
                raise ProtocolError("field_locked", words, param=at)
            continue
        said = set(_said(visit, message))
        answers = message.role == "tool" and message.tool_call_id in calls
        if known is not None and message.role != "user" and not answers and not known >= said:
            words = (
                "With this agent, what it said before counts as it stands in the thread: name the thread "
                f"({visit.thread.HEADER}) and send its words unchanged, or send the user's alone."
            )
            raise ProtocolError("field_locked", words, param=at)
        calls.update(call.id for call in message.tool_calls or ())


def _said(visit: Visit, message: ChatMessage) -> list[str]:
    """The ids of the items that a message is."""
    thread = visit.thread
    if message.role == "tool":
        return [thread.tool_gave(message.tool_call_id or "", message.words)]
    said = [thread.say(message.role, message.words)] if message.words and message.role in ("user", "assistant") else []
    calls = ((call.id, call.function) for call in message.tool_calls or ())
    return [*said, *(thread.call_tool(made.name, id, made.arguments) for id, made in calls if made)]


async def _answered(visit: Visit, llm: Llm, wanted: Asked, wish: Chat, messages: Sequence[ChatMessage]) -> Response:
    """By the model of this process."""
    await visit.pays(llm.name, wanted.agent)
    most = wanted.session.get("max_output_tokens")
    question = prompt(
        wish, messages, wanted.instructions,
        tools=wanted.tools, choice=wanted.session.get("tool_choice"), most=most if isinstance(most, int) else None,
    )  # fmt: skip
    if not llm.sees and any(message.images for message in question.messages):
        raise ProtocolError("unsupported_parameter", f"The model '{llm.name}' cannot see images.", param="messages")
    new_id, now = visit.service.new_id, visit.service.now()
    completion = Completion(new_id("chatcmpl-"), now, llm.name, new_id, tells_usage=wish.tells_usage)
    visit.stack.push_async_callback(_settle, visit, llm.name, completion, question)
    answer = cast(AsyncGenerator[Answer, None], llm.answer(question))
    visit.stack.push_async_callback(answer.aclose)
    first = await visit.unless_gone(_next(answer))  # what fails before it fails with a status
    if wish.stream:
        return EventStream(_chunks(first, answer, completion, question))
    return JSONResponse(await visit.unless_gone(_whole(first, answer, completion, question)))


async def _next(answer: AsyncIterator[Answer]) -> Answer:
    return await anext(answer, Finish())


async def _chunks(
    first: Answer, answer: AsyncIterator[Answer], completion: Completion, question: Prompt
) -> AsyncIterator[bytes]:
    async for chunk in _pushed(first, answer, completion, question):
        yield event(chunk)
    yield DONE


async def _whole(
    first: Answer, answer: AsyncIterator[Answer], completion: Completion, question: Prompt
) -> dict[str, Any]:
    async for _ in _pushed(first, answer, completion, question):
        pass
    return completion.whole(question)


async def _pushed(
    first: Answer, answer: AsyncIterator[Answer], completion: Completion, question: Prompt
) -> AsyncIterator[Mapping[str, Any]]:
    for chunk in completion.push(first, question):
        yield chunk
    async for part in answer:
        for chunk in completion.push(part, question):
            yield chunk


async def _settle(visit: Visit, model: str, completion: Completion, question: Prompt) -> None:
    """What came of it is charged and written down, even where its client has not waited for all of it."""
    tally = completion.tally
    came = tally.text or tally.calls or tally.finish
    await visit.answered(tally, model, protocol_usage(completion.usage(question)) if came else {})
