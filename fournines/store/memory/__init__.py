"""
The store in memory: the same promises as the database's, for simulations and rehearsals. It forgets everything with its process.

Values are immutable, so they are kept as they are. One lock makes each call one transaction.
"""

from __future__ import annotations

from datetime import datetime
from threading import RLock

from fournines.clock import Clock, SystemClock
from fournines.store.memory.cases import MemoryCases
from fournines.store.memory.inbox import MemoryInbox
from fournines.store.memory.journal import MemoryJournal
from fournines.store.memory.leases import MemoryLeases
from fournines.store.memory.registry import MemoryRegistry
from fournines.store.memory.restraints import (
    MemoryApprovals,
    MemoryPauses,
    MemoryQuarantines,
)
from fournines.store.memory.secrets_store import MemorySecrets
from fournines.store.memory.switches import MemorySwitches


class MemoryStore:
    """
    `Store` in memory. `clock` is what leases expire by.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        lock = RLock()
        self.leases = MemoryLeases(lock, clock or SystemClock())
        self.registry = MemoryRegistry(lock)
        self.journal = MemoryJournal(lock, self.leases)
        self.inbox = MemoryInbox(lock)
        self.cases = MemoryCases(lock, self.leases)
        self.switches = MemorySwitches(lock)
        self.pauses = MemoryPauses(lock)
        self.quarantines = MemoryQuarantines(lock)
        self.approvals = MemoryApprovals(lock)
        self.secrets = MemorySecrets(lock)

    def now(self) -> datetime:
        """
        The present.
        """
        return self.leases.now()

    def close(self) -> None:
        """
        Nothing is held open.
        """
