"""Brings the tables to what this version knows. An empty database is given them as they are; older ones are brought up
to date step by step, and Alembic, which takes 15 MB, is loaded for that alone. Both ways lead to the same tables."""

from pathlib import Path
from typing import Final

from sqlalchemy import Column, Connection, Engine, MetaData, PrimaryKeyConstraint, String, Table, inspect, text

from vivavoce.store.database import StoreError

__all__ = ["REVISIONS", "migrate", "upgrade"]

MIGRATIONS: Final = Path(__file__).parent / "migrations"
REVISIONS: Final = sorted(file.name.partition("_")[0] for file in (MIGRATIONS / "versions").glob("[0-9]*.py"))
"""Their names are numbers, in order."""
LOCK: Final = 0x7669_7661
"""In PostgreSQL: one process upgrades at a time. In SQLite the transaction itself sees to that."""
_VERSION: Final = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
"""As Alembic makes and reads it."""


def upgrade(engine: Engine, tables: MetaData) -> None:
    """In one transaction. ``tables`` are all of this version's. Raises :class:`StoreError` for a database that a newer
    version has written."""
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        found = _revision(connection)
        if found == REVISIONS[-1]:
            return
        if found is not None and found not in REVISIONS:
            raise StoreError(
                f"The database {engine.url!r} was written by a newer Vivavoce (its tables are of version {found}, this "
                f"one knows {REVISIONS[-1]}). Install that version, or use another data directory."
            )
        if tables.tables.keys().isdisjoint(inspect(connection).get_table_names()):
            _make(connection, tables)
        else:
            migrate(connection)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table(_VERSION.name):
        return None
    return connection.execute(_VERSION.select()).scalar()


def _make(connection: Connection, tables: MetaData) -> None:
    tables.create_all(connection, checkfirst=False)
    _VERSION.create(connection, checkfirst=True)
    connection.execute(_VERSION.insert(), {"version_num": REVISIONS[-1]})


def migrate(connection: Connection, to: str = "head") -> None:
    """Takes the steps up to this revision, in the transaction of ``connection``."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, to)
