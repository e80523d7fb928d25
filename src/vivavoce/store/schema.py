"""All tables together. Times are unix seconds; a secret is kept as its hash, or sealed."""

from sqlalchemy import MetaData

__all__ = ["metadata"]

metadata = MetaData(
    naming_convention={"ix": "ix_%(table_name)s_%(column_0_name)s", "uq": "uq_%(table_name)s_%(column_0_name)s",
                       "pk": "pk_%(table_name)s"}
)  # fmt: skip
