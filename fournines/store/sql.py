"""
The store over one SQL database.
"""

from __future__ import annotations

from datetime import datetime

from fournines.clock import Clock
from fournines.store.cases import SqlCases
from fournines.store.database import Database, connect
from fournines.store.inbox import SqlInbox
from fournines.store.journal import SqlJournal
from fournines.store.leases import SqlLeases
from fournines.store.migrating import migrate
from fournines.store.registry import SqlRegistry
from fournines.store.restraints import SqlApprovals, SqlPauses, SqlQuarantines
from fournines.store.secrets_store import SqlSecrets
from fournines.store.switches import SqlSwitches
from fournines.trust.keyring import Keyring, KeySource


class SqlStore:
    """
    `Store` on a database.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock | None = None,
        keyring: Keyring | None = None,
    ) -> None:
        self._database = database
        self.registry = SqlRegistry(database)
        self.journal = SqlJournal(database)
        self.leases = SqlLeases(database, clock)
        self.inbox = SqlInbox(database)
        self.cases = SqlCases(database)
        self.switches = SqlSwitches(database)
        self.pauses = SqlPauses(database)
        self.quarantines = SqlQuarantines(database)
        self.approvals = SqlApprovals(database)
        self.secrets = SqlSecrets(database, keyring)

    def now(self) -> datetime:
        """
        The present by the database's clock.
        """
        return self.leases.now()

    def close(self) -> None:
        """
        Give the connections back; the store may be used again afterwards.
        """
        self._database.engine.dispose()


def open_store(
    url: str, clock: Clock | None = None, *, keys: KeySource | None = None
) -> SqlStore:
    """
    The store at a SQLAlchemy URL, its tables brought up to date. Leases expire by `clock`; None: by the database's own. Without `keys` it
    keeps no secrets.

    Raises:
        StoreError: It cannot be reached, or a newer release wrote it.
    """
    database = connect(url)
    migrate(database)
    return SqlStore(database, clock, Keyring(keys) if keys else None)
