"""
Drift: somebody changed or deleted what is ours, and the timer's reconcile put it right. A closed case says what, so that people can ask who.

What a dead worker left half done is no drift: it is finished, not repaired.
"""

from __future__ import annotations

from collections.abc import Iterable

from flows import case_book
from fournines import log
from fournines.model.case import Case, CaseEvent, CaseState, Diagnosis, Subject
from fournines.planning.plan import Plan, Purpose
from fournines.planning.steps import Step
from fournines.store.protocol import Store
from tasks import reconciliation
from tasks.audience import NOBODY, Audience
from tasks.reconciliation import Reconciled
from tasks.workshop import Workshop

STEPS_SHOWN = 20
"""Repaired things a case lists; the plan holds all."""

_log = log.get("drift")


def reconcile(
    workshop: Workshop, *, platform: str | None = None, audience: Audience = NOBODY
) -> tuple[tuple[Reconciled, ...], tuple[Case, ...]]:
    """
    Reconcile, and write down what had drifted.
    """
    unfinished = {
        plan.platform
        for plan in workshop.store.journal.unfinished()
        if plan.purpose is not Purpose.HEAL
    }
    found = reconciliation.reconcile(workshop, platform=platform, audience=audience)
    cases = tuple(
        case
        for one in found
        if one.platform not in unfinished
        for case in _cases(workshop, one)
    )
    return found, cases


def _cases(workshop: Workshop, one: Reconciled) -> Iterable[Case]:
    """
    A case for each service that something was done to.
    """
    if one.result is None or one.result.outcome is None:
        return
    plan, outcome = one.result.plan, one.result.outcome
    for service, steps in _by_service(workshop.store, plan).items():
        failed = [step.id for step in steps if step.id not in outcome.done]
        yield _write(workshop, plan, service, steps, failed)


def _by_service(store: Store, plan: Plan) -> dict[str, list[Step]]:
    """
    The plan's steps by the service whose names they bear.
    """
    known = store.registry.platform(plan.platform)
    names = [service.name for service in known.services] if known else []
    found: dict[str, list[Step]] = {}
    for step in plan.steps:
        for name in names:
            if f"/{plan.platform}-{name}-" in step.id:
                found.setdefault(name, []).append(step)
                break
    return found


def _write(
    workshop: Workshop,
    plan: Plan,
    service: str,
    steps: list[Step],
    failed: list[str],
) -> Case:
    now = workshop.clock.now()
    subject = Subject(platform=plan.platform, service=service)
    shown = ", ".join(_told(step) for step in steps[:STEPS_SHOWN])
    more = f" and {len(steps) - STEPS_SHOWN} more" if len(steps) > STEPS_SHOWN else ""
    said = f"repaired what somebody changed or deleted: {shown}{more}"
    if failed:
        said = f"a person is needed: not all was repaired, {failed[0]} is not done"
    case = Case(
        id=case_book.case_id(subject, now),
        subject=subject,
        opened_at=plan.made_at,
        detected_at=plan.made_at,
        first_action_at=plan.made_at,
        closed_at=now,
        state=CaseState.PAGED if failed else CaseState.RECOVERED,
        woken_by=("reconcile",),
        diagnosis=Diagnosis.DRIFT,
        plan_id=plan.id,
        verdict=f"drift: {said}",
        events=(CaseEvent(at=now, event="drift", text=said),),
        evidence={
            "plan": [step.id for step in steps],
            "repaired": [_told(step) for step in steps],
        },
    )
    workshop.store.cases.put(case)
    _log.warning("drift", case=case.id, subject=subject.key, repaired=len(steps))
    return case


def _told(step: Step) -> str:
    return f"{step.id} ({step.why})" if step.why else step.id
