"""The clock jumps, threads are waited for, and what would hang fails."""

import asyncio
import time

import pytest

from tests.support.virtual_time import Deadlock, run_virtual, virtual_time


@virtual_time
async def test_an_hour_passes_at_once() -> None:
    started = time.monotonic()
    loop = asyncio.get_running_loop()
    await asyncio.sleep(3600)
    assert loop.time() == pytest.approx(3600)
    assert time.monotonic() - started < 5


@virtual_time
async def test_timers_fire_in_order_and_on_time() -> None:
    log: list[tuple[str, float]] = []
    loop = asyncio.get_running_loop()

    async def note(name: str, after: float) -> None:
        await asyncio.sleep(after)
        log.append((name, round(loop.time(), 9)))

    await asyncio.gather(note("c", 0.3), note("a", 0.1), note("b", 0.2), note("b2", 0.2))
    assert log == [("a", 0.1), ("b", 0.2), ("b2", 0.2), ("c", 0.3)]


@virtual_time
async def test_a_timeout_strikes() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(5):
            await asyncio.Event().wait()
    assert asyncio.get_running_loop().time() == pytest.approx(5)


@virtual_time
async def test_work_in_a_thread_takes_no_virtual_time() -> None:
    sleeper = asyncio.create_task(asyncio.sleep(1))
    await asyncio.to_thread(time.sleep, 0.02)
    assert asyncio.get_running_loop().time() == 0
    await sleeper


def test_a_deadlock_is_raised_and_says_who_waits() -> None:
    async def hopeless() -> None:
        await asyncio.Event().wait()

    with pytest.raises(Deadlock, match="hopeless"):
        run_virtual(hopeless())


def test_a_task_left_behind_fails() -> None:
    left = []

    async def careless() -> None:
        left.append(asyncio.create_task(asyncio.sleep(100), name="forgotten"))

    with pytest.raises(AssertionError, match="forgotten"):
        run_virtual(careless())


@virtual_time
async def test_the_decorator_passes_fixtures_on(tmp_path: object) -> None:
    assert tmp_path
