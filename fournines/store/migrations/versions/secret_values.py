"""
Secrets, encrypted, in versions.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """
    Apply.
    """
    op.create_table(
        "secrets",
        sa.Column("platform", sa.String(64), primary_key=True),
        sa.Column("name", sa.String(255), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("sealed", sa.Text, nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("handed_out_at", sa.DateTime(timezone=True)),
    )


def downgrade() -> None:
    """
    Take back.
    """
    op.drop_table("secrets")
