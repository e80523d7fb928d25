"""A server that is killed in mid-answer and started again: what was finished is there, and the conversation goes on.

The process is a real one and dies of SIGKILL. An upstream that the test plays answers, so that it can be seen what
the next one is told.
"""

import asyncio
import json
import signal
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.support.backends import ScriptedBackend
from tests.support.process import PATIENCE, Process, serve
from tests.support.serving import serving
from vivavoce.protocol.frame import AUDIO_DELTA, Frame
from vivavoce.store.database import in_directory
from vivavoce.store.store import Store, open_store

OURS = [Subprotocol("vivavoce.v1"), Subprotocol("realtime")]


def frame(type: str, **data: Any) -> Frame:
    return Frame(type, {"type": type, "event_id": f"event_{type}", **data})


def message(id: str, role: str, kind: str, words: str | None, status: str = "completed") -> dict[str, Any]:
    content = [] if words is None else [{"type": kind, "transcript": words}]
    return {"id": id, "object": "realtime.item", "type": "message", "status": status, "role": role, "content": content}


ASKED = message("item_u", "user", "input_audio", "Count to ten.")
BEGUN = {"id": "resp_1", "object": "realtime.response", "status": "in_progress", "conversation_id": "conv_1"}
WHERE = {"response_id": "resp_1", "item_id": "item_a", "output_index": 0, "content_index": 0}
TURN = [
    frame("conversation.item.added", previous_item_id=None, item=ASKED),
    frame("conversation.item.done", previous_item_id=None, item=ASKED),
    frame("response.created", response=BEGUN),
    frame("response.output_item.added", response_id="resp_1", output_index=0,
          item=message("item_a", "assistant", "output_audio", None, "in_progress")),
    frame("response.output_audio_transcript.delta", **WHERE, delta="One, two, three. "),
    Frame(AUDIO_DELTA, {"type": AUDIO_DELTA, "event_id": "event_s", **WHERE}, bytes(48_000)),
    frame("response.output_audio_transcript.delta", **WHERE, delta="Four, fi"),
]  # fmt: skip


async def event(socket: ClientConnection, type: str) -> dict[str, Any]:
    """The next of that type; all before it is let go."""
    async with asyncio.timeout(PATIENCE):
        while (found := json.loads(await socket.recv()))["type"] != type:
            pass
    return dict(found)


async def written(store: Store, words: str) -> str:
    """Until that was said, as far as the store knows; the session's id."""
    async with asyncio.timeout(PATIENCE):
        while True:
            for session in await store.sessions.newest():
                if any(words in item.words for item in await store.items.all(session.id)):
                    return session.id


async def running(process: Process) -> str:
    return (await process.address()).replace("http", "ws", 1).rstrip("/") + "/v1/realtime"


async def test_killed_in_mid_answer_it_goes_on_where_it_was(tmp_path: Path):
    answering = ScriptedBackend()
    async with serving(answering) as theirs:
        options = ("--backend", "upstream", "--upstream-url", f"{theirs.http}/v1", "--port", "0")
        key = {"OPENAI_API_KEY": "sk-anything"}
        async with serve(tmp_path, *options, **key) as process:
            socket = await connect(await running(process), subprotocols=OURS)
            upstream = await answering.next_opened()
            await event(socket, "session.created")
            token = (await event(socket, "vivavoce.resume"))["token"]
            await socket.send('{"type": "input_audio_buffer.clear"}')
            await upstream.next_sent()
            upstream.arrive(*TURN)
            await event(socket, "response.output_audio.delta")
            store = open_store(in_directory(tmp_path / "data"))
            record = await written(store, "One, two, three.")
            process.signal(signal.SIGKILL)
            with pytest.raises(ConnectionClosed):
                await event(socket, "never")
        items = await store.items.all(record)
        store.close()
        assert [(item.id, item.role) for item in items] == [("item_u", "user"), ("item_a", "assistant")]
        assert items[0].words == "Count to ten."

        async with serve(tmp_path, *options, **key) as process:
            offered = [*OURS, Subprotocol(f"vivavoce-resume.{token}")]
            url = await running(process)
            socket = await connect(url, subprotocols=offered)
            upstream = await answering.next_opened()
            told = [(await upstream.next_sent()).data["item"] for _ in range(2)]
            assert [(item["id"], item["content"][0]["type"]) for item in told] == [
                ("item_u", "input_text"),
                ("item_a", "output_text"),
            ]
            assert told[1]["content"][0]["text"].startswith("One, two, three.")
            for item in told:
                upstream.arrive(frame("conversation.item.added", item=item), frame("conversation.item.done", item=item))
            await event(socket, "session.created")
            assert (await event(socket, "conversation.created"))["conversation"]["id"] == "conv_1"
            shown = [(await event(socket, "conversation.item.done"))["item"] for _ in range(2)]
            assert [item["id"] for item in shown] == ["item_u", "item_a"]
            assert shown[0]["content"] == ASKED["content"]
            restored = await event(socket, "vivavoce.restored")
            assert (restored["items"], restored["missing"]) == (2, ["audio", "settings"])
            await socket.send('{"type": "response.create"}')
            assert (await upstream.next_sent()).type == "response.create"
            upstream.arrive(frame("response.created", response={**BEGUN, "id": "resp_2", "conversation_id": "conv_2"}))
            assert (await event(socket, "response.created"))["response"]["conversation_id"] == "conv_1"
            async with connect(url, subprotocols=offered) as replayed:
                assert (await event(replayed, "error"))["error"]["code"] == "resume_token_invalid"
            await socket.close()
