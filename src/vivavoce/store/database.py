"""The database, reached by a few threads of its own, so that no session waits for a disk.

SQLite by default, one file in the data directory, in WAL mode; PostgreSQL by URL. What is said to them is the same SQL.
"""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.pool import StaticPool

__all__ = ["FILE", "Database", "StoreError", "Transactions", "in_directory", "memory_engine", "open_engine"]

FILE = "vivavoce.sqlite3"
BUSY_SECONDS = 10
"""How long to wait for another process that writes, the command ``vivavoce keys`` for instance."""
CONNECTIONS = 4
"""To PostgreSQL. SQLite has one writer at a time anyway, and one thread for it."""

T = TypeVar("T")


class StoreError(Exception):
    """The database cannot be used. The message is for who runs the server: what happened and what to do."""


class Transactions(Protocol):
    async def run(self, work: Callable[[Connection], T]) -> T:
        """As :meth:`Database.run`."""


class Database:
    """Owns the engine and the threads; :meth:`close` ends both."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        threads = 1 if engine.dialect.name == "sqlite" else CONNECTIONS
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="store")
        self.waiting = 0
        """Transactions that were asked for and are not done."""

    async def run(self, work: Callable[[Connection], T]) -> T:
        """``work`` in one transaction, in a thread: all of it is done, or nothing. Once begun, it is finished even
        where the caller is cancelled."""
        self.waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._in_transaction, work)
        finally:
            self.waiting -= 1

    def _in_transaction(self, work: Callable[[Connection], T]) -> T:
        with self.engine.begin() as connection:
            return work(connection)

    async def erase(self) -> None:
        """What was deleted is gone from SQLite's files, too; PostgreSQL has its own times for that."""
        if self.engine.dialect.name == "sqlite":
            await asyncio.get_running_loop().run_in_executor(self._threads, self._empty_log)

    def _empty_log(self) -> None:
        connection = self.engine.raw_connection()
        try:
            connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            connection.close()

    def close(self) -> None:
        self._threads.shutdown()
        self.engine.dispose()


def memory_engine() -> Engine:
    """An empty database that ends with the process."""
    return _sqlite(create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False}))


def in_directory(directory: Path) -> str:
    """The URL of the database in a data directory."""
    return URL.create("sqlite", database=str(directory / FILE)).render_as_string()


def open_engine(url: str) -> Engine:
    """For ``sqlite:////a/file`` or ``postgresql://…``; nothing is connected yet. Raises :class:`StoreError`."""
    try:
        return _engine(make_url(url))
    except (ArgumentError, NoSuchModuleError):
        raise StoreError(
            "The database URL is none that can be used; write postgresql://user@host/name, or sqlite:////path/to/file."
        ) from None
    except ModuleNotFoundError as error:
        raise StoreError(
            f"This database needs a package that is not installed, {error.name}: pip install 'vivavoce[postgres]'"
        ) from None


def _engine(url: URL) -> Engine:
    if url.get_backend_name() == "postgresql":
        if url.get_driver_name() in ("psycopg2", ""):
            url = url.set(drivername="postgresql+psycopg")
        return create_engine(url, pool_size=CONNECTIONS, max_overflow=0, pool_pre_ping=True, hide_parameters=True)
    if url.get_backend_name() != "sqlite":
        raise ArgumentError
    if url.database:
        _ours_alone(Path(url.database))
    return _sqlite(
        create_engine(
            url,
            connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
            hide_parameters=True,  # what people say has no place in a traceback
        )
    )


def _sqlite(engine: Engine) -> Engine:
    @event.listens_for(engine, "connect")
    def set_up(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # sqlite3 would begin transactions of its own, and too late
        for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON", "secure_delete = ON"):
            connection.execute(f"PRAGMA {pragma}")
        connection.create_function("lower", 1, _lower, deterministic=True)  # SQLite's own knows ASCII alone

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # At once for writing: a reader that begins to write later may find itself too late, and fail.
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _lower(text: Any) -> Any:
    return text.lower() if isinstance(text, str) else text


def _ours_alone(path: Path) -> None:
    """SQLite gives the files beside it the same rights."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise StoreError(f"The database {path} cannot be written: {error.strerror}.") from None
