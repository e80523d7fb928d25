"""A conversation whose upstream drops between two turns: the next answer, by another session there, knows the first.

The upstream is a second Vivavoce with an engine of its own, whose mind writes down what it is asked.
"""

import asyncio
import json
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from tests.engine.support import senses
from tests.support.fake_models import FakeLlm, says
from tests.support.faulty_proxy import faulty
from tests.support.leaks import no_leaks
from tests.support.serving import serving
from vivavoce.backends.builtin import Builtin
from vivavoce.backends.upstream.backend import UpstreamBackend
from vivavoce.backends.upstream.patience import Patience


async def until(socket: ClientConnection, type: str, seen: list[dict[str, Any]]) -> None:
    async with asyncio.timeout(10):
        while not seen or seen[-1]["type"] != type:
            seen.append(json.loads(await socket.recv()))


async def ask(socket: ClientConnection, words: str) -> list[dict[str, Any]]:
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": words}]}
    await socket.send(json.dumps({"type": "conversation.item.create", "item": item}))
    await socket.send(json.dumps({"type": "response.create"}))
    seen: list[dict[str, Any]] = []
    await until(socket, "response.done", seen)
    return seen


async def test_the_next_answer_knows_what_was_said_before_the_upstream_dropped():
    mind = FakeLlm(says("It rains."), says("Still."))
    theirs = Builtin(senses(llm=mind), lambda: 1_700_000_000.0)
    async with no_leaks(sockets=True):
        async with serving(theirs) as upstream, faulty(upstream.port) as proxy:
            backend = UpstreamBackend(proxy.url, "sk-any", patience=Patience(pause=0))
            async with serving(backend) as ours, connect(ours.ws) as socket:
                first = await ask(socket, "What is the weather?")
                proxy.cut()
                second = await ask(socket, "And now?")
    assert [(message.role, message.text) for message in mind.asked[1].prompt.messages] == [
        ("user", "What is the weather?"),
        ("assistant", "It rains."),
        ("user", "And now?"),
    ]
    conversations = {event["response"]["conversation_id"] for event in [*first, *second] if "response" in event}
    assert len(conversations) == 1
    assert [event["type"] for event in second].count("conversation.item.added") == 2  # what is new, and nothing else
    assert "session.created" not in [event["type"] for event in second]
