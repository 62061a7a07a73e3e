"""
Which plans need a person's word: those that delete data, touch much of a group at once, or take the last serving member away.

Everything else is undone by doing it again: instances are cattle, weights come back.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

from fournines.planning.graph import Ancestry
from fournines.planning.plan import Plan
from fournines.planning.steps import (
    AwaitServing,
    DeleteInstance,
    DeleteResource,
    Drain,
    LeavePool,
    RestartInstance,
    SetWeight,
    Step,
)
from healing.situation import Situation, is_of_group

DIGEST_LENGTH = 16
"""Hex digits, as of every digest here."""


def reasons(plan: Plan, situation: Situation) -> tuple[str, ...]:
    """
    Why a person must agree, one sentence each; empty when nobody need be asked.
    """
    return (
        *_data(plan),
        *_share(plan, situation),
        *_last(plan, situation),
    )


def takes_the_last(plan: Plan, situation: Situation) -> bool:
    """
    Whether nothing serves for a while, by our own action.
    """
    return bool(_last(plan, situation))


def digest(plan: Plan) -> str:
    """
    What a person agrees to: everything the plan does but weights, which one call undoes; not when it was made, nor for which case.
    """
    kept = [
        step.model_dump(mode="json", exclude={"needs", "why", "deadline_seconds"})
        for step in plan.steps
        if not isinstance(step, SetWeight)
    ]
    text = json.dumps(kept, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:DIGEST_LENGTH]


def _data(plan: Plan) -> list[str]:
    return [
        f"it deletes the volume {step.name} and what is on it"
        for step in plan.steps
        if isinstance(step, DeleteResource) and step.resource == "volume"
    ]


def _share(plan: Plan, situation: Situation) -> list[str]:
    subject, group = situation.subject, situation.group
    slots = {
        name.rpartition("-g")[0]
        for step in plan.steps
        for name in _changed(step)
        if is_of_group(name, subject)
    }
    share = len(slots) / max(group.count, 1)
    if len(slots) < 2 or share <= group.healing.approval_share:
        return []
    allowed = f"{group.healing.approval_share:.0%}"
    return [f"it changes {len(slots)} of {group.count} members, more than {allowed}"]


def _last(plan: Plan, situation: Situation) -> list[str]:
    serving = {member.instance for member in situation.members if member.serving}
    taken = _taken_unreplaced(plan.steps)
    if not serving or serving - taken:
        return []
    names = ", ".join(sorted(serving & taken))
    return [f"it takes {names} away, and nothing else serves at the endpoint meanwhile"]


def _taken_unreplaced(steps: tuple[Step, ...]) -> set[str]:
    """
    Instances that get no requests any more before another one is known to serve.
    """
    ancestry = Ancestry(steps)
    awaited = [
        (step.id, set(step.instances))
        for step in steps
        if isinstance(step, AwaitServing)
    ]
    return {
        name
        for step in steps
        for name in _taken(step)
        if not any(
            ancestry.precedes(before, step.id) and instances - {name}
            for before, instances in awaited
        )
    }


def _taken(step: Step) -> Iterable[str]:
    if isinstance(step, SetWeight):
        return (step.instance,) if step.weight == 0 else ()
    return _changed(step)


def _changed(step: Step) -> Iterable[str]:
    if isinstance(step, LeavePool):
        return step.instances
    if isinstance(step, RestartInstance | DeleteInstance | Drain):
        return (step.instance,)
    return ()
