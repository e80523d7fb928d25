"""The door: ``/health`` before anything else is there."""

import asyncio
import subprocess
import sys
import threading

import httpx
import pytest
from starlette.applications import Starlette

from tests.support.backends import ScriptedBackend
from tests.support.leaks import no_leaks
from vivavoce.server.app import build
from vivavoce.server.door import Door
from vivavoce.server.options import ServerOptions
from vivavoce.server.run import Server, Serving, listen


@pytest.fixture(autouse=True)
async def _nothing_is_left():
    async with no_leaks():
        yield


class Slow:
    """A building that takes until it is let go."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.go = threading.Event()
        self._failure = failure

    def __call__(self) -> Starlette:
        assert self.go.wait(20)
        if self._failure:
            raise self._failure
        return build(ServerOptions(), ScriptedBackend())


def served(slow: Slow) -> tuple[Door, Server, "asyncio.Task[None]", httpx.AsyncClient]:
    door, listening = Door(slow), listen("127.0.0.1", 0)
    server = Server(door, Serving(drain_seconds=0.1))
    client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{listening.getsockname()[1]}", timeout=20)
    return door, server, asyncio.create_task(server.serve([listening])), client


async def test_health_is_answered_while_the_rest_is_built_and_the_rest_waits_for_it():
    slow = Slow()
    _, server, running, client = served(slow)
    async with client:
        assert (await client.get("/health")).json() == {"status": "ok"}
        waiting = asyncio.create_task(client.get("/ready"))
        assert (await client.get("/health")).status_code == 200
        assert not waiting.done()
        slow.go.set()
        assert (await waiting).json()["ready"] is True
        assert (await client.get("/health")).status_code == 200
    server.should_exit = True
    await running


async def test_what_cannot_be_built_ends_the_server_and_is_told():
    slow = Slow(RuntimeError("no database"))
    door, _, running, client = served(slow)
    async with client:
        assert (await client.get("/health")).status_code == 200
        waiting = asyncio.create_task(client.get("/ready"))
        await asyncio.sleep(0)
        slow.go.set()
        await running
        waiting.cancel()
        await asyncio.wait([waiting])
    assert str(door.failure) == "no database"


async def test_who_is_told_to_leave_while_building_leaves():
    slow = Slow()
    _, server, running, client = served(slow)
    async with client:
        assert (await client.get("/health")).status_code == 200
    server.should_exit = True
    slow.go.set()
    await running


def test_what_stands_before_the_door_is_light():
    """What takes long to import is behind it."""
    heavy = {"numpy", "onnxruntime", "sqlalchemy", "alembic", "aiortc", "aiohttp", "mcp", "jwt"}
    script = f"import sys, vivavoce.cli.serve; print(sorted({heavy!r} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert (result.stdout.strip(), result.stderr) == ("[]", "")
