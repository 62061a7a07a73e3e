"""
A case for each sense that is lost: opened when it is, closed when it answers again. Nobody treats it; it says why others waited.

Healers on one store may see differently. Whoever misses the sense says so by a lease; the case is closed by who sees, when nobody says so any more.
"""

from __future__ import annotations

from datetime import datetime

from flows.case_book import CaseBook, case_id
from fournines import log
from fournines.model.case import (
    EVERYWHERE,
    Case,
    CaseEvent,
    CaseState,
    Diagnosis,
    Subject,
)
from fournines.store.protocol import Lease, LeaseHeld
from tasks.workshop import Workshop

MISSING_SECONDS = 15.0
"""So long the last word of a healer that misses a sense counts."""

REMEMBER_SECONDS = 15.0
"""From look to look for a case that a healer left open which is gone."""

CASES_TOLD = 5
"""Cases of members that a closed case names."""

_log = log.get("senses")


def subject(sense: str) -> Subject:
    """
    What such a case is about.
    """
    return Subject(platform=EVERYWHERE, service=sense)


class SenseCases:
    """
    Writes them.
    """

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
        self._holder = workshop.holder()
        self._lock = workshop.crew.lock()
        self._leases: dict[str, Lease] = {}
        self._looked_at: dict[str, datetime] = {}

    def lost(self, sense: str, said: str, since: datetime) -> None:
        """
        The sense is out: its case stands open.
        """
        store = self._workshop.store
        with self._lock:
            if not self._claim(sense) or store.cases.open_for(subject(sense).key):
                return
            now = self._workshop.clock.now()
            opened = Case(
                id=case_id(subject(sense), now),
                subject=subject(sense),
                opened_at=now,
                state=CaseState.DIAGNOSED,
                woken_by=("observation",),
                fault_at=since,
                detected_at=now,
                diagnosis=Diagnosis.BLIND,
                events=(CaseEvent(at=now, event="case_opened", text=said),),
            )
            store.cases.put(opened)
            _log.warning("case_opened", case=opened.id, subject=opened.subject.key)

    def regained(self, sense: str, now: datetime, *, sure: bool) -> None:
        """
        The sense answers. `sure`: it did not before; else a case is looked for now and then only.
        """
        with self._lock:
            last = self._looked_at.get(sense)
            if not sure and last and (now - last).total_seconds() < REMEMBER_SECONDS:
                return
            self._looked_at[sense] = now
            self._unclaim(sense)
            store = self._workshop.store
            found = store.cases.open_for(subject(sense).key)
            if found is None or store.leases.current(_lease(sense)) is not None:
                return
            CaseBook(self._workshop, found).close(
                CaseState.RECOVERED, self._verdict(found, now)
            )

    def _verdict(self, found: Case, now: datetime) -> str:
        begin = found.fault_at or found.opened_at
        others = [
            case.id
            for case in self._workshop.store.cases.cases(since=begin, limit=100)
            if not case.subject.is_everywhere
        ]
        shown = ", ".join(others[:CASES_TOLD])
        more = f" and {len(others) - CASES_TOLD} more" if others[CASES_TOLD:] else ""
        told = f"; opened meanwhile: {shown}{more}" if others else ""
        lasted = (now - begin).total_seconds()
        return f"{found.subject.service} answers again after {lasted:.0f} s{told}"

    def _claim(self, sense: str) -> bool:
        """
        Say that we miss it. False: another healer says so already, and looks after the case.
        """
        leases, held = self._workshop.store.leases, self._leases.get(sense)
        try:
            self._leases[sense] = (
                leases.renew(held, ttl_seconds=MISSING_SECONDS)
                if held
                else leases.acquire(
                    _lease(sense),
                    holder=self._holder,
                    purpose="misses it",
                    ttl_seconds=MISSING_SECONDS,
                )
            )
        except LeaseHeld:
            self._leases.pop(sense, None)
            return False
        return True

    def _unclaim(self, sense: str) -> None:
        held = self._leases.pop(sense, None)
        if held is not None:
            self._workshop.store.leases.release(held)


def _lease(sense: str) -> str:
    return f"sense/{sense}"
