"""
The first tables: registry, journal, leases, inbox, cases, switches.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """
    Apply.
    """
    _registry()
    _journal()
    _leases_and_switches()
    _inbox()
    _cases()


def downgrade() -> None:
    """
    Take back.
    """
    for table in (
        "switches",
        "cases",
        "alerts",
        "leases",
        "entries",
        "plans",
        "resources",
        "services",
        "platforms",
    ):
        op.drop_table(table)


def _moment() -> sa.DateTime:
    return sa.DateTime(timezone=True)


def _registry() -> None:
    op.create_table(
        "platforms",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("at", _moment(), nullable=False),
    )
    op.create_table(
        "services",
        sa.Column("platform", sa.String(64), primary_key=True),
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("at", _moment(), nullable=False),
    )
    op.create_table(
        "resources",
        sa.Column("platform", sa.String(64), primary_key=True),
        sa.Column("kind", sa.String(32), primary_key=True),
        sa.Column("name", sa.String(255), primary_key=True),
        sa.Column("cloud_id", sa.String(64), nullable=False),
        sa.Column("at", _moment(), nullable=False),
    )


def _journal() -> None:
    op.create_table(
        "plans",
        sa.Column("run", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("id", sa.String(128), nullable=False),
        sa.Column("platform", sa.String(64), nullable=False),
        sa.Column("service", sa.String(64)),
        sa.Column("purpose", sa.String(32), nullable=False),
        sa.Column("holder", sa.String(255), nullable=False),
        sa.Column("opened_at", _moment(), nullable=False),
        sa.Column("closed_at", _moment()),
        sa.Column("outcome", sa.Text),
        sa.Column("document", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("plans_by_id", "plans", ["id", "run"])
    op.create_index("plans_by_service", "plans", ["platform", "service", "opened_at"])
    op.create_table(
        "entries",
        sa.Column(
            "run",
            sa.Integer,
            sa.ForeignKey("plans.run", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("step_id", sa.String(255), primary_key=True),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("intended_at", _moment(), nullable=False),
        sa.Column("ended_at", _moment()),
        sa.Column("error", sa.Text),
        sa.Column("result", sa.Text, nullable=False),
    )


def _leases_and_switches() -> None:
    op.create_table(
        "leases",
        sa.Column("name", sa.String(255), primary_key=True),
        sa.Column("holder", sa.String(255), nullable=False),
        sa.Column("purpose", sa.String(255), nullable=False),
        sa.Column("fencing", sa.Integer, nullable=False),
        sa.Column("expires_at", _moment(), nullable=False),
    )
    op.create_table(
        "switches",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("is_on", sa.Boolean, nullable=False),
        sa.Column("changed_by", sa.String(255), nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("at", _moment(), nullable=False),
    )


def _inbox() -> None:
    op.create_table(
        "alerts",
        sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("key", sa.String(255), nullable=False, unique=True),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("platform", sa.String(64)),
        sa.Column("service", sa.String(64)),
        sa.Column("case_id", sa.String(64)),
        sa.Column("document", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("alerts_pending", "alerts", ["case_id", "sequence"])
    op.create_index("alerts_firing", "alerts", ["platform", "service", "status"])


def _cases() -> None:
    op.create_table(
        "cases",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("key", sa.String(255), nullable=False),
        sa.Column("service", sa.String(64), nullable=False),
        sa.Column("open", sa.Boolean, nullable=False),
        sa.Column("opened_at", _moment(), nullable=False),
        sa.Column("document", sa.Text, nullable=False),
    )
    op.create_index(
        "cases_one_open_per_key",
        "cases",
        ["key"],
        unique=True,
        sqlite_where=sa.text("open"),
        postgresql_where=sa.text("open"),
    )
    op.create_index("cases_by_opening", "cases", ["opened_at"])
