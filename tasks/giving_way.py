"""
A deploy gives way to healing: asked before it begins, and between its steps.
"""

from __future__ import annotations

from collections.abc import Iterable

from alerts import conventions as c
from fournines.model.refusal import Refusal
from fournines.planning.plan import Plan
from fournines.planning.steps import Step
from healing import precedence
from healing.precedence import Burn
from tasks import perform
from tasks.execution import GaveWay, Performer, Work
from tasks.workshop import Workshop


def objections(
    workshop: Workshop, plan: Plan, services: Iterable[str], *, insist: bool
) -> tuple[Refusal, ...]:
    """
    Why a plan must not be performed now, a sentence for each service it would take something away from.
    """
    found = (_objection(workshop, plan, name, insist=insist) for name in services)
    return tuple(refusal for refusal in found if refusal is not None)


def between_steps(
    workshop: Workshop,
    plan: Plan,
    services: Iterable[str],
    performer: Performer,
    *,
    insist: bool,
) -> Performer:
    """
    The same performer, which stops when healing must go first. What is done is done; running it again goes on.
    """
    if insist or plan.purpose not in precedence.GIVING_WAY:
        return performer
    touched = [name for name in services if precedence.takes_away(plan, name)]

    def asking(step: Step, work: Work) -> perform.Facts:
        refusals = objections(workshop, plan, touched, insist=False)
        if refusals:
            raise GaveWay(refusals[0].detail)
        return performer(step, work)

    return asking if touched else performer


def _objection(
    workshop: Workshop, plan: Plan, service: str, *, insist: bool
) -> Refusal | None:
    if insist or not precedence.takes_away(plan, service):
        return None
    store = workshop.store
    burns = tuple(
        Burn(alert=alert.name, began_at=alert.starts_at)
        for alert in store.inbox.firing(plan.platform, service)
        if alert.labels.get(c.TIER) == c.Tier.BURN
    )
    cases = tuple(
        case
        for case in store.cases.cases(service=service, open_only=True, limit=1_000)
        if case.subject.platform == plan.platform
    )
    return precedence.gives_way(
        plan, service, burns=burns, cases=cases, now=workshop.clock.now()
    )
