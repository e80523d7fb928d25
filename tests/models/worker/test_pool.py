"""The pool with real processes: replies, cancelling, dying, waiting, closing."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest

from tests.support.leaks import no_leaks
from vivavoce.models.interfaces import ModelError
from vivavoce.models.worker import pool as pools
from vivavoce.models.worker.pool import WorkerPool
from vivavoce.models.worker.wire import Kind, frame

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def workers_find_the_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


@asynccontextmanager
async def pool(size: int = 1, max_waiting: int = 4, module: str = "obedient") -> AsyncIterator[WorkerPool]:
    async with no_leaks():
        made = WorkerPool(f"tests.models.worker.{module}", "The test model", size=size, max_waiting=max_waiting)
        try:
            yield made
        finally:
            await made.close()


async def ask(workers: WorkerPool, request: str) -> str:
    return b" ".join([chunk async for chunk in workers.ask(request.encode())]).decode()


async def pid(workers: WorkerPool) -> int:
    return int(await ask(workers, "say $PID"))


def is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def process_of(workers: WorkerPool) -> asyncio.subprocess.Process:
    worker = workers._slots[0]._worker
    assert worker
    return worker._process


async def test_a_reply_comes_in_chunks_and_the_worker_stays() -> None:
    async with pool() as workers:
        await workers.warm()
        first = await pid(workers)
        assert [chunk async for chunk in workers.ask(b"say one two")] == [b"one", b"two"]
        assert await pid(workers) == first
    assert not is_running(first)


async def test_each_request_has_a_worker_of_its_own() -> None:
    async with pool(size=2) as workers, aclosing(workers.ask(b"flood")) as flood:
        await anext(flood)
        assert await ask(workers, "say hello") == "hello"


async def test_printing_does_no_harm_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    async with pool() as workers:
        await ask(workers, "print noise")
    assert "The test model: noise" in caplog.text


async def test_a_closed_iterator_frees_its_worker() -> None:
    async with pool() as workers:
        before = await pid(workers)
        async with aclosing(workers.ask(b"flood")) as flood:
            await anext(flood)
        assert await pid(workers) == before


async def test_a_cancelled_task_frees_its_worker() -> None:
    """In the middle of a frame too: 100 kB do not fit into a pipe."""
    async with pool() as workers:
        before = await pid(workers)
        for steps in range(0, 60, 4):
            task = asyncio.create_task(ask(workers, "flood"))
            for _ in range(steps):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
        assert await pid(workers) == before


async def test_who_does_not_heed_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "CANCEL_SECONDS", 0.05)
    async with pool() as workers:
        before = await pid(workers)
        async with aclosing(workers.ask(b"deaf")) as deaf:
            await anext(deaf)
        assert await pid(workers) != before
        assert not is_running(before)


async def test_who_dies_fails_its_request_and_is_replaced() -> None:
    async with pool() as workers:
        before = await pid(workers)
        with pytest.raises(ModelError, match="The test model stopped"):
            await ask(workers, "die")
        assert await pid(workers) != before


async def test_who_died_unasked_is_replaced_before_anybody_notices() -> None:
    async with pool() as workers:
        before = await pid(workers)
        os.kill(before, signal.SIGKILL)
        await process_of(workers).wait()
        assert await ask(workers, "say well") == "well"


async def test_a_failure_reaches_the_asker_alone() -> None:
    async with pool() as workers:
        before = await pid(workers)
        with pytest.raises(ModelError, match="The test model: not in this language"):
            await ask(workers, "refuse not in this language")
        with pytest.raises(ModelError, match=r"something went wrong \(ValueError\)") as caught:
            await ask(workers, "nonsense secret")
        assert "secret" not in str(caught.value)
        assert await pid(workers) == before


async def test_a_full_pool_refuses_at_once() -> None:
    async with pool(max_waiting=1) as workers, aclosing(workers.ask(b"flood")) as flood:
        await anext(flood)
        waiting = asyncio.create_task(ask(workers, "say late"))
        await asyncio.sleep(0)
        with pytest.raises(ModelError, match="busy: 1 requests are waiting"):
            await ask(workers, "say too late")
        await flood.aclose()
        assert await waiting == "late"


async def test_a_worker_that_cannot_start_says_why() -> None:
    async with pool(module="broken") as workers:
        with pytest.raises(ModelError, match="The test model: its model is missing"):
            await workers.warm()
        with pytest.raises(ModelError, match="its model is missing"):
            await ask(workers, "say hello")


async def test_closing_ends_what_is_running_and_what_starts() -> None:
    async with no_leaks():
        workers = WorkerPool("tests.models.worker.obedient", "The test model", size=3)
        running = await pid(workers)
        deaf = workers.ask(b"deaf")
        await anext(deaf)
        starting = asyncio.create_task(workers.warm())
        await asyncio.sleep(0)
        await workers.close()
        with pytest.raises(ModelError):
            await starting
        with pytest.raises(ModelError):
            await anext(deaf)
        with pytest.raises(ModelError, match="shut down"):
            await ask(workers, "say hello")
        assert not is_running(running)


async def test_secrets_stay_with_the_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    async with pool() as workers:
        assert await ask(workers, "env OPENAI_API_KEY") == ""
        assert await ask(workers, "env PATH")


def test_a_worker_ignores_ctrl_c_and_leaves_when_its_parent_does() -> None:
    worker = subprocess.Popen(
        [sys.executable, "-m", "tests.models.worker.obedient"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
    )
    assert worker.stdin
    assert worker.stdout
    assert worker.stdout.read(9)[0] == Kind.READY
    worker.send_signal(signal.SIGINT)
    worker.stdin.write(frame(Kind.REQUEST, 1, b"deaf"))
    worker.stdin.flush()
    assert worker.stdout.read(9)[0] == Kind.CHUNK
    with worker.stdout:
        worker.stdin.close()
        assert worker.wait(timeout=10) == 0
