"""Brings the tables to what this version knows. Alembic is loaded only when there is something to do."""

from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, inspect, text

from vivavoce.store.database import StoreError

__all__ = ["REVISIONS", "migrate", "upgrade"]

MIGRATIONS: Final = Path(__file__).parent / "migrations"
REVISIONS: Final = sorted(file.name.partition("_")[0] for file in (MIGRATIONS / "versions").glob("[0-9]*.py"))
"""Their names are numbers, in order."""
LOCK: Final = 0x7669_7661
"""In PostgreSQL: one process upgrades at a time. In SQLite the transaction itself sees to that."""


def upgrade(engine: Engine) -> None:
    """In one transaction. Raises :class:`StoreError` for a database that a newer version has written."""
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
        migrate(connection)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def migrate(connection: Connection, to: str = "head") -> None:
    """Takes the steps up to this revision, in the transaction of ``connection``."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, to)
