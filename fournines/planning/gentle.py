"""
The gentle part of a plan: weights given back and members joined, nothing made and nothing deleted. Pure.

When something stands in the way of the whole (a stranger's resource under one of our names, a quota, a quarantined build), the timer may
still bring back what serves already.
"""

from __future__ import annotations

from collections.abc import Iterable

from fournines.model.refusal import Refusal
from fournines.planning import graph, plan
from fournines.planning.plan import Plan
from fournines.planning.steps import AwaitServing, JoinPool, SetWeight, Step


def part(whole: Plan, refusals: Iterable[Refusal]) -> Plan:
    """
    The steps that only let serve what is there, as far as they need none of the others; with the refusals of the rest.
    """
    kept: dict[str, Step] = {}
    for step in graph.ordered(whole.steps):
        if _is_gentle(step) and all(need in kept for need in step.needs):
            kept[step.id] = step
    return plan.make(
        purpose=whole.purpose,
        platform=whole.platform,
        service=whole.service,
        made_at=whole.made_at,
        steps=kept.values(),
        refusals=(*whole.refusals, *refusals),
    )


def _is_gentle(step: Step) -> bool:
    if isinstance(step, SetWeight):
        return step.weight > 0
    return isinstance(step, JoinPool | AwaitServing)
