"""A limit on what may have to wait: as ``asyncio.timeout`` has it, in every way that it can end."""

import asyncio

import pytest

from tests.support.virtual_time import virtual_time
from vivavoce.transports.patient import within


async def after(*pauses: float) -> str:
    for pause in pauses:
        await asyncio.sleep(pause)
    return "done"


@virtual_time
async def test_what_ends_at_once_and_what_ends_in_time():
    assert await within(1, after()) == "done"
    assert await within(1, after(0.3, 0, 0.3)) == "done"
    assert asyncio.get_running_loop().time() == pytest.approx(0.6)


@virtual_time
async def test_what_is_late_is_cancelled():
    ended = []

    async def slow() -> None:
        try:
            await asyncio.sleep(10)
        finally:
            ended.append(asyncio.get_running_loop().time())

    with pytest.raises(TimeoutError):
        await within(1, slow())
    assert ended == [1.0]


@virtual_time
async def test_its_errors_are_its_own():
    async def fails(pause: float) -> None:
        if pause:
            await asyncio.sleep(pause)
        raise ValueError

    for pause in (0.0, 0.5):
        with pytest.raises(ValueError):  # noqa: PT011
            await within(1, fails(pause))


@virtual_time
async def test_who_waits_may_be_cancelled():
    waiting = asyncio.create_task(within(10, after(5)))
    await asyncio.sleep(1)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


@virtual_time
async def test_a_coroutine_that_shrugs_off_a_cancel_goes_on_waiting():
    async def stubborn() -> str:
        try:
            await asyncio.sleep(5)
        except asyncio.CancelledError:
            await asyncio.sleep(1)
        return "done"

    waiting = asyncio.create_task(within(10, stubborn()))
    await asyncio.sleep(1)
    waiting.cancel()
    assert await waiting == "done"
