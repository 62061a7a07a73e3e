"""
Opening a store: its migrations, and what is refused.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from fournines.store.database import connect
from fournines.store.protocol import StoreError
from fournines.store.sql import open_store
from fournines.store.tables import METADATA


def test_migrations_build_what_the_tables_say(url):
    """
    The migrated database and the table definitions do not differ.
    """
    open_store(url).close()
    database = connect(url)
    with database.reading("comparing") as db:
        context = MigrationContext.configure(db, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []
    database.engine.dispose()


def test_two_starters_migrate_once(url):
    """
    Two processes that open an empty store at the same moment both succeed.
    """
    with ThreadPoolExecutor(4) as pool:
        stores = list(pool.map(lambda _: open_store(url), range(4)))
    assert all(s.registry.platforms() == () for s in stores)
    for opened in stores:
        opened.close()


def test_a_newer_store_is_refused(url):
    """
    A store written by a newer release is left alone, and the message says what to do.
    """
    open_store(url).close()
    database = connect(url)
    with database.writing("ageing") as db:
        db.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreError, match="newer release"):
        open_store(url)
    database.engine.dispose()


def test_an_unknown_database_is_refused():
    """
    A URL of another kind of database names the two we can use.
    """
    with pytest.raises(StoreError, match="sqlite:///PATH"):
        open_store("mysql://somewhere/store")
