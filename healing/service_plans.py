"""
Plans for what no single member causes. Scaling out and rolling back change what is asked for, and go the deploy's path from there.
"""

from __future__ import annotations

from blueprints import diff
from fournines.model.desired import Group, Platform, Service
from fournines.planning.plan import Purpose
from fournines.planning.steps import FailOverLoadBalancer, Step
from healing import ladder_service
from healing.rungs import Rung
from healing.situation import Situation

FAILOVER_DEADLINE_SECONDS = 300.0
"""An amphora boots for up to two minutes, and two of them may have to."""


def desired(rung: Rung, situation: Situation) -> Platform | None:
    """
    What will be asked for after a rung; None when it asks for nothing new.
    """
    if rung is Rung.SCALE_OUT:
        size = ladder_service.size_after(situation)
        return _with(situation, _resized(situation.service, situation.group, size))
    if rung is Rung.ROLL_BACK and situation.scene and situation.scene.previous:
        return _with(situation, _as_before(situation.scene.previous, situation.service))
    return None


def towards(wanted: Platform, situation: Situation) -> tuple[Step, ...]:
    """
    The deploy's steps from what is to what will be asked for.
    """
    made = diff.plan_platform(
        wanted, situation.inventory, only=situation.service.name, purpose=Purpose.HEAL
    )
    return made.steps


def fail_over(situation: Situation) -> tuple[Step, ...]:
    """
    The failover of the subject's load balancer.
    """
    front = situation.scene.balancer if situation.scene else None
    assert front is not None
    return (
        FailOverLoadBalancer(
            id=f"fail-over-load-balancer/{front.name}",
            deadline_seconds=FAILOVER_DEADLINE_SECONDS,
            load_balancer=front.name,
            why="users do not get through it",
        ),
    )


def _with(situation: Situation, service: Service) -> Platform:
    services = tuple(
        service if one.name == service.name else one
        for one in situation.platform.services
    )
    return situation.platform.model_copy(update={"services": services})


def _resized(service: Service, group: Group, count: int) -> Service:
    groups = tuple(
        one.model_copy(update={"count": count}) if one.name == group.name else one
        for one in service.groups
    )
    given = dict(service.parameters)
    if len(groups) == 1 and given.get("count") == group.count:
        given["count"] = count
    return service.model_copy(update={"groups": groups, "parameters": given})


def _as_before(before: Service, now: Service) -> Service:
    """
    The earlier service, with the sizes of today: load has not been rolled back.
    """
    sizes = {group.name: group.count for group in now.groups}
    groups = tuple(
        group.model_copy(update={"count": sizes.get(group.name, group.count)})
        for group in before.groups
    )
    given = dict(before.parameters)
    if "count" in given and "count" in now.parameters:
        given["count"] = now.parameters["count"]
    return before.model_copy(update={"groups": groups, "parameters": given})
