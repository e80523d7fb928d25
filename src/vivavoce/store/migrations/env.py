"""What Alembic runs: the migrations, in the transaction of ``upgrade.py``."""

from alembic import context

from vivavoce.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,  # SQLite can, and Alembic would not ask it to
)
context.run_migrations()
