"""
The store's tables.

What is asked for by column stands in a column; the rest of a value lies beside it as its own JSON document, so that a new field of a
case or a plan needs no migration. The migrations are frozen copies of what stands here; a test holds the two together.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    text,
)
from sqlalchemy.types import TypeDecorator


class Moment(TypeDecorator[datetime]):
    """
    An aware moment, always UTC: SQLite keeps no zone, so it is put on again when reading.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a moment needs its zone: {value!r}")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        if value is None:
            return None
        if dialect.name == "sqlite":
            return value.replace(tzinfo=UTC)
        return value.astimezone(UTC)


METADATA = MetaData()

platforms = Table(
    "platforms",
    METADATA,
    Column("name", String(64), primary_key=True),
    Column("document", Text, nullable=False),
    Column("at", Moment, nullable=False),
)

services = Table(
    "services",
    METADATA,
    Column("platform", String(64), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("document", Text, nullable=False),
    Column("at", Moment, nullable=False),
)

past_services = Table(
    "past_services",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("platform", String(64), nullable=False),
    Column("name", String(64), nullable=False),
    Column("document", Text, nullable=False),
    Column("until", Moment, nullable=False),
    Index("past_services_by_name", "platform", "name", "number"),
    sqlite_autoincrement=True,
)
"""What a service was asked to be before its last changes: what rolling back goes back to."""

resources = Table(
    "resources",
    METADATA,
    Column("platform", String(64), primary_key=True),
    Column("kind", String(32), primary_key=True),
    Column("name", String(255), primary_key=True),
    Column("cloud_id", String(64), nullable=False),
    Column("at", Moment, nullable=False),
)

plans = Table(
    "plans",
    METADATA,
    Column("run", Integer, primary_key=True, autoincrement=True),
    Column("id", String(128), nullable=False),
    Column("platform", String(64), nullable=False),
    Column("service", String(64)),
    Column("purpose", String(32), nullable=False),
    Column("holder", String(255), nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("closed_at", Moment),
    Column("outcome", Text),
    Column("document", Text, nullable=False),
    Index("plans_by_id", "id", "run"),
    Index("plans_by_service", "platform", "service", "opened_at"),
    sqlite_autoincrement=True,
)
"""A plan has the same id whenever it has the same steps, so each time it is opened anew is a run of its own."""

entries = Table(
    "entries",
    METADATA,
    Column(
        "run", Integer, ForeignKey("plans.run", ondelete="CASCADE"), primary_key=True
    ),
    Column("step_id", String(255), primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("state", String(16), nullable=False),
    Column("intended_at", Moment, nullable=False),
    Column("ended_at", Moment),
    Column("error", Text),
    Column("result", Text, nullable=False),
)

leases = Table(
    "leases",
    METADATA,
    Column("name", String(255), primary_key=True),
    Column("holder", String(255), nullable=False),
    Column("purpose", String(255), nullable=False),
    Column("fencing", Integer, nullable=False),
    Column("expires_at", Moment, nullable=False),
)

alerts = Table(
    "alerts",
    METADATA,
    Column("sequence", Integer, primary_key=True, autoincrement=True),
    Column("key", String(255), nullable=False, unique=True),
    Column("status", String(16), nullable=False),
    Column("platform", String(64)),
    Column("service", String(64)),
    Column("case_id", String(64)),
    Column("document", Text, nullable=False),
    Index("alerts_pending", "case_id", "sequence"),
    Index("alerts_firing", "platform", "service", "status"),
    sqlite_autoincrement=True,
)

cases = Table(
    "cases",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("key", String(255), nullable=False),
    Column("service", String(64), nullable=False),
    Column("open", Boolean, nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("document", Text, nullable=False),
    Index(
        "cases_one_open_per_key",
        "key",
        unique=True,
        sqlite_where=text("open"),
        postgresql_where=text("open"),
    ),
    Index("cases_by_opening", "opened_at"),
)

switches = Table(
    "switches",
    METADATA,
    Column("name", String(64), primary_key=True),
    Column("is_on", Boolean, nullable=False),
    Column("changed_by", String(255), nullable=False),
    Column("why", Text, nullable=False),
    Column("at", Moment, nullable=False),
)

pauses = Table(
    "pauses",
    METADATA,
    Column("key", String(255), primary_key=True),
    Column("document", Text, nullable=False),
)

quarantines = Table(
    "quarantines",
    METADATA,
    Column("key", String(255), primary_key=True),
    Column("document", Text, nullable=False),
)

approvals = Table(
    "approvals",
    METADATA,
    Column("case_id", String(64), primary_key=True),
    Column("key", String(255), nullable=False),
    Column("state", String(16), nullable=False),
    Column("asked_at", Moment, nullable=False),
    Column("document", Text, nullable=False),
    Index("approvals_by_key", "key", "asked_at"),
)

secrets = Table(
    "secrets",
    METADATA,
    Column("platform", String(64), primary_key=True),
    Column("name", String(255), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("sealed", Text, nullable=False),
    Column("made_at", Moment, nullable=False),
    Column("handed_out_at", Moment),
)
"""Encrypted before they get here; the highest version of a name is in force."""
