"""
Alembic's migrations of the store; run by fournines.store.migrating.
"""
