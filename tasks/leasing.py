"""
Holding leases while acting: taken together, renewed in the background, given back at the end.

A holder's name says who it is: user, host, process. When that process is dead and was on this host, its lease is void at once, so that a
deploy that was killed can be run again without waiting for its time to live.
"""

from __future__ import annotations

import getpass
import os
import re
import socket
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from fournines import log
from fournines.crew import Event
from fournines.store.protocol import Lease, LeaseHeld, StoreError
from tasks.workshop import Workshop

RENEWALS_PER_LIFE = 3
"""Two renewals may fail before a lease is lost."""

_HOLDER = re.compile(
    r"^(?P<user>\S+)@(?P<host>\S+) process (?P<process>\d+)/(?P<begun>\d+) "
)

_log = log.get("leasing")


class Holding:
    """
    Leases in hand.
    """

    def __init__(self, workshop: Workshop, holder: str, purpose: str) -> None:
        self.holder = holder
        self._workshop = workshop
        self._purpose = purpose
        self._leases: dict[str, Lease] = {}
        self._renewed_at: datetime | None = None
        self._lock = workshop.crew.lock()

    def check(self) -> None:
        """
        Ask before every step: renews when it is time, and raises LeaseHeld once somebody else took over.
        """
        settings = self._workshop.settings
        pause = timedelta(seconds=settings.lease_ttl_seconds / RENEWALS_PER_LIFE)
        with self._lock:
            now = self._workshop.clock.now()
            if self._renewed_at is not None and now - self._renewed_at < pause:
                return
            for name in self._leases:
                self._leases[name] = self._take(name, now)
            self._renewed_at = now

    def take_all(self, names: Iterable[str]) -> None:
        """
        Take every lease, in one order for everybody, or none.
        """
        now = self._workshop.clock.now()
        try:
            for name in sorted(set(names)):
                self._leases[name] = self._take_or_inherit(name, now)
        except LeaseHeld:
            self.give_back()
            raise
        self._renewed_at = now

    def give_back(self) -> None:
        """
        Release what is held.
        """
        with self._lock:
            for lease in self._leases.values():
                self._workshop.store.leases.release(lease)
            self._leases.clear()

    def _take_or_inherit(self, name: str, now: datetime) -> Lease:
        try:
            return self._take(name, now)
        except LeaseHeld:
            lease = self._workshop.store.leases.current(name)
            if lease is None or not _is_dead(lease.holder):
                raise
            _log.warning("lease_inherited", lease=name, dead_holder=lease.holder)
            self._workshop.store.leases.release(lease)
            return self._take(name, now)

    def _take(self, name: str, now: datetime) -> Lease:
        return self._workshop.store.leases.acquire(
            name,
            holder=self.holder,
            purpose=self._purpose,
            ttl_seconds=self._workshop.settings.lease_ttl_seconds,
            at=now,
        )


@contextmanager
def holding(
    workshop: Workshop, names: Iterable[str], *, purpose: str
) -> Iterator[Holding]:
    """
    Hold these leases while the block runs.

    Raises:
        LeaseHeld: Somebody else holds one; the message says who and for what. Nothing is held then.
    """
    held = Holding(workshop, holder_name(), purpose)
    held.take_all(names)
    ended = workshop.crew.event()
    workshop.crew.beside("lease-keeper", partial(_keep, held, workshop, ended))
    try:
        yield held
    finally:
        ended.set()
        held.give_back()


def of_service(platform: str, service: str) -> str:
    """
    The lease on one service.
    """
    return f"{platform}/{service}"


def of_platform(platform: str) -> str:
    """
    The lease on what a platform's services share.
    """
    return platform


def holder_name() -> str:
    """
    Who we are, for this one operation.
    """
    me = os.getpid()
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    run = uuid.uuid4().hex[:6]
    return f"{user}@{socket.gethostname()} process {me}/{_begun(me) or 0} run {run}"


def _keep(held: Holding, workshop: Workshop, ended: Event) -> None:
    pause = workshop.settings.lease_ttl_seconds / RENEWALS_PER_LIFE
    while not ended.wait(pause):
        try:
            held.check()
        except LeaseHeld as error:
            # Not ours any more: the check before the next step says so again and stops.
            _log.error("lease_lost", error=str(error))
            return
        except StoreError as error:
            _log.warning("lease_not_renewed", error=str(error))


def _is_dead(holder: str) -> bool:
    found = _HOLDER.match(holder)
    if found is None or found["host"] != socket.gethostname():
        return False
    return _begun(int(found["process"])) != int(found["begun"])


def _begun(process: int) -> int | None:
    """
    When a process began, in clock ticks since boot: together with its number it is unique until the next boot.
    """
    try:
        text = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in {"Z", "X"} else int(fields[19])
