"""
How a case ends: recovered, refused, or with a person called; each with its sentence and the budget it cost.
"""

from __future__ import annotations

from flows import heal_measures
from flows.case_book import CaseBook
from flows.ward import Ward
from fournines.model.case import Case, CaseState, Subject
from fournines.model.refusal import Reason
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
    The cause is in another service: healed there, or a person is called when nobody is at it.
    """
    refusals = [r for r in book.case.refusals if r.reason is Reason.DEPENDENCY]
    detail = refusals[-1].detail if refusals else "the cause is elsewhere"
    below = (book.case.cause or "").removeprefix("service ")
    healed = ward.workshop.store.cases.cases(service=below, open_only=True)
    state = CaseState.REFUSED if healed else CaseState.PAGED
    where = f"{healed[0].id} is about it" if healed else "a person is needed there"
    return close(ward, book, state, f"{Reason.DEPENDENCY.value}: {detail}; {where}")


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
