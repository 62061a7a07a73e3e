"""
Leases: one actor per subject, with fencing numbers that grow with every change of holder.

They expire by one clock for all: the database server's, or this machine's where the database is a file of its own. A healer whose clock is an hour
wrong neither keeps a lease longer nor takes one sooner. A released lease keeps its row, so that its fencing number is never given out twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select, update

from fournines.clock import Clock
from fournines.store.database import Database
from fournines.store.protocol import Lease, LeaseHeld
from fournines.store.tables import leases

_NOBODY = ""


def held_by(lease: Lease) -> str:
    """
    Why a lease cannot be had.
    """
    return (
        f"{lease.name} is busy: {lease.holder} holds it for {lease.purpose} "
        f"until {lease.expires_at:%H:%M:%S} UTC. Wait until it has ended"
    )


def lost(lease: Lease) -> str:
    """
    Why nothing may be done any more.
    """
    return (
        f"the lease on {lease.name} was lost: somebody else has taken it since "
        f"(ours had number {lease.fencing}). Nothing more is done on it"
    )


class SqlLeases:
    """
    `Leases` on a database. `clock` None: the database's own.
    """

    def __init__(self, database: Database, clock: Clock | None = None) -> None:
        self._database = database
        self._clock = clock

    def now(self) -> datetime:
        """
        What leases expire by.
        """
        with self._database.reading("reading the clock") as db:
            return self._now(db)

    def acquire(
        self, name: str, *, holder: str, purpose: str, ttl_seconds: float
    ) -> Lease:
        with self._database.writing(f"taking the lease on {name}") as db:
            now = self._now(db)
            # The row first, then its lock: two takers of a new name meet at the row.
            db.execute(
                self._database.insert(leases)
                .values(
                    name=name, holder=_NOBODY, purpose="", fencing=0, expires_at=now
                )
                .on_conflict_do_nothing(index_elements=["name"])
            )
            row = _locked(db, name)
            if row.holder not in {_NOBODY, holder} and row.expires_at > now:
                raise LeaseHeld(held_by(_lease(row)))
            fencing = row.fencing if row.holder == holder else row.fencing + 1
            taken = Lease(
                name=name,
                holder=holder,
                purpose=purpose,
                fencing=fencing,
                expires_at=now + timedelta(seconds=ttl_seconds),
            )
            db.execute(
                update(leases)
                .where(leases.c.name == name)
                .values(**taken.model_dump(exclude={"name"}))
            )
        return taken

    def renew(self, lease: Lease, *, ttl_seconds: float) -> Lease:
        with self._database.writing(f"renewing the lease on {lease.name}") as db:
            until = self._now(db) + timedelta(seconds=ttl_seconds)
            done = db.execute(
                update(leases).where(*_is(lease)).values(expires_at=until)
            )
            if done.rowcount != 1:
                raise LeaseHeld(lost(lease))
        return lease.model_copy(update={"expires_at": until})

    def release(self, lease: Lease) -> None:
        with self._database.writing(f"releasing the lease on {lease.name}") as db:
            db.execute(
                update(leases).where(*_is(lease)).values(holder=_NOBODY, purpose="")
            )

    def current(self, name: str) -> Lease | None:
        with self._database.reading(f"reading the lease on {name}") as db:
            row = db.execute(select(leases).where(leases.c.name == name)).first()
            now = self._now(db)
        in_force = row is not None and row.holder != _NOBODY and row.expires_at > now
        return _lease(row) if in_force else None

    def in_force(self) -> tuple[Lease, ...]:
        with self._database.reading("reading the leases") as db:
            rows = db.execute(
                select(leases)
                .where(leases.c.holder != _NOBODY, leases.c.expires_at > self._now(db))
                .order_by(leases.c.name)
            ).all()
        return tuple(_lease(row) for row in rows)

    def _now(self, db: Connection) -> datetime:
        if self._clock is not None:
            return self._clock.now()
        if self._database.is_sqlite:
            return datetime.now(UTC)
        now: datetime = db.execute(select(func.clock_timestamp())).scalar_one()
        return now.astimezone(UTC)


def demand(db: Connection, rights: Sequence[Lease]) -> None:
    """
    Raise LeaseHeld unless these leases are still their holders'; they stay so until this transaction ends.
    """
    for lease in rights:
        row = _locked(db, lease.name)
        if (row.holder, row.fencing) != (lease.holder, lease.fencing):
            raise LeaseHeld(lost(lease))


def _locked(db: Connection, name: str) -> Any:
    return db.execute(
        select(leases).where(leases.c.name == name).with_for_update()
    ).one()


def _is(lease: Lease) -> tuple[Any, ...]:
    return (
        leases.c.name == lease.name,
        leases.c.holder == lease.holder,
        leases.c.fencing == lease.fencing,
    )


def _lease(row: Any) -> Lease:
    return Lease(
        name=row.name,
        holder=row.holder,
        purpose=row.purpose,
        fencing=row.fencing,
        expires_at=row.expires_at,
    )
