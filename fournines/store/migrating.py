"""
Bringing the database's tables to the newest revision, once, however many processes start at the same moment.

SQLite: the migration runs inside one immediate transaction, so a second starter waits for the first and finds nothing left to do.
PostgreSQL: the same by an advisory lock that ends with the transaction.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from fournines.store.database import Database
from fournines.store.protocol import StoreError

_ADVISORY_LOCK = 4_199_990_001
"""Any number nobody else on that PostgreSQL uses."""


def migrate(database: Database) -> None:
    """
    Upgrade to the newest revision.

    Raises:
        StoreError: The database cannot be reached, or it was written by a newer release.
    """
    config = configuration()
    script = ScriptDirectory.from_config(config)
    with database.reading("reading the revision") as connection:
        if _revision_is(script, MigrationContext.configure(connection)):
            return
    with database.writing("migrating the tables") as connection:
        if not database.is_sqlite:
            connection.execute(
                text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _ADVISORY_LOCK}
            )
        if _revision_is(script, MigrationContext.configure(connection)):
            return
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def configuration() -> Config:
    """
    Alembic's configuration, without an ini file.
    """
    config = Config()
    config.set_main_option(
        "script_location", str(Path(__file__).parent / "migrations").replace("%", "%%")
    )
    config.set_main_option("path_separator", "os")
    return config


def _revision_is(script: ScriptDirectory, context: MigrationContext) -> bool:
    present = context.get_current_revision()
    if present is None:
        return False
    known = {revision.revision for revision in script.walk_revisions()}
    if present not in known:
        raise StoreError(
            f"the store was written by a newer release (revision {present}). "
            "Update this checkout, or choose another store by FOURNINES_DATABASE_URL"
        )
    return present == script.get_current_head()
