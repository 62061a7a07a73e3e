"""
Persistent switches, each on until somebody switches it off.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from fournines.store.database import Database
from fournines.store.tables import switches

HEALING = "healing"
"""The master switch of healing."""


class SqlSwitches:
    """
    `Switches` on a database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def is_on(self, name: str) -> bool:
        with self._database.reading(f"reading the switch {name}") as db:
            found = db.execute(
                select(switches.c.is_on).where(switches.c.name == name)
            ).scalar()
        return found is None or found

    def set(self, name: str, *, on: bool, by: str, why: str, at: datetime) -> None:
        row = {"is_on": on, "changed_by": by, "why": why, "at": at}
        with self._database.writing(f"setting the switch {name}") as db:
            db.execute(
                self._database.insert(switches)
                .values(name=name, **row)
                .on_conflict_do_update(index_elements=["name"], set_=row)
            )

    def why(self, name: str) -> str:
        with self._database.reading(f"reading the switch {name}") as db:
            row = db.execute(select(switches).where(switches.c.name == name)).first()
        if row is None:
            return ""
        return sentence(on=row.is_on, by=row.changed_by, why=row.why, at=row.at)


def sentence(*, on: bool, by: str, why: str, at: datetime) -> str:
    """
    Who switched it, when and why.
    """
    state = "on" if on else "off"
    reason = f": {why}" if why else ""
    return f"switched {state} by {by} at {at:%Y-%m-%d %H:%M:%S} UTC{reason}"
