"""A chat completion that another server makes: passed on as it comes, and followed closely enough to charge it and to
write it down."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import msgspec
from starlette.responses import Response

from vivavoce.backends.interface import BackendError
from vivavoce.backends.plain import Passed, Passes
from vivavoce.models.interfaces import Finish, ModelError
from vivavoce.models.llm.remote.mind import Telling
from vivavoce.models.remote.place import Remote
from vivavoce.models.remote.sse import Events, TooLong
from vivavoce.protocol.session.usage import text_tokens
from vivavoce.protocol.wire.errors import ProtocolError
from vivavoce.protocol.wire.shape import check
from vivavoce.server.v1.plain.asking import Asked
from vivavoce.server.v1.plain.completion import Tally, protocol_usage
from vivavoce.server.v1.plain.events import EventStream, event
from vivavoce.server.v1.plain.shapes import Chat, ChatMessage, nested_choice, nested_tool
from vivavoce.server.v1.plain.visit import Visit

__all__ = ["passed_chat", "whole"]

MAX_WHOLE = 16 * 1024 * 1024
"""Bytes of an answer that is not streamed."""
_OURS = {"agent", "context"}
_FREE = frozenset(
    """
    messages model stream stream_options tools tool_choice max_tokens max_completion_tokens metadata temperature top_p
    stop seed user safety_identifier presence_penalty frequency_penalty response_format verbosity agent context
    """.split()
)
"""What a client may set where an agent holds something fixed; each of them that can be fixed was judged before."""


async def passed_chat(visit: Visit, backend: Passes, wanted: Asked, wish: Chat, raw: Mapping[str, Any]) -> Response:
    model = wanted.model or visit.service.options.plain_models["llm"]
    await visit.pays(model, wanted.agent)
    body = _body(wanted, wish, raw, model)
    following = _Following(_written(body["messages"]))
    visit.stack.push_async_callback(_settle, visit, model, following)
    passed = await visit.passed(backend, "/chat/completions", body)
    if "text/event-stream" in passed.kind:
        return EventStream(_events(passed, following, tells_usage=wish.tells_usage))
    answer = await visit.unless_gone(whole(passed))
    following.see(answer)
    return Response(answer, headers={"Content-Type": passed.kind})


def _body(wanted: Asked, wish: Chat, raw: Mapping[str, Any], model: str) -> dict[str, Any]:
    """What the client sent, with what the agent makes of it. Raises :class:`ProtocolError` for what is locked."""
    if wanted.agent and wanted.agent.locked and (odd := sorted(raw.keys() - _FREE)):
        words = f"With this agent '{odd[0][:64]}' cannot be set; leave it out."
        raise ProtocolError("field_locked", words, param=odd[0][:64])
    body = {name: value for name, value in raw.items() if name not in _OURS}
    body["model"] = model
    if wanted.instructions:
        body["messages"] = [{"role": "system", "content": wanted.instructions}, *wish.messages]
    if wanted.agent:
        body |= _fixed(wanted.tools, wanted.session)
    if metadata := {name: value for name, value in (wish.metadata or {}).items() if name != "thread"}:
        body["metadata"] = metadata
    else:
        body.pop("metadata", None)
    if wish.stream:
        body["stream_options"] = {**(raw.get("stream_options") or {}), "include_usage": True}  # by it we charge
    return body


def _fixed(tools: list[Mapping[str, Any]], session: Mapping[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = {}
    if tools:
        body["tools"] = [nested_tool(tool) for tool in tools]
        if session.get("tool_choice"):
            body["tool_choice"] = nested_choice(session["tool_choice"])
    if isinstance(most := session.get("max_output_tokens"), int):
        body["max_completion_tokens"] = most
    return body


class _Following:
    """What was said and used. Who hangs up before the usage is told has used it all the same: it is estimated then."""

    def __init__(self, asked: int) -> None:
        """``asked``: tokens of the question, about."""
        self.tally = Tally()
        self._asked = asked
        self._telling = Telling(Remote("llm", "", ""))

    def see(self, data: bytes) -> None:
        """What is no completion is the client's to understand."""
        try:
            for part in self._telling.push(data):
                self.tally.push(part)
        except ModelError:
            return

    def usage(self) -> dict[str, Any]:
        """At the end of it."""
        try:
            for part in self._telling.finish():
                self.tally.push(part)
        except ModelError:
            pass  # it was cut
        told, calls = self.tally.finish or Finish(), self.tally.calls
        said = text_tokens(self.tally.text) + sum(text_tokens(name + arguments) for name, _, arguments in calls)
        counts = {
            "prompt_tokens": self._asked if told.input_tokens is None else told.input_tokens,
            "completion_tokens": said if told.output_tokens is None else told.output_tokens,
            "prompt_tokens_details": {"cached_tokens": told.cached_tokens},
        }
        return protocol_usage(counts)


def _written(messages: Sequence[Mapping[str, Any]]) -> int:
    """Tokens of their words."""
    return sum(text_tokens(message.words) for message in check(list(messages), list[ChatMessage], "messages"))


async def _events(passed: Passed, following: _Following, *, tells_usage: bool) -> AsyncIterator[bytes]:
    events = Events()
    try:
        async for chunk in passed.chunks:
            for data in events.push(chunk):
                following.see(data)
                if tells_usage or not _is_usage(data):
                    yield event(data)
    except TooLong:
        raise BackendError.of(502, "An event of the upstream's answer is too long.") from None


def _is_usage(data: bytes) -> bool:
    """The chunk that we have asked for, and the client has not."""
    if b'"usage"' not in data or b'"choices"' not in data:
        return False
    try:
        chunk = msgspec.json.decode(data)
    except msgspec.DecodeError:
        return False
    return isinstance(chunk, dict) and chunk.get("choices") == [] and chunk.get("usage") is not None


async def whole(passed: Passed) -> bytes:
    body = bytearray()
    async for chunk in passed.chunks:
        body += chunk
        if len(body) > MAX_WHOLE:
            raise BackendError.of(502, f"The upstream's answer has more than {MAX_WHOLE} bytes.")
    return bytes(body)


async def _settle(visit: Visit, model: str, following: _Following) -> None:
    usage = following.usage()
    await visit.answered(following.tally, model, {} if visit.refused else usage)
