"""
Taking instances away so that no request is lost: weight 0, drain, leave the pool, delete.
"""

from __future__ import annotations

from collections.abc import Sequence

from blueprints import drafting
from blueprints.fragment import Fragment
from blueprints.observed import Observed
from blueprints.slot import is_dead
from fournines.model.inventory import Instance
from fournines.planning.pools import Place
from fournines.planning.steps import LeavePool, Step


def retire(
    instances: Sequence[Instance],
    observed: Observed,
    *,
    drain_seconds: float,
    needs: Sequence[str],
    label: str,
    why: str,
) -> Fragment:
    """
    The steps that take these instances out of their pools and delete them.

    Args:
        instances: Dead ones among them get no drain: nothing of theirs is in flight.
        observed: What is, for their pools.
        drain_seconds: How long requests in flight get.
        needs: Steps to be done before the first of these.
        label: Makes the ids of the pool steps unique within the plan.
        why: One clause for people.
    """
    if not instances:
        return Fragment()
    steps: list[Step] = []
    left_after: dict[Place, list[str]] = {}
    leaving: dict[Place, list[str]] = {}
    for instance in instances:
        quiet, quiet_ids = _silence(instance, observed, drain_seconds, needs, why)
        steps += quiet
        for place in observed.places(instance.name):
            leaving.setdefault(place, []).append(instance.name)
            left_after.setdefault(place, []).extend(quiet_ids)
    leaves: dict[Place, LeavePool] = {
        place: drafting.leave_pool(
            place, names, label=label, needs=left_after[place], why=why
        )
        for place, names in leaving.items()
    }
    steps += leaves.values()
    deletes = [
        drafting.delete_instance(
            instance.name,
            needs=[leaves[place].id for place in observed.places(instance.name)]
            or needs,
            why=why,
        )
        for instance in instances
    ]
    return Fragment(steps=(*steps, *deletes), ended=tuple(step.id for step in deletes))


def _silence(
    instance: Instance,
    observed: Observed,
    drain_seconds: float,
    needs: Sequence[str],
    why: str,
) -> tuple[list[Step], tuple[str, ...]]:
    """
    Steps after which no request goes to the instance, and the ids to wait for.
    """
    weighted = [
        (place, member.weight)
        for place in observed.places(instance.name)
        if (member := observed.members(place)[instance.name]).weight > 0
    ]
    if is_dead(instance) or not weighted:
        return [], tuple(needs)
    zeros: list[Step] = [
        drafting.set_weight(
            place, instance.name, 0, before=weight, needs=needs, why=why
        )
        for place, weight in weighted
    ]
    drain = drafting.drain(
        instance.name, drain_seconds, needs=[step.id for step in zeros]
    )
    return [*zeros, drain], (drain.id,)
