"""
The part of the plan's linter that is about members of stateful services: in which order they go and come. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from fournines.planning.graph import Ancestry
from fournines.planning.plan import Plan
from fournines.planning.steps import (
    AwaitMember,
    DeleteInstance,
    ForgetMember,
    PrepareLeave,
    RestartInstance,
)

Place = tuple[str, str, str]


def problems(plan: Plan, ancestry: Ancestry) -> Iterator[str]:
    """
    What is wrong with how members go and come.
    """
    leaves = [step for step in plan.steps if isinstance(step, PrepareLeave)]
    yield from _gone_too_early(plan, ancestry, leaves)
    backs: dict[tuple[Place, str], list[str]] = {}
    for step in plan.steps:
        if isinstance(step, AwaitMember | ForgetMember):
            backs.setdefault((_place(step), step.slot), []).append(step.id)
    for one, other in combinations(leaves, 2):
        if _place(one) != _place(other) or one.slot == other.slot:
            continue
        if one.together and other.together:
            continue
        first, second = (
            (one, other) if ancestry.precedes(one.id, other.id) else (other, one)
        )
        between = (
            ancestry.precedes(first.id, back) and ancestry.precedes(back, second.id)
            for back in backs.get((_place(first), first.slot), ())
        )
        if not any(between):
            yield f"{first.slot} and {second.slot} may be away at once"


def _gone_too_early(
    plan: Plan, ancestry: Ancestry, leaves: list[PrepareLeave]
) -> Iterator[str]:
    handing = {step.instance: step.id for step in leaves}
    for step in plan.steps:
        if isinstance(step, DeleteInstance | RestartInstance):
            before = handing.get(step.instance)
            if before is not None and not ancestry.precedes(before, step.id):
                yield f"{step.id} may run before it has handed over"


def _place(step: PrepareLeave | AwaitMember | ForgetMember) -> Place:
    return (step.platform, step.service, step.group)
