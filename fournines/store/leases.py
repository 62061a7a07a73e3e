"""
Leases: one actor per subject, with fencing numbers that grow with every change of holder.

A released lease keeps its row, so that its fencing number is never given out twice.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select, update

from fournines.store.database import Database
from fournines.store.protocol import Lease, LeaseHeld
from fournines.store.tables import leases

_NOBODY = ""


class SqlLeases:
    """
    `Leases` on a database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def acquire(
        self, name: str, *, holder: str, purpose: str, ttl_seconds: float, at: datetime
    ) -> Lease:
        expires_at = at + timedelta(seconds=ttl_seconds)
        with self._database.writing(f"taking the lease on {name}") as db:
            # The row first, then its lock: two takers of a new name meet at the row.
            db.execute(
                self._database.insert(leases)
                .values(name=name, holder=_NOBODY, purpose="", fencing=0, expires_at=at)
                .on_conflict_do_nothing(index_elements=["name"])
            )
            row = db.execute(
                select(leases).where(leases.c.name == name).with_for_update()
            ).one()
            taken = row.holder not in {_NOBODY, holder} and row.expires_at > at
            if taken:
                raise LeaseHeld(
                    f"{name} is busy: {row.holder} holds it for {row.purpose} "
                    f"until {row.expires_at:%H:%M:%S} UTC. Wait until it has ended"
                )
            fencing = row.fencing if row.holder == holder else row.fencing + 1
            db.execute(
                update(leases)
                .where(leases.c.name == name)
                .values(
                    holder=holder,
                    purpose=purpose,
                    fencing=fencing,
                    expires_at=expires_at,
                )
            )
        return Lease(
            name=name,
            holder=holder,
            purpose=purpose,
            fencing=fencing,
            expires_at=expires_at,
        )

    def release(self, lease: Lease) -> None:
        with self._database.writing(f"releasing the lease on {lease.name}") as db:
            db.execute(
                update(leases)
                .where(
                    leases.c.name == lease.name,
                    leases.c.holder == lease.holder,
                    leases.c.fencing == lease.fencing,
                )
                .values(holder=_NOBODY, purpose="")
            )

    def current(self, name: str) -> Lease | None:
        with self._database.reading(f"reading the lease on {name}") as db:
            row = db.execute(select(leases).where(leases.c.name == name)).first()
        if row is None or row.holder == _NOBODY:
            return None
        return Lease(
            name=row.name,
            holder=row.holder,
            purpose=row.purpose,
            fencing=row.fencing,
            expires_at=row.expires_at,
        )
