"""What was said, used and recorded."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("kept", sa.Text, nullable=False),
        sa.Column("backend", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("agent", sa.Text),
        sa.Column("voice", sa.Text),
        sa.Column("call_id", sa.Text),
        sa.Column("conversation_id", sa.Text),
        sa.Column("title", sa.Text),
        sa.Column("preview", sa.Text),
        sa.Column("started_at", sa.Double, nullable=False),
        sa.Column("active_at", sa.Double, nullable=False),
        sa.Column("ended_at", sa.Double),
        sa.Column("end_reason", sa.Text),
        sa.Column("responses", sa.Integer, nullable=False),
        sa.Column("unpriced", sa.Integer, nullable=False),
        sa.Column("usd", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sessions"),
    )
    op.create_index("ix_sessions_owner", "sessions", ["owner", "active_at"])
    for column in ("active_at", "call_id", "conversation_id"):
        op.create_index(f"ix_sessions_{column}", "sessions", [column])
    op.create_table(
        "items",
        sa.Column("session_id", sa.Text, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("place", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("role", sa.Text),
        sa.Column("status", sa.Text),
        sa.Column("said_at", sa.Double, nullable=False),
        sa.Column("ms", sa.Integer),
        sa.Column("words", sa.Text, nullable=False),
        sa.Column("item", sa.Text, nullable=False),
        *_of_a_session("items", "id"),
    )
    op.create_index("ix_items_session_id", "items", ["session_id", "position"])
    op.create_table(
        "responses",
        sa.Column("session_id", sa.Text, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("agent", sa.Text),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("usage", sa.Text),
        sa.Column("usd", sa.BigInteger),
        sa.Column("ended_at", sa.Double, nullable=False),
        *_of_a_session("responses", "id"),
    )
    op.create_table(
        "usage",
        sa.Column("day", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("agent", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("requests", "unpriced", "text_in", "audio_in")),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("cached_in", "text_out", "audio_out")),
        sa.Column("seconds", sa.Double, nullable=False),
        sa.Column("usd", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("day", "owner", "agent", "model", name="pk_usage"),
    )
    op.create_table(
        "recordings",
        sa.Column("session_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("codec", sa.Text, nullable=False),
        sa.Column("channels", sa.Integer, nullable=False),
        sa.Column("started_at", sa.Double, nullable=False),
        sa.Column("ms", sa.BigInteger, nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        *_of_a_session("recordings", "name"),
    )
    for name, kind in (("session_id", sa.Text), ("agent", sa.Text), ("model", sa.Text), ("address", sa.Text)):
        op.add_column("direct_calls", sa.Column(name, kind))


def _of_a_session(table: str, key: str) -> tuple[sa.Constraint, ...]:
    """It goes with its session."""
    return (
        sa.PrimaryKeyConstraint("session_id", key, name=f"pk_{table}"),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], name=f"fk_{table}_session_id", ondelete="CASCADE"),
    )
