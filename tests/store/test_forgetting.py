"""Deleting sessions: rows, files, one person's data, what is too old."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from tests.store.test_sessions import NOON, message, session
from tests.support.past import put
from vivavoce.store.calls import DirectCall
from vivavoce.store.database import in_directory
from vivavoce.store.files import Files
from vivavoce.store.forgetting import AT_ONCE
from vivavoce.store.recordings import Recording
from vivavoce.store.responses import Response
from vivavoce.store.store import Store, in_memory, open_store
from vivavoce.store.usage import NOBODY
from vivavoce.store.writing import Batch


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Store]:
    store = in_memory(tmp_path / "recordings")
    yield store
    store.close()


async def recorded(store: Store, id: str, **fields: object) -> Path:
    """One with a word, a cost and a recording."""
    begun = session(id, **fields)
    paid = Response(id="resp_1", model="m", ended_at=NOON, usd=Decimal("0.5"))
    await store.ledger.write(
        Batch(
            session_id=id,
            owner=begun.owner,
            now=begun.started_at,
            begun=begun,
            items=[message("a", "x")],
            responses=[paid],
        )
    )
    await store.recordings.begin(id, Recording(name="one.ogg", started_at=NOON))
    path = store.files.make(id, "one.ogg")
    path.write_bytes(b"OggS")
    return path


async def test_nothing_is_left_of_a_session_but_its_cost(kept: Store):
    path, other = await recorded(kept, "sess_1"), await recorded(kept, "sess_2")
    assert await kept.forgetting.session("sess_1")
    assert not path.parent.exists()
    assert other.exists()
    assert await kept.items.all("sess_1") == []
    assert await kept.responses.all("sess_1") == []
    assert await kept.recordings.all("sess_1") == []
    assert sum(day.usd for day in await kept.usage.days()) == 1
    assert not await kept.forgetting.session("sess_1")


async def test_one_persons_data_are_deleted_and_nobody_elses(kept: Store):
    theirs = [await recorded(kept, f"sess_{number}") for number in range(AT_ONCE + 3)]
    await recorded(kept, "sess_other", owner="user:b")
    await kept.calls.begin(DirectCall("rtc_1", "theirs", "user:a", NOON))
    await kept.calls.end("rtc_1", NOON)
    assert await kept.forgetting.owner("user:a") == AT_ONCE + 3
    assert not any(path.exists() for path in theirs)
    assert [each.id for each in await kept.sessions.newest()] == ["sess_other"]
    assert {day.owner for day in await kept.usage.days()} == {NOBODY, "user:b"}
    assert await kept.calls.find("rtc_1") is None
    assert await kept.forgetting.owner("user:a") == 0


async def test_what_was_deleted_is_on_the_disk_no_more(tmp_path: Path):
    store = open_store(in_directory(tmp_path), tmp_path / "recordings")
    await store.sessions.begin(session())
    await put(store, "sess_1", message("a", "the word is swordfish"))

    def on_disk() -> bool:
        return any(b"swordfish" in file.read_bytes() for file in tmp_path.iterdir() if file.is_file())

    assert on_disk()
    await store.forgetting.session("sess_1")
    assert not on_disk()
    store.close()


async def test_what_is_too_old_goes_and_what_lives_stays(kept: Store):
    for number in range(4):
        await recorded(kept, f"sess_{number}", started_at=NOON + number)
    assert await kept.forgetting.older(NOON + 2, spare={"sess_0"}) == 1
    assert {each.id for each in await kept.sessions.newest()} == {"sess_0", "sess_2", "sess_3"}


async def test_a_file_that_cannot_be_deleted_keeps_its_session(kept: Store, monkeypatch: pytest.MonkeyPatch):
    path = await recorded(kept, "sess_1")

    def refuse(self: Files, session_id: str) -> None:
        raise OSError(1, "not allowed")

    with monkeypatch.context() as patched:
        patched.setattr(Files, "delete", refuse)
        with pytest.raises(OSError, match="not allowed"):
            await kept.forgetting.session("sess_1")
    assert await kept.sessions.find("sess_1") is not None
    assert await kept.forgetting.session("sess_1")
    assert not path.exists()


@pytest.mark.parametrize(
    "name", ["../x", "..", ".", "", "a/b", "a\\b", ".hidden", "a\0b", "x" * 129, "/etc/passwd", "ä", "a\n"]
)
def test_no_name_leads_anywhere_else(tmp_path: Path, name: str):
    files = Files(tmp_path / "recordings")
    (tmp_path / "x").mkdir()
    for session_id, file in ((name, "one.ogg"), ("sess_1", name)):
        with pytest.raises(ValueError, match="no name of a file"):
            files.path(session_id, file)
    files.delete(name)
    assert (tmp_path / "x").is_dir()


def test_files_are_the_users_alone(tmp_path: Path):
    path = Files(tmp_path / "recordings").make("sess_1", "one.ogg")
    assert {each.stat().st_mode & 0o777 for each in (path.parent, path.parent.parent)} == {0o700}


async def test_a_store_without_a_directory_has_no_files():
    store = in_memory()
    await store.sessions.begin(session())
    assert await store.forgetting.session("sess_1")
    with pytest.raises(OSError, match="Not a directory"):
        store.files.make("sess_1", "one.ogg")
    store.close()


async def test_forgetting_in_either_database(url: str, tmp_path: Path):
    store = open_store(url, tmp_path / "recordings")
    path = await recorded(store, "sess_1")
    assert await store.forgetting.owner("user:a") == 1
    assert not path.exists()
    assert [day.owner for day in await store.usage.days()] == [NOBODY]
    store.close()
