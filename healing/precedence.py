"""
Who goes first when a service is to be changed and is to be healed: healing, while its budget burns.

A plan that only adds (a first deploy, more members) hurts nobody and may always go; one that takes members away waits, unless a person insists:
the change may be the cure.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from fournines.model.case import Case, CaseState
from fournines.model.refusal import Reason, Refusal
from fournines.model.value import Value
from fournines.planning.plan import Plan, Purpose
from fournines.planning.steps import (
    DeleteInstance,
    DeleteResource,
    Drain,
    LeavePool,
    RestartInstance,
    RestartMember,
    SetWeight,
    Step,
)

BURN_AGE_MAX = timedelta(hours=1)
"""A burn that began earlier is no news: a person was called long ago, or its end was never told."""

GIVING_WAY = frozenset({Purpose.DEPLOY, Purpose.SCALE, Purpose.RECONCILE})
"""Purposes that wait for healing; destroying what burns is one way to end it."""


class Burn(Value):
    """
    A sign that a service burns its budget fast.
    """

    alert: str
    began_at: datetime


def gives_way(
    plan: Plan,
    service: str,
    *,
    burns: tuple[Burn, ...],
    cases: tuple[Case, ...],
    now: datetime,
    insist: bool = False,
) -> Refusal | None:
    """
    Why a plan's steps for a service must not be done now; asked before it begins and between its steps.

    Args:
        plan: What would be done.
        service: One service of its platform.
        burns: The service's burning alerts that still fire.
        cases: The service's open cases.
        now: The present.
        insist: A person says that it must be.
    """
    if insist or plan.purpose not in GIVING_WAY or not takes_away(plan, service):
        return None
    acting = [c for c in cases if c.state in {CaseState.ACTING, CaseState.VERIFYING}]
    if acting:
        return Refusal(
            reason=Reason.BUSY,
            subject=service,
            detail=f"{acting[0].id} is healing {acting[0].subject.key}: healing goes first",
        )
    fresh = [burn for burn in burns if now - burn.began_at < BURN_AGE_MAX]
    if not fresh:
        return None
    names = ", ".join(sorted({burn.alert for burn in fresh}))
    since = min(burn.began_at for burn in fresh)
    return Refusal(
        reason=Reason.BURNING,
        subject=service,
        detail=f"{service} burns its budget since {since:%H:%M:%S} UTC ({names}): nothing is "
        "taken away from it now. If this change is the cure, say --force",
    )


def takes_away(plan: Plan, service: str) -> bool:
    """
    Whether any step of a plan takes something of a service out of use.
    """
    prefix = f"{plan.platform}-{service}-"
    return any(
        name.startswith(prefix) for step in plan.steps for name in _taken_away(step)
    )


def _taken_away(step: Step) -> tuple[str, ...]:
    match step:
        case SetWeight():
            return (step.instance,) if step.weight == 0 else ()
        case LeavePool():
            return step.instances
        case Drain() | RestartInstance() | DeleteInstance():
            return (step.instance,)
        case RestartMember():
            return (step.slot,)
        case DeleteResource():
            return (step.name,)
        case _:
            return ()
