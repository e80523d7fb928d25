"""What a crash leaves of a recording is put in order when the server starts again."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sessions.recording.test_repair import length, recorded
from tests.support.backends import ScriptedBackend
from vivavoce.server.app import build
from vivavoce.server.keeping import Keeping
from vivavoce.server.mending import STILL_SECONDS, mend
from vivavoce.server.options import ServerOptions
from vivavoce.server.service import Service
from vivavoce.store.recordings import Recording
from vivavoce.store.sessions import Session
from vivavoce.store.store import Store, in_memory

SESSION = Session(id="sess_1", owner="local", kept="audio", backend="builtin", model="m", started_at=1.0)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """Of a server that is not running: one that is mends at its start, too."""
    keeping = Keeping(store=in_memory(tmp_path))
    service: Service = build(ServerOptions(), ScriptedBackend(), keeping=keeping).state.service
    yield service
    keeping.store.close()


async def left_behind(store: Store, now: float, *, ago: float) -> Path:
    """A file that broke off, and its row."""
    await store.sessions.begin(SESSION)
    await store.recordings.begin("sess_1", Recording(name="a.ogg", started_at=1.0))
    file = recorded(store.files.make("sess_1", "a.ogg"), 10)
    file.write_bytes(file.read_bytes()[:-300])
    os.utime(file, (now - ago, now - ago))
    return file


async def test_it_can_be_played_to_where_it_broke_off(service: Service) -> None:
    store = service.store
    file = await left_behind(store, service.now(), ago=STILL_SECONDS + 1)
    await mend(service)
    (row,) = await store.recordings.all("sess_1")

    assert row.state == "broken"
    assert row.bytes == file.stat().st_size
    assert length(file) == pytest.approx(row.ms / 1000, abs=0.1)


async def test_one_that_still_grows_is_left_alone(service: Service) -> None:
    store = service.store
    file = await left_behind(store, service.now(), ago=STILL_SECONDS / 2)
    before = file.read_bytes()
    await mend(service)
    (row,) = await store.recordings.all("sess_1")

    assert (row.state, file.read_bytes()) == ("recording", before)


async def test_one_of_which_nothing_is_left_is_said_to_be_empty(service: Service) -> None:
    store = service.store
    (await left_behind(store, service.now(), ago=STILL_SECONDS + 1)).unlink()
    await mend(service)
    (row,) = await store.recordings.all("sess_1")

    assert (row.state, row.ms, row.bytes) == ("broken", 0, 0)
