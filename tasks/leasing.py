"""
Holding leases while acting: taken together, renewed in the background, given back at the end.

When a holder is a dead process of this host, its lease is void at once, so that a deploy that was killed can be run again without waiting for
its time to live. Whoever was stopped for longer than that finds its number outdated when it wakes, and does nothing more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial

from fournines import log
from fournines.crew import Event
from fournines.store.protocol import Lease, LeaseHeld, StoreError
from tasks import holders
from tasks.workshop import Workshop

RENEWALS_PER_LIFE = 3
"""Two renewals may fail before a lease is lost."""


_log = log.get("leasing")


class Holding:
    """
    Leases in hand.
    """

    def __init__(
        self, workshop: Workshop, holder: str, purpose: str, ttl_seconds: float
    ) -> None:
        self.holder = holder
        self._workshop = workshop
        self._purpose = purpose
        self._ttl_seconds = ttl_seconds
        self._leases: dict[str, Lease] = {}
        self._renewed_at = 0.0
        self._lost = ""
        self._lock = workshop.crew.lock()

    @property
    def pause_seconds(self) -> float:
        """
        From renewal to renewal.
        """
        return self._ttl_seconds / RENEWALS_PER_LIFE

    def rights(self) -> tuple[Lease, ...]:
        """
        What is held, for writes that the store is to refuse once it is somebody else's.
        """
        return tuple(self._leases.values())

    def check(self) -> None:
        """
        Ask before every step and every request: renews when it is time, and raises LeaseHeld for ever once somebody else took over.

        Time is counted by the machine's monotonic clock, so a clock that is set neither stretches nor shortens a lease.
        """
        clock = self._workshop.clock
        with self._lock:
            if self._lost:
                raise LeaseHeld(self._lost)
            # Again until it was quick: we may have been stopped while renewing.
            while clock.monotonic() - self._renewed_at >= self.pause_seconds:
                self._renew()

    def _renew(self) -> None:
        now = self._workshop.clock.monotonic()
        try:
            for name, lease in list(self._leases.items()):
                self._leases[name] = self._workshop.store.leases.renew(
                    lease, ttl_seconds=self._ttl_seconds
                )
        except LeaseHeld as error:
            self._lost = str(error)
            raise
        self._renewed_at = now

    def take_all(self, names: Iterable[str]) -> None:
        """
        Take every lease, in one order for everybody, or none.
        """
        now = self._workshop.clock.monotonic()
        try:
            for name in sorted(set(names)):
                self._leases[name] = self._take_or_inherit(name)
        except LeaseHeld:
            self.give_back()
            raise
        self._renewed_at = now

    def give_back(self) -> None:
        """
        Release what is held. It stays what writes stand on: whoever comes late with one is refused, and does not write over the next holder's.
        """
        with self._lock:
            for lease in self._leases.values():
                self._workshop.store.leases.release(lease)
            self._lost = self._lost or "it was given back"

    def _take_or_inherit(self, name: str) -> Lease:
        try:
            return self._take(name)
        except LeaseHeld:
            lease = self._workshop.store.leases.current(name)
            if lease is None or not holders.is_dead(lease.holder):
                raise
            _log.warning("lease_inherited", lease=name, dead_holder=lease.holder)
            self._workshop.store.leases.release(lease)
            return self._take(name)

    def _take(self, name: str) -> Lease:
        return self._workshop.store.leases.acquire(
            name,
            holder=self.holder,
            purpose=self._purpose,
            ttl_seconds=self._ttl_seconds,
        )


@contextmanager
def holding(
    workshop: Workshop,
    names: Iterable[str],
    *,
    purpose: str,
    ttl_seconds: float | None = None,
) -> Iterator[Holding]:
    """
    Hold these leases while the block runs. `ttl_seconds` None: as long as a deploy's.

    Raises:
        LeaseHeld: Somebody else holds one; the message says who and for what. Nothing is held then.
    """
    ttl = ttl_seconds or workshop.settings.lease_ttl_seconds
    held = Holding(workshop, workshop.holder(), purpose, ttl)
    held.take_all(names)
    ended = workshop.crew.event()
    workshop.crew.beside("lease-keeper", partial(_keep, held, ended))
    try:
        yield held
    finally:
        ended.set()
        held.give_back()


@contextmanager
def briefly(workshop: Workshop, name: str, *, purpose: str) -> Iterator[Lease]:
    """
    Hold a lease for a moment, without renewing it.

    Raises:
        LeaseHeld: Somebody else does.
    """
    lease = workshop.store.leases.acquire(
        name,
        holder=workshop.holder(),
        purpose=purpose,
        ttl_seconds=workshop.settings.healing_lease_ttl_seconds,
    )
    try:
        yield lease
    finally:
        workshop.store.leases.release(lease)


def of_service(platform: str, service: str) -> str:
    """
    The lease on one service.
    """
    return f"{platform}/{service}"


def of_case(case_id: str) -> str:
    """
    The lease on the treatment of one case.
    """
    return f"case/{case_id}"


def of_gate(platform: str) -> str:
    """
    The lease on asking the brakes: held for a moment, so that two healers never pass one brake together.
    """
    return f"gate/{platform}"


def of_platform(platform: str) -> str:
    """
    The lease on what a platform's services share.
    """
    return platform


def _keep(held: Holding, ended: Event) -> None:
    while not ended.wait(held.pause_seconds):
        try:
            held.check()
        except LeaseHeld as error:
            if ended.is_set():
                return
            # Not ours any more: the check before the next step says so again and stops.
            _log.error("lease_lost", error=str(error))
            return
        except StoreError as error:
            _log.warning("lease_not_renewed", error=str(error))
