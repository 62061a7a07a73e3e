"""
From alerts and sightings to cases: one open case per slot, and every alert ends up with a case or with a reason.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta

from alerts import conventions as c
from alerts import payload
from flows import case_book
from flows.healer_view import Sighting, View
from fournines import log
from fournines.model.case import Case, CaseEvent, CaseState, Subject
from fournines.store.protocol import AlertRecord
from healing import returning
from tasks import leasing
from tasks.workshop import Workshop

NO_CASE = "none"
"""The case id of alerts that need no case."""

BATCH_MAX = 1_000
"""Alerts sorted at once."""

AFTERMATH = timedelta(seconds=90)
"""An alert about an instance that was replaced so lately belongs to the case that replaced it."""

REST = timedelta(seconds=60)
"""Pause before a slot whose case ended without recovery is looked at again."""

BREATH = timedelta(seconds=5)
"""Pause before a slot that was given up is given its users back, once it is well."""

_log = log.get("healer")

SuspectsOf = Callable[[str, str], tuple[Subject, ...]]
"""Slots of a service that look bad to our own probes."""

SickOf = Callable[[tuple[Subject, ...]], tuple[Subject, ...]]
"""Of some slots those that look bad to our own probes."""

IsWell = Callable[[Subject], bool]
"""Whether our own probes of a member are answered well."""


def nobody_is_well(_subject: Subject) -> bool:
    """
    Nobody asks.
    """
    return False


def nobody_is_sick(_subjects: tuple[Subject, ...]) -> tuple[Subject, ...]:
    """
    Nobody asks.
    """
    return ()


class Admissions:
    """
    Opens cases. Thread-safe.
    """

    def __init__(
        self,
        workshop: Workshop,
        view: View,
        suspects_of: SuspectsOf,
        is_well: IsWell = nobody_is_well,
        sick_of: SickOf = nobody_is_sick,
    ) -> None:
        self._workshop = workshop
        self._view = view
        self._suspects_of = suspects_of
        self._is_well = is_well
        self._sick_of = sick_of
        self._lock = workshop.crew.lock()

    def sort(self) -> tuple[Case, ...]:
        """
        Give every pending alert its case; returns the cases that were opened.
        """
        with self._lock:
            inbox = self._workshop.store.inbox
            places: dict[Subject, list[AlertRecord]] = defaultdict(list)
            idle: list[str] = []
            for record in inbox.pending(BATCH_MAX):
                subject = self._wants_case(record)
                if subject is None:
                    idle.append(record.key)
                else:
                    places[subject].append(record)
            inbox.assign(idle, NO_CASE)
            opened: list[Case] = []
            for subject, records in places.items():
                opened += self._admit(subject, records)
            return tuple(opened)

    def notice(self, sightings: tuple[Sighting, ...]) -> tuple[Case, ...]:
        """
        Open cases for what was seen without an alert.
        """
        with self._lock:
            opened = []
            for sighting in sightings:
                subject = sighting.subject
                quiet = (
                    self._may_return(subject)
                    if sighting.left_out
                    else self._is_quiet(subject)
                )
                if not quiet or self._is_busy(subject):
                    continue
                opened.append(self._open(subject, ("observation",), None, sighting.saw))
            return tuple(opened)

    def remind(self) -> tuple[Case, ...]:
        """
        Open cases for alerts that still fire though their case ended: without recovery, or with one that our own probes do not confirm. A fault that
        begins while an earlier one's case ends has no other alert.
        """
        with self._lock:
            opened = []
            for platform in self._view.platforms:
                for service in platform.services:
                    opened += self._remind(platform.name, service.name)
            return tuple(opened)

    def _remind(self, platform: str, service: str) -> list[Case]:
        firing: dict[Subject, AlertRecord] = {}
        inventory = self._view.inventory(platform)
        for record in self._workshop.store.inbox.firing(platform, service):
            subject = self._wants_case(record)
            if subject is None or subject.slot is None or inventory is None:
                continue
            if not subject.instance or inventory.instance(subject.instance) is None:
                continue
            firing.setdefault(subject, record)
        # A storm's alerts are many, and its slots few: each slot's history is read once.
        ended = {
            subject: last
            for subject in firing
            if (last := self._last(subject)) is not None and self._has_rested(last)
        }
        healed = {s for s, last in ended.items() if last.state is CaseState.RECOVERED}
        well = healed.difference(self._sick_of(tuple(s for s in ended if s in healed)))
        return [
            self._open(
                subject,
                (firing[subject].name,),
                firing[subject].starts_at,
                "still firing",
            )
            for subject in ended
            if subject not in well
        ]

    def _wants_case(self, record: AlertRecord) -> Subject | None:
        """
        The place to look at; None for what is over, not for us, or not ours.
        """
        if record.status != "firing" or payload.is_watchdog(record):
            return None
        if record.labels.get(c.SEVERITY) != c.Severity.HEAL:
            return None
        subject = payload.subject(record)
        if subject is None:
            return None
        if not self._is_ours(subject):
            _log.warning("alert_not_ours", alert=record.name, subject=subject.key)
            return None
        return subject

    def _is_ours(self, subject: Subject) -> bool:
        """
        Whether the registry knows the service, and the group where one is named.
        """
        platform = self._workshop.store.registry.platform(subject.platform)
        return any(
            service.name == subject.service
            and subject.group in {None, *(group.name for group in service.groups)}
            for service in (platform.services if platform else ())
        )

    def _admit(self, subject: Subject, records: list[AlertRecord]) -> list[Case]:
        inbox = self._workshop.store.inbox
        keys = [record.key for record in records]
        names = tuple(sorted({record.name for record in records}))
        heard = min(record.received_at for record in records)
        # A sender whose clock is ahead must not put the fault into the future.
        begin = min(heard, *(record.starts_at for record in records))
        if subject.group is None or subject.slot is None:
            suspects = self._suspects_of(subject.platform, subject.service)
            suspects = suspects or self._spokesman(subject)
            opened = [
                self._open(
                    suspect, names, begin, "found by probing every member", heard
                )
                for suspect in suspects
                if self._workshop.store.cases.open_for(suspect.key) is None
            ]
            inbox.assign(keys, opened[0].id if opened else NO_CASE)
            return opened
        known = self._case_of(subject, begin)
        if known is not None:
            inbox.assign(keys, known.id)
            return []
        case = self._open(subject, names, begin, ", ".join(names), heard)
        inbox.assign(keys, case.id)
        return [case]

    def _spokesman(self, subject: Subject) -> tuple[Subject, ...]:
        """
        When no member stands out: the first one, whose case looks at what is around it (load, load balancer, dependencies).
        """
        platform = next(
            (p for p in self._view.platforms if p.name == subject.platform), None
        )
        inventory = self._view.inventory(subject.platform)
        for service in platform.services if platform else ():
            for group in service.groups:
                if service.name != subject.service or group.probe is None:
                    continue
                here = inventory.of_group(service.name, group.name) if inventory else ()
                if here and here[0].owner:
                    spokesman = Subject(
                        platform=subject.platform,
                        service=service.name,
                        group=group.name,
                        slot=here[0].owner.slot,
                        instance=here[0].name,
                    )
                    return (spokesman,) if self._is_quiet(spokesman) else ()
        return ()

    def _case_of(self, subject: Subject, begin: datetime) -> Case | None:
        """
        The open case of a slot; or the one that lately healed or replaced this very instance, or gave it up. What began after that case was
        closed is a fault of its own, unless the instance is gone.
        """
        found = self._workshop.store.cases.open_for(subject.key)
        if found is not None:
            return found
        last = self._last(subject)
        now = self._workshop.clock.now()
        if (
            last is not None
            and last.closed_at is not None
            and now - last.closed_at < AFTERMATH
            and last.plan_id is not None
            and last.state is CaseState.RECOVERED
            and last.subject.instance == subject.instance
            and (begin <= last.closed_at or self._is_gone(subject))
        ):
            return last
        given_up = last is not None and last.state is not CaseState.RECOVERED
        return last if given_up and not self._is_quiet(subject) else None

    def _is_gone(self, subject: Subject) -> bool:
        inventory = self._view.inventory(subject.platform)
        name = subject.instance or ""
        return inventory is not None and inventory.instance(name) is None

    def _last(self, subject: Subject) -> Case | None:
        recent = self._workshop.store.cases.cases(key=subject.key, limit=1)
        return recent[0] if recent else None

    def _is_quiet(self, subject: Subject) -> bool:
        """
        No open case, and none that ended lately.
        """
        last = self._last(subject)
        return last is None or self._has_rested(last)

    def _has_rested(self, last: Case) -> bool:
        rested = last.closed_at and self._workshop.clock.now() - last.closed_at > REST
        return last.state.ended and bool(rested)

    def _may_return(self, subject: Subject) -> bool:
        """
        A member that was left out and is well again need not wait for the slot's rest; one whose faults come and go must.
        """
        last = self._last(subject)
        now = self._workshop.clock.now()
        if last is not None:
            if not last.state.ended or last.closed_at is None:
                return False
            if now - last.closed_at < BREATH:
                return False
            if not returning.is_plain(last.diagnosis) and not self._is_quiet(subject):
                return False
        return self._is_well(subject)

    def _is_busy(self, subject: Subject) -> bool:
        """
        A deploy, a scaling or the like works on the service or its platform: slots look wrong meanwhile. So they do while a healing that has begun
        waits for whoever takes it over from a dead healer.
        """
        store = self._workshop.store
        leases = store.leases
        acting = any(
            case.state is CaseState.ACTING and case.subject.platform == subject.platform
            for case in store.cases.cases(
                service=subject.service, open_only=True, limit=1_000
            )
        )
        return acting or any(
            leases.current(name) is not None
            for name in (
                leasing.of_platform(subject.platform),
                leasing.of_service(subject.platform, subject.service),
            )
        )

    def _open(
        self,
        subject: Subject,
        names: tuple[str, ...],
        fault_at: datetime | None,
        why: str,
        heard_at: datetime | None = None,
    ) -> Case:
        now = self._workshop.clock.now()
        told = CaseEvent(at=now, event="case_opened", text=why)
        case = Case(
            id=case_book.case_id(subject, now),
            subject=subject,
            opened_at=now,
            woken_by=names,
            fault_at=fault_at,
            detected_at=heard_at or now,
            events=(told,),
        )
        self._workshop.store.cases.put(case)
        _log.info("case_opened", case=case.id, subject=subject.key, woken_by=names)
        return case
