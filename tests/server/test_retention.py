"""Sessions are deleted when they are too old: at the start, and every hour."""

import asyncio

import pytest

from tests.store.test_sessions import session
from tests.support.access import Clock
from tests.support.backends import ScriptedBackend
from tests.support.virtual_time import virtual_time
from vivavoce.server.app import build
from vivavoce.server.keeping import Keeping
from vivavoce.server.options import ServerOptions
from vivavoce.server.retention import DAY, HOUR, retain
from vivavoce.server.service import Service
from vivavoce.store.calls import DirectCall
from vivavoce.store.store import in_memory


def house(clock: Clock, keep_days: int | None) -> Service:
    app = build(ServerOptions(keep_days=keep_days), ScriptedBackend(), now=clock, keeping=Keeping(store=in_memory()))
    service: Service = app.state.service
    return service


async def ids(service: Service) -> list[str]:
    return [each.id for each in await service.store.sessions.newest()]


@virtual_time
async def test_at_the_start_and_then_every_hour():
    clock = Clock(100 * DAY)
    service = house(clock, 30)
    for name, age in (("old", 31), ("young", 29), ("aging", 30 - 1 / 48)):
        await service.store.sessions.begin(session(f"sess_{name}", started_at=clock.now - age * DAY))
    retaining = asyncio.create_task(retain(service))
    await asyncio.sleep(1)
    assert await ids(service) == ["sess_young", "sess_aging"]
    clock.now += HOUR
    await asyncio.sleep(HOUR)
    assert await ids(service) == ["sess_young"]
    retaining.cancel()
    service.store.close()


@virtual_time
async def test_one_that_lives_stays_and_a_failure_is_tried_again(caplog: pytest.LogCaptureFixture):
    clock = Clock(100 * DAY)
    service = house(clock, 1)
    await service.store.sessions.begin(session(started_at=1.0))
    await service.store.sessions.begin(session("sess_2", started_at=1.0))
    with service.registry.admit("rtc_1", "webrtc") as live:
        live.record = "sess_1"
        failing, service.store.files.delete = service.store.files.delete, _fail  # type: ignore[method-assign]
        retaining = asyncio.create_task(retain(service))
        await asyncio.sleep(1)
        assert "could not all be deleted: [Errno 28] No room" in caplog.text
        service.store.files.delete = failing  # type: ignore[method-assign]
        await asyncio.sleep(HOUR)
        assert await ids(service) == ["sess_1"]
    retaining.cancel()
    service.store.close()


def _fail(session_id: str) -> None:
    raise OSError(28, "No room")


@virtual_time
async def test_without_a_number_nothing_is_deleted_but_calls_that_are_over():
    clock = Clock(100 * DAY)
    service = house(clock, None)
    await service.store.sessions.begin(session(started_at=1.0))
    await service.store.calls.begin(DirectCall("rtc_1", "theirs", "local", 1.0, ended_at=2.0))
    retaining = asyncio.create_task(retain(service))
    await asyncio.sleep(1)
    assert await ids(service) == ["sess_1"]
    assert await service.store.calls.find("rtc_1") is None
    retaining.cancel()
    service.store.close()
