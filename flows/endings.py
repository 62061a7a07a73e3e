"""
How a case ends: recovered, refused, or with a person called; each with its sentence and the budget it cost.
"""

from __future__ import annotations

from alerts import conventions as c
from flows import heal_measures
from flows.case_book import CaseBook
from flows.ward import Ward
from fournines.model.case import Case, CaseState, Subject
from fournines.model.refusal import Reason
from fournines.model.transaction import failed_lately
from healing import brakes
from healing.rungs import WEIGHTS, Rung

PAGING = frozenset(
    {
        Reason.STORM,
        Reason.PLATFORM_STORM,
        Reason.ZONE_OUTAGE,
        Reason.ATTEMPTS,
        Reason.FLAPPING,
    }
)
"""Refusals that a person must hear of: healing cannot help here."""


def recovered(
    ward: Ward, book: CaseBook, rung: Rung, subject: Subject, proof: str
) -> Case:
    """
    Fresh measurements stayed good.
    """
    case = book.case
    now = ward.workshop.clock.now()
    if rung is Rung.WATCH:
        what = f"{subject.instance} is well (a flap)"
    else:
        told = case.diagnosis.value if case.diagnosis else "sick"
        begin, end = case.fault_at or case.opened_at, case.redundancy_at or now
        after = f"{(end - begin).total_seconds():.1f} s"
        met = case.subject.instance
        what = f"{WEIGHTS[rung].done} {met} ({told}): {subject.instance} served {after} after the fault"
    book.first("redundancy_at", now)
    return close(ward, book, CaseState.RECOVERED, f"{what}; {proof}")


def page(ward: Ward, book: CaseBook, why: str) -> Case:
    """
    Nothing more can be done without a person.
    """
    return close(ward, book, CaseState.PAGED, f"a person is needed: {why}")


def refused(ward: Ward, book: CaseBook) -> Case:
    """
    A brake objects, and time does not cure it.
    """
    reasons = [r for r in book.case.refusals if r.reason not in brakes.WAITING]
    last = (reasons or list(book.case.refusals))[-1]
    state = CaseState.PAGED if last.reason in PAGING else CaseState.REFUSED
    return close(ward, book, state, f"{last.reason.value}: {last.detail}")


def left(ward: Ward, book: CaseBook) -> Case:
    """
    The cause is in another service: healed there, or a person is called when nobody is at it and no alarm of its own says that somebody will be.
    """
    refusals = [r for r in book.case.refusals if r.reason is Reason.DEPENDENCY]
    detail = refusals[-1].detail if refusals else "the cause is elsewhere"
    below = (book.case.cause or "").removeprefix("service ")
    healed = ward.workshop.store.cases.cases(service=below, open_only=True)
    if healed:
        where = f"{healed[0].id} is about it"
    elif _is_noticed(ward, book.case.subject.platform, below):
        where = "its own alarm is heard"
    else:
        where = "a person is needed there"
    state = CaseState.PAGED if where.startswith("a person") else CaseState.REFUSED
    return close(ward, book, state, f"{Reason.DEPENDENCY.value}: {detail}; {where}")


def _is_noticed(ward: Ward, platform: str, service: str) -> bool:
    """
    Whether an alert about a service fires that wakes the healer, or is about to: its users get nothing by our own transactions.
    """
    firing = ward.workshop.store.inbox.firing(platform, service)
    now = ward.workshop.clock.now()
    return any(
        alert.labels.get(c.SEVERITY) == c.Severity.HEAL for alert in firing
    ) or bool(failed_lately(ward.tried(platform, service), now))


def close(ward: Ward, book: CaseBook, state: CaseState, verdict: str) -> Case:
    """
    The end, with the budget spent.
    """
    case = book.case
    spent = heal_measures.budget_seconds(
        ward.metrics,
        platform=case.subject.platform,
        service=case.subject.service,
        begin=case.fault_at or case.opened_at,
        end=ward.workshop.clock.now(),
    )
    if case.leader is not None:
        verdict = f"{verdict} [{case.cause}: told in {case.leader}]"
    return book.close(state, verdict, budget_seconds=spent)
