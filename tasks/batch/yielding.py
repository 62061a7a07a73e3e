"""
Whom a batch service yields to: an online service of the same platform that burns its budget because it has more to do than it can.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from fournines.model.case import Case, Diagnosis
from fournines.model.desired import Service
from tasks.batch.desk import BLUEPRINT, Desk
from tasks.operators.slurm_interface import WORKERS
from tasks.workshop import Workshop

CASES_MAX = 1_000

HOLD = timedelta(minutes=10)
"""So long after its case a service is still left the room it lacked: workers that come at once would take it away again."""

LONGEST = timedelta(hours=1)
"""A case that took longer than this is looked for no more when it has ended."""


def lacking_room(desk: Desk) -> str:
    """
    The name of that service; empty: there is none, or the owner of the batch service does not want it to yield.
    """
    service = desk.service
    if not yields(service):
        return ""
    now = desk.workshop.clock.now()
    cases = desk.workshop.store.cases
    known = (
        *cases.cases(open_only=True, limit=CASES_MAX),
        *cases.cases(since=now - HOLD - LONGEST, limit=CASES_MAX),
    )

    def lacks(case: Case) -> bool:
        return (
            case.diagnosis is Diagnosis.SATURATED
            and case.subject.platform == service.platform
            and case.subject.service not in {"", service.name}
            and (case.closed_at is None or now - case.closed_at < HOLD)
        )

    return next((case.subject.service for case in known if lacks(case)), "")


def yields(service: Service) -> bool:
    """
    Whether a batch service's owner lets it yield.
    """
    return bool(service.parameters.get("yields", True))


def who_can(workshop: Workshop, platform: str, other: str) -> Iterator[Service]:
    """
    The batch services of a platform that have workers to give up for another service.
    """
    known = workshop.store.registry.platform(platform)
    for service in known.services if known else ():
        if service.blueprint != BLUEPRINT or service.name == other:
            continue
        least = int(str(service.parameters.get("workers_min", 0)))
        if yields(service) and service.group(WORKERS).count > least:
            yield service
