"""
While the cloud's own services are away nothing is built, and what failed then says nothing about what was tried.

A build without Keystone ends in ERROR, as a build of a bad image does. The one calls for patience, the other for a person: so a failure is
only held against a remedy when every service answered all the while. Taking users' requests off a sick member needs no service but the load balancer's.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from flows.case_book import CaseBook
from flows.ward import Ward
from fournines.cloud.errors import CloudUnreachable
from fournines.planning.plan import Plan
from fournines.planning.steps import SetWeight
from tasks.outcome import Outcome
from tasks.workshop import Workshop

LATELY = 8
"""Events of a case among which it has told lately that it waits: a try tells a few."""

WAITS = "cloud_away"
"""The event of a case that waits for the cloud."""


def hold(
    ward: Ward, book: CaseBook, plan: Plan, perform: Callable[[Plan], Outcome]
) -> None:
    """
    Keep a plan from being begun while services are away; one that only moves weights is kept by none. What of it may be done all the same is
    performed: weights that are taken away before anything else.

    Raises:
        CloudUnreachable: They are, and the case is to be tried again.
    """
    if all(isinstance(step, SetWeight) for step in plan.steps):
        return
    away = ward.away(None)
    if not away:
        return
    drains = _drains(plan)
    if drains:
        told = {"id": f"{plan.id}-weights", "steps": drains}
        perform(plan.model_copy(update=told))
    if not waits(ward.workshop, book.case.id):
        book.note(
            WAITS,
            f"no answer of {away}: nothing is built until then, and the case is tried again",
        )
    raise CloudUnreachable(f"healing {book.case.subject.key}", f"no answer of {away}")


def _drains(plan: Plan) -> tuple[SetWeight, ...]:
    return tuple(
        step
        for step in plan.steps
        if isinstance(step, SetWeight) and step.weight == 0 and not step.needs
    )


def waits(workshop: Workshop, case_id: str) -> bool:
    """
    Whether a case has already told that it waits for the cloud: until it is back, each try would tell the same.
    """
    case = workshop.store.cases.case(case_id)
    return case is not None and any(
        told.event == WAITS for told in case.events[-LATELY:]
    )


def excuse(ward: Ward, book: CaseBook, seconds: float, what: str) -> None:
    """
    A failure says nothing when services of the cloud were away within the seconds before it.

    Raises:
        CloudUnreachable: They were; the case tells so, and is to be tried again.
    """
    away = ward.away(ward.workshop.clock.now() - timedelta(seconds=seconds))
    if away:
        book.note(
            WAITS,
            f"{away} did not answer meanwhile, so it says nothing and the case is tried again: {what}",
        )
        raise CloudUnreachable(
            f"healing {book.case.subject.key}", f"no answer of {away}"
        )
