"""
What keeps healing back: pauses, quarantines, approvals.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """
    Apply.
    """
    for name in ("pauses", "quarantines"):
        op.create_table(
            name,
            sa.Column("key", sa.String(255), primary_key=True),
            sa.Column("document", sa.Text, nullable=False),
        )
    op.create_table(
        "approvals",
        sa.Column("case_id", sa.String(64), primary_key=True),
        sa.Column("key", sa.String(255), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("document", sa.Text, nullable=False),
    )
    op.create_index("approvals_by_key", "approvals", ["key", "asked_at"])


def downgrade() -> None:
    """
    Take back.
    """
    for table in ("approvals", "quarantines", "pauses"):
        op.drop_table(table)
