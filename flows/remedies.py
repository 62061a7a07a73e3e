"""
What a remedy does besides its plan: it may change what is asked for, and a case may be one of several with one cause.
"""

from __future__ import annotations

from datetime import timedelta

from flows.case_book import CaseBook
from flows.ward import Ward
from fournines.model.case import Case
from fournines.model.desired import Platform
from healing.diagnosis.finding import Finding
from healing.situation import Situation
from tasks import deployment

SAME_STORY = timedelta(minutes=10)
"""Cases of one cause that were opened within this time tell one story."""


def ask_for(ward: Ward, book: CaseBook, wanted: Platform, situation: Situation) -> None:
    """
    Write into the registry what is asked for from now on, before the first step: a crash must not bring the old wish back.
    """
    service = situation.service.name
    deployment.record_desired(ward.workshop, wanted, service)
    sizes = {g.name: g.count for g in wanted.service(service).groups}
    book.note(
        "asked_for",
        f"{service} from now on: {wanted.service(service).blueprint_version}, "
        + ", ".join(f"{name} x {count}" for name, count in sizes.items())
        + "; the platform file holds again at its next deploy",
    )


def common_cause(ward: Ward, case: Case, finding: Finding) -> dict[str, str | None]:
    """
    The fields of a case that shares its cause: the first case that named it tells the story. Ask under the ward's gate.
    """
    if finding.cause is None:
        return {"cause": None, "leader": None}
    since = case.opened_at - SAME_STORY
    others = [
        other
        for other in ward.workshop.store.cases.cases(since=since, limit=1_000)
        if other.cause == finding.cause
        and other.subject.platform == case.subject.platform
        and other.leader is None
        and other.id != case.id
    ]
    first = min(others, key=lambda one: (one.opened_at, one.id), default=None)
    return {"cause": finding.cause, "leader": first.id if first else None}
