"""What a client comes back with."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "resume_tokens",
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.Column("session_id", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("expires_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("hash", name="pk_resume_tokens"),
    )
    for column in ("session_id", "expires_at"):
        op.create_index(f"ix_resume_tokens_{column}", "resume_tokens", [column])
