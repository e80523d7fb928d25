"""The database: made, brought up to date, refused when it is newer; the same in SQLite and PostgreSQL."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, text

from vivavoce.store.calls import DirectCall
from vivavoce.store.database import FILE, StoreError, in_directory, open_engine
from vivavoce.store.schema import metadata
from vivavoce.store.store import Store, in_memory, open_store
from vivavoce.store.upgrade import REVISIONS, migrate


async def test_migrations_make_the_tables_that_a_new_database_is_given(url: str):
    engine = open_engine(url)
    with engine.begin() as connection:
        migrate(connection)
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        migrated = described(connection)
        for table in ("items", "responses", "recordings", *migrated):  # those first that refer to others
            connection.execute(text(f"DROP TABLE IF EXISTS {table}"))
    open_store(url).close()
    with engine.begin() as connection:
        assert described(connection) == migrated
    engine.dispose()


def described(connection: Connection) -> dict[str, list[str]]:
    """Each table, with all that a database knows of it but the order of its columns; and the version."""
    found = inspect(connection)
    version = connection.execute(text("SELECT * FROM alembic_version")).all()
    told: dict[str, list[Any]] = {table: [found.get_pk_constraint(table)] for table in found.get_table_names()}
    for table, parts in told.items():
        for each in (found.get_columns, found.get_foreign_keys, found.get_indexes, found.get_unique_constraints):
            parts += each(table)
    return {table: sorted(map(str, parts)) for table, parts in told.items()} | {"alembic_version": [str(version)]}


async def test_what_was_kept_is_there_when_it_is_opened_again(url: str):
    first = open_store(url)
    await first.calls.begin(DirectCall("rtc_1", "theirs", "key:1", 10.0, sealed=b"\0\xff"))
    first.close()
    second = open_store(url)
    assert await second.calls.live() == [DirectCall("rtc_1", "theirs", "key:1", 10.0, sealed=b"\0\xff")]
    second.close()


async def test_what_an_older_version_kept_is_brought_up_to_date(url: str):
    engine = open_engine(url)
    with engine.begin() as connection:
        migrate(connection, "0001")
        connection.execute(
            text("INSERT INTO direct_calls (id, upstream_id, owner, started_at) VALUES ('a', 'b', 'c', 1)")
        )
    engine.dispose()
    store = open_store(url)
    assert await store.calls.live() == [DirectCall("a", "b", "c", 1.0)]
    assert await store.sessions.newest() == []
    store.close()


async def test_direct_calls_end_once_and_are_forgotten(store: Store):
    for number in (2, 1):
        await store.calls.begin(DirectCall(f"rtc_{number}", "theirs", "key:1", float(number), sealed=b"x"))
    assert [call.id for call in await store.calls.live()] == ["rtc_1", "rtc_2"]
    await store.calls.end("rtc_1", 20.0)
    await store.calls.end("rtc_1", 30.0)
    assert [call.id for call in await store.calls.live()] == ["rtc_2"]
    assert await store.calls.find("rtc_1") == DirectCall("rtc_1", "theirs", "key:1", 1.0, 20.0)
    await store.calls.forget(before=20.5)
    assert await store.calls.find("rtc_1") is None
    assert await store.calls.find("rtc_2") is not None


async def test_grants_are_bounded_and_expire(store: Store):
    async def add(name: bytes, expires_at: float, now: float) -> bool:
        return await store.grants.add(name, sealed=b"s" + name, expires_at=expires_at, now=now, limit=2)

    assert await add(b"a", 10.0, 0.0)
    assert await add(b"b", 20.0, 0.0)
    assert not await add(b"c", 20.0, 9.0)
    assert await add(b"c", 20.0, 10.0)
    assert (await store.grants.find(b"a"), await store.grants.find(b"b")) == (None, b"sb")


async def test_half_a_transaction_is_none(store: Store):
    def work(connection: object) -> None:
        connection.execute(text("DELETE FROM direct_calls"))  # type: ignore[attr-defined]
        raise RuntimeError("in the middle")

    await store.calls.begin(DirectCall("rtc_1", "theirs", "key:1", 10.0))
    with pytest.raises(RuntimeError):
        await store.database.run(work)
    assert await store.calls.find("rtc_1") is not None


async def test_a_newer_database_is_refused_in_words(url: str):
    store = open_store(url)
    await store.database.run(lambda it: it.execute(text("UPDATE alembic_version SET version_num = '9999'")))
    store.close()
    with pytest.raises(StoreError, match=f"newer Vivavoce.*9999.*knows {REVISIONS[-1]}.*another data directory"):
        open_store(url)


def test_the_file_is_the_users_alone(tmp_path: Path):
    open_store(in_directory(tmp_path / "data")).close()
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "data" / FILE).stat().st_mode & 0o777 == 0o600


async def test_it_is_in_wal_mode_and_beside_another_that_writes(tmp_path: Path):
    one, two = open_store(in_directory(tmp_path)), open_store(in_directory(tmp_path))
    mode = await one.database.run(lambda connection: connection.execute(text("PRAGMA journal_mode")).scalar())
    assert mode == "wal"
    for number in range(20):
        await (one, two)[number % 2].calls.begin(DirectCall(f"rtc_{number}", "theirs", "key:1", float(number)))
    assert len(await one.calls.live()) == 20
    one.close()
    two.close()


async def test_one_in_memory_is_empty_and_has_the_same_tables():
    one, two = in_memory(), in_memory()
    await one.calls.begin(DirectCall("rtc_1", "theirs", "key:1", 10.0))
    assert await two.calls.live() == []
    one.close()
    two.close()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("no url", "is none that can be used"),
        ("mysql://x/y", "is none that can be used"),
        ("oracle+nonsense://x/y", "is none that can be used"),
        ("sqlite:////proc/nowhere/x", "cannot be written"),
        ("postgresql://me:hidden@127.0.0.1:1/x", "cannot be used"),
    ],
)
def test_what_cannot_be_opened_says_why_and_no_password(url: str, words: str):
    with pytest.raises(StoreError, match=words) as error:
        open_store(url)
    assert "hidden" not in str(error.value)


def test_a_file_that_is_no_database(tmp_path: Path):
    (tmp_path / FILE).write_text("This is a shopping list, and a long one at that. " * 40)
    with pytest.raises(StoreError, match="cannot be used: file is not a database"):
        open_store(in_directory(tmp_path))


def test_alembic_is_loaded_only_for_an_upgrade(tmp_path: Path):
    """Not for tables that are new, and not where there is nothing to do."""
    script = (
        "import sys; from vivavoce.store.store import open_store; "
        "open_store(sys.argv[1]).close(); open_store(sys.argv[1]).close(); "
        "sys.exit('alembic' in sys.modules)"
    )
    command = [sys.executable, "-c", script, in_directory(tmp_path)]
    assert subprocess.run(command, check=False, env={**os.environ}).returncode == 0
