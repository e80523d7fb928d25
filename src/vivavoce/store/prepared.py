"""A statement that is put together once and run for many rows. SQLAlchemy's way from a statement to the database takes
several times as long as SQLite takes to run a small one."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, CursorResult, Dialect
from sqlalchemy.sql.dml import UpdateBase

__all__ = ["Prepared"]


class _Text(NamedTuple):
    sql: str
    parameters: Sequence[tuple[str, Callable[[Any], Any] | None]]
    """In their order; and what the type of each makes of a value."""
    by_order: bool


class Prepared:
    """``statement`` inserts, updates or deletes, and has no values of its own, all are parameters. An insert takes all
    columns of its table."""

    def __init__(self, statement: UpdateBase) -> None:
        self._statement = statement
        self._texts: dict[str, _Text] = {}
        """By the name of the dialect."""

    def run(self, connection: Connection, *rows: Mapping[str, Any]) -> CursorResult[Any]:
        """For one row or more, each with all parameters, and perhaps more."""
        sql, parameters, by_order = self._text(connection.dialect)
        values = [tuple([process(row[name]) if process else row[name] for name, process in parameters]) for row in rows]
        if not by_order:
            names = [name for name, _ in parameters]
            return connection.exec_driver_sql(sql, [dict(zip(names, each, strict=True)) for each in values])
        return connection.exec_driver_sql(sql, values)

    def _text(self, dialect: Dialect) -> _Text:
        if dialect.name not in self._texts:
            compiled = self._statement.compile(dialect=dialect)
            names = compiled.positiontup or list(compiled.binds)
            types = [compiled.binds[name].type.dialect_impl(dialect) for name in names]
            parameters = [(name, type.bind_processor(dialect)) for name, type in zip(names, types, strict=True)]
            self._texts[dialect.name] = _Text(str(compiled), parameters, compiled.positiontup is not None)
        return self._texts[dialect.name]
