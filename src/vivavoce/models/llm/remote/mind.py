"""Asks a server for a chat completion and tells it as it comes.

What a server does not know (``stream_options``, ``max_tokens`` under one name or the other) it is not asked for a
second time: it refuses before it has given anything, so the question is put again without.
"""

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from typing import Any, Literal

import msgspec

from vivavoce.models.interfaces import Answer, Finish, ModelError, Prompt, Said
from vivavoce.models.llm.remote.calls import Calls
from vivavoce.models.llm.remote.chunk import Choice, Chunk, Usage, decode
from vivavoce.models.llm.remote.messages import messages, tool_choice, tools
from vivavoce.models.llm.remote.thoughts import Aloud
from vivavoce.models.remote.api import Api, Reply
from vivavoce.models.remote.errors import Refusal, cut, refusal, strange
from vivavoce.models.remote.place import Patience, Remote
from vivavoce.models.remote.sse import Events, TooLong

__all__ = ["RemoteLlm", "Telling"]

Reason = Literal["stop", "length", "content_filter"]
_REASONS: dict[str, Reason] = {"length": "length", "max_tokens": "length", "content_filter": "content_filter"}
"""All others (``stop``, ``tool_calls``, ``eos``) are an end as it should be."""
_DONE = b"[DONE]"


class RemoteLlm:
    """Implements ``Llm``; the settings are those of :class:`Remote`. Whether it sees images, its server will say."""

    sees = True

    def __init__(
        self, *, url: str = "", model: str = "", key: str = "", key_env: str = "", patience: Patience | None = None
    ) -> None:
        remote = Remote.of("llm", url=url, model=model, key=key, key_env=key_env)
        self.name = remote.model
        self._api = Api(remote, patience)
        self._most = "max_completion_tokens" if remote.is_openai else "max_tokens"
        self._tells_usage = True

    async def warm(self) -> None:
        """Raises :class:`ModelError` where the server cannot be reached or does not take the key."""
        await self._api.check()

    async def check(self) -> list[str] | None:
        """As :meth:`Api.check`."""
        return await self._api.check()

    async def answer(self, prompt: Prompt) -> AsyncGenerator[Answer, None]:
        for _ in range(3):  # each time with a parameter less
            try:
                async with self._api.ask("POST", "/chat/completions", lambda: {"json": self._body(prompt)}) as reply:
                    telling = Telling(self._api.remote)
                    async with aclosing(_events(reply, self._api.remote)) as events:
                        async for data in events:
                            for part in telling.push(data):
                                yield part
                    for part in telling.finish():
                        yield part
                    return
            except Refusal as error:
                if not self._learnt(error):
                    raise
        raise strange(self._api.remote, "it refuses what it has asked for")

    async def close(self) -> None:
        await self._api.close()

    def _body(self, prompt: Prompt) -> dict[str, Any]:
        body: dict[str, Any] = {"model": self.name, "messages": messages(prompt), "stream": True}
        if self._tells_usage:
            body["stream_options"] = {"include_usage": True}
        if prompt.tools:
            body["tools"] = tools(prompt.tools)
            body["tool_choice"] = tool_choice(prompt.tool_choice)
        if prompt.max_tokens is not None:
            body[self._most] = prompt.max_tokens
        return body

    def _learnt(self, error: Refusal) -> bool:
        """Whether it is worth asking again, without what was refused."""
        if error.status not in (400, 422):
            return False
        if self._tells_usage and "stream_options" in error.said:
            self._tells_usage = False
            return True
        if self._most in error.said:
            self._most = "max_tokens" if self._most == "max_completion_tokens" else "max_completion_tokens"
            return True
        return False


async def _events(reply: Reply, remote: Remote) -> AsyncGenerator[bytes, None]:
    """The data of each event; an answer that was not streamed is one."""
    if reply.kind == "application/json":
        yield await reply.whole()
        return
    events = Events()
    try:
        async with aclosing(reply.chunks()) as chunks:
            async for chunk in chunks:
                for data in events.push(chunk):
                    yield data
        for data in events.finish():
            yield data
    except TooLong:
        raise strange(remote, "an event of its answer is too long") from None


class Telling:
    """From the chunks of one completion to its parts."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote
        self._calls, self._aloud = Calls(), Aloud()
        self._reason: str | None = None
        self._usage = Usage()
        self._done = False

    def push(self, data: bytes) -> Iterator[Answer]:
        if data.strip() == _DONE:
            self._done = True
        elif data and not self._done:
            chunk = self._read(data)
            self._usage = chunk.usage or self._usage
            for choice in (chunk.choices or ())[:1]:
                yield from self._choice(choice)

    def finish(self) -> Iterator[Answer]:
        """Raises :class:`ModelError` where the server left without a word of its being the end."""
        if self._reason is None and not self._done:
            raise cut(self._remote)
        if rest := self._aloud.finish():
            yield Said(rest)
        yield from self._calls.finish()
        usage = self._usage
        cached = usage.prompt_tokens_details.cached_tokens if usage.prompt_tokens_details else None
        reason = _REASONS.get(self._reason or "", "stop")
        yield Finish(reason, usage.prompt_tokens, usage.completion_tokens, cached or 0)

    def _choice(self, choice: Choice) -> Iterator[Answer]:
        delta = choice.delta or choice.message
        if delta is not None:
            if (text := delta.content or delta.refusal) and (aloud := self._aloud.push(text)):
                yield Said(aloud)
            if delta.tool_calls:
                yield from self._calls.push(delta.tool_calls)
        self._reason = choice.finish_reason or self._reason

    def _read(self, data: bytes) -> Chunk:
        try:
            chunk = decode(data)
        except msgspec.DecodeError:
            raise strange(self._remote, "a piece of its answer is no chat completion") from None
        if chunk.error:
            raise _failed(self._remote, data)
        return chunk


def _failed(remote: Remote, data: bytes) -> ModelError:
    """It went wrong after it had begun well: the status was a success, the error comes as an event."""
    return refusal(remote, 500, data)
