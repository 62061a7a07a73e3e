"""
Leases in memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from threading import RLock

from fournines.clock import Clock
from fournines.store.leases import held_by, lost
from fournines.store.protocol import Lease, LeaseHeld


class MemoryLeases:
    """
    `Leases` in memory.
    """

    def __init__(self, lock: RLock, clock: Clock) -> None:
        self._lock = lock
        self._clock = clock
        self._held: dict[str, Lease] = {}
        self._fencing: dict[str, int] = {}

    def now(self) -> datetime:
        """
        What leases expire by.
        """
        return self._clock.now()

    def acquire(
        self, name: str, *, holder: str, purpose: str, ttl_seconds: float
    ) -> Lease:
        with self._lock:
            now = self._clock.now()
            known = self._held.get(name)
            if known and known.holder != holder and known.expires_at > now:
                raise LeaseHeld(held_by(known))
            if known is None or known.holder != holder:
                self._fencing[name] = self._fencing.get(name, 0) + 1
            self._held[name] = Lease(
                name=name,
                holder=holder,
                purpose=purpose,
                fencing=self._fencing[name],
                expires_at=now + timedelta(seconds=ttl_seconds),
            )
            return self._held[name]

    def renew(self, lease: Lease, *, ttl_seconds: float) -> Lease:
        with self._lock:
            self.demand([lease])
            until = self._clock.now() + timedelta(seconds=ttl_seconds)
            self._held[lease.name] = lease.model_copy(update={"expires_at": until})
            return self._held[lease.name]

    def release(self, lease: Lease) -> None:
        with self._lock:
            if self._is_held(lease):
                del self._held[lease.name]

    def current(self, name: str) -> Lease | None:
        with self._lock:
            known = self._held.get(name)
            in_force = known is not None and known.expires_at > self._clock.now()
            return known if in_force else None

    def in_force(self) -> tuple[Lease, ...]:
        with self._lock:
            now = self._clock.now()
            found = [one for one in self._held.values() if one.expires_at > now]
            return tuple(sorted(found, key=lambda lease: lease.name))

    def demand(self, rights: Sequence[Lease]) -> None:
        """
        Raise LeaseHeld unless these leases are still their holders'.
        """
        for lease in rights:
            if not self._is_held(lease):
                raise LeaseHeld(lost(lease))

    def _is_held(self, lease: Lease) -> bool:
        known = self._held.get(lease.name)
        return known is not None and (known.holder, known.fencing) == (
            lease.holder,
            lease.fencing,
        )
