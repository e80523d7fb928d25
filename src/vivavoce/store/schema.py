"""All tables together. Times are unix seconds; a secret is kept as its hash, or sealed; money is exact."""

from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, Dialect, MetaData, Text, func
from sqlalchemy.types import TypeDecorator

__all__ = ["Dollars", "Words", "like", "metadata"]

metadata = MetaData(
    naming_convention={"ix": "ix_%(table_name)s_%(column_0_name)s", "uq": "uq_%(table_name)s_%(column_0_name)s",
                       "pk": "pk_%(table_name)s", "fk": "fk_%(table_name)s_%(column_0_name)s"}
)  # fmt: skip


class Dollars(TypeDecorator[Decimal]):
    """US dollars as a :class:`Decimal`, kept as a whole number of 10⁻¹² dollars: sums of them are exact in every
    database, up to nine million dollars. A token of the cheapest model on the list costs 75,000 of these."""

    impl = BigInteger
    cache_ok = True
    PLACES = 12

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:
        return None if value is None else int(value.scaleb(self.PLACES).to_integral_value())

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(int(value)).scaleb(-self.PLACES)


class Words(TypeDecorator[str]):
    """Text that came from outside: what a database cannot hold is left out of it, NUL and half a surrogate pair."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else value.replace("\0", "").encode("utf-8", "replace").decode()


def like(column: Any, words: str) -> Any:
    """Whether ``words`` are in it, as they are written but for their case: no character stands for another."""
    return func.lower(column).contains(words.lower(), autoescape=True)
