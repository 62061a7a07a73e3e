"""
How Alembic runs our migrations: on the connection, and inside the transaction, it is handed.
"""

from __future__ import annotations

from alembic import context

from fournines.store.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,
)
context.run_migrations()
