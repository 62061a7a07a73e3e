"""
What services were asked to be before: rolling back needs it.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """
    Apply.
    """
    op.create_table(
        "past_services",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("platform", sa.String(64), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "past_services_by_name", "past_services", ["platform", "name", "number"]
    )


def downgrade() -> None:
    """
    Take back.
    """
    op.drop_table("past_services")
