"""A server that is killed in mid-answer: what was said until then is on the disk, and the next one knows it."""

import asyncio
import json
import signal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from websockets.asyncio.client import ClientConnection, connect

from tests.support.process import PATIENCE, serve
from vivavoce.cli.main import main
from vivavoce.store.database import in_directory
from vivavoce.store.items import Item
from vivavoce.store.store import open_store

pytestmark = pytest.mark.models

LONG = "the quick brown fox jumps over the lazy dog, and then it sleeps all day. " * 40
"""More than a client that reads no further is sent."""


async def ask(socket: ClientConnection, words: str) -> None:
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": words}]}
    await socket.send(json.dumps({"type": "conversation.item.create", "item": item}))
    await socket.send('{"type": "response.create"}')


async def until(socket: ClientConnection, type: str) -> dict[str, Any]:
    async for message in socket:
        event: dict[str, Any] = json.loads(message)
        if event["type"] == type:
            return event
    raise AssertionError(f"the session ended without {type}")


async def written(directory: Path) -> list[Item]:
    """As another process reads it."""
    store = open_store(in_directory(directory / "data"))
    (session,) = await store.sessions.newest()
    items = await store.items.all(session.id)
    store.close()
    return items


async def test_what_was_finished_is_there_after_a_kill(tmp_path: Path):
    async with serve(tmp_path, "--port", "0") as process:
        url = (await process.address()).replace("http", "ws") + "/v1/realtime"
        async with connect(url, max_size=None, open_timeout=PATIENCE) as socket:
            await ask(socket, "What is 12 times 7?")
            await until(socket, "response.done")
            await ask(socket, f"Say after me: {LONG}")
            await until(socket, "response.output_audio.delta")
            async with asyncio.timeout(PATIENCE):
                while len(await written(tmp_path)) < 3:  # a few hundredths of a second
                    pass
            process.signal(signal.SIGKILL)
            assert (await process.rest())[0] == -signal.SIGKILL
    store = open_store(in_directory(tmp_path / "data"))
    (session,) = await store.sessions.newest()
    store.close()
    question, answer, second, *_ = await written(tmp_path)
    assert (session.title, session.ended_at, session.responses) == ("What is 12 times 7?", None, 1)
    assert (question.words, question.status) == ("What is 12 times 7?", "completed")
    assert "84" in answer.words
    assert answer.ms is not None
    assert second.words.startswith("Say after me")


def test_a_store_that_nothing_was_said_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    shown = CliRunner().invoke(main, ["sessions", "list", "--data-dir", str(tmp_path / "data")])
    assert shown.output == "There are no such sessions.\n"
