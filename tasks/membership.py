"""
Members of stateful services come and go here: what the steps about them do, and what is read for them.

Rules decide (blueprints/lifecycle.py), the operator acts (tasks/operators), and in between stands a fresh reading, never the plan's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from blueprints import lifecycles
from blueprints.lifecycle import Lifecycle
from fournines import log
from fournines.cloud.errors import CloudError, DeadlinePassed, RequestInvalid
from fournines.model.cluster import ClusterView
from fournines.model.desired import Group, Platform, Service
from fournines.model.inventory import DEAD_STATUSES, Inventory
from fournines.model.refusal import Reason, Refusal
from fournines.planning.steps import (
    ApplyContents,
    AwaitMember,
    ForgetMember,
    PrepareLeave,
    RestartMember,
    SwitchOver,
)
from tasks.operators import Cluster, ClusterRefused, ClusterSilent, Operator
from tasks.workshop import Workshop

MemberStep = PrepareLeave | AwaitMember | ForgetMember
WardStep = MemberStep | RestartMember | SwitchOver | ApplyContents

_CURABLE = frozenset({Reason.QUORUM, Reason.EVIDENCE_MISSING})
"""What waiting may cure: somebody catches up, somebody answers again."""

LOOK_SECONDS = 1.0
"""A member catches up in seconds, and each look is a dozen calls: ten members awaited together kept a small cloud from booting them."""

_log = log.get("membership")


@dataclass(frozen=True, slots=True)
class Ward:
    """
    One stateful group with whoever speaks for it.
    """

    service: Service
    group: Group
    rules: Lifecycle
    operator: Operator

    def cluster(self, inventory: Inventory) -> Cluster:
        """
        What the operator works on.
        """
        return Cluster(self.service, self.group, inventory)


def ward(workshop: Workshop, service: Service, group: Group) -> Ward | None:
    """
    Whoever speaks for a group; None: its instances are cattle, or nobody knows its engine.
    """
    rules = lifecycles.of(service, group)
    make = workshop.operators.get(service.blueprint)
    if rules is None or make is None:
        return None
    return Ward(service, group, rules, make(workshop))


def view(seen: Ward, inventory: Inventory) -> ClusterView | None:
    """
    What a stateful group says of itself; None when nobody there can be asked.
    """
    try:
        return seen.operator.view(seen.cluster(inventory))
    except CloudError as error:
        _log.warning(
            "cluster_silent",
            service=seen.service.name,
            group=seen.group.name,
            error=str(error),
        )
        return None


def views(
    workshop: Workshop, desired: Platform, inventory: Inventory, only: str | None = None
) -> dict[tuple[str, str], ClusterView]:
    """
    What the stateful groups of a platform, or of one service, say of themselves; whoever cannot be asked is left out.
    """
    found: dict[tuple[str, str], ClusterView] = {}
    for service in desired.services:
        if only not in {None, service.name}:
            continue
        for group in service.groups:
            one = ward(workshop, service, group)
            if one is None or not inventory.of_group(service.name, group.name):
                continue
            seen = view(one, inventory)
            if seen is not None:
                found[service.name, group.name] = seen
    return found


def prepare_leave(step: PrepareLeave, workshop: Workshop) -> None:
    """
    Make it safe to stop a member, as soon as its rules allow it.

    Raises:
        ClusterRefused: They do not allow it in time, or the service said no.
        ClusterSilent: Nobody there can be asked.
    """
    found = ward_of(step, workshop)
    deadline = _deadline(step, workshop)
    while True:
        inventory = workshop.cloud.serving(step.platform, step.service)
        if _is_dead(step.instance, inventory):
            _log.info("nothing_to_hand_over", instance=step.instance)
            return
        refusal = _objection(step, workshop, found, inventory)
        if refusal is None and step.alone:
            _log.info("nobody_to_hand_over_to", instance=step.instance)
            return
        if refusal is None:
            left = (deadline - workshop.clock.now()).total_seconds()
            found.operator.leave(
                found.cluster(inventory), step.slot, deadline_seconds=max(left, 1.0)
            )
            return
        if refusal.reason not in _CURABLE or workshop.clock.now() >= deadline:
            raise ClusterRefused(f"letting {step.instance} go", refusal.detail)
        workshop.clock.sleep(workshop.settings.poll_seconds)


def stay(step: PrepareLeave, workshop: Workshop) -> None:
    """
    Take `prepare_leave` back.

    Raises:
        CloudError: The service cannot be asked, or said no.
    """
    found = ward_of(step, workshop)
    inventory = workshop.cloud.serving(step.platform, step.service)
    if not _is_dead(step.instance, inventory):
        found.operator.stay(found.cluster(inventory), step.slot)


def await_member(step: AwaitMember, workshop: Workshop) -> None:
    """
    Return once the member of a slot is all it should be.

    Raises:
        DeadlinePassed: It is not in time; the message says what is lacking.
    """
    found = ward_of(step, workshop)
    deadline = _deadline(step, workshop)
    while True:
        inventory = workshop.cloud.serving(step.platform, step.service)
        lacking = _lacking(step, found, inventory)
        if not lacking:
            return
        if workshop.clock.now() >= deadline:
            raise DeadlinePassed(
                f"waiting until {step.slot} is a full member",
                lacking,
                "Look at its console: openstack console log show INSTANCE",
            )
        workshop.clock.sleep(LOOK_SECONDS)


def forget_member(step: ForgetMember, workshop: Workshop) -> None:
    """
    Have the service no longer count a member that is gone for ever.

    Raises:
        CloudError: The service cannot be asked, or said no.
    """
    found = ward_of(step, workshop)
    inventory = workshop.cloud.serving(step.platform, step.service)
    found.operator.remove(found.cluster(inventory), step.slot)


def ward_of(step: WardStep, workshop: Workshop) -> Ward:
    """
    Whoever speaks for the group that a step is about.

    Raises:
        RequestInvalid: The registry asks for no such group, or nobody speaks for it.
    """
    attempted = step.id.replace("-", " ", 1).replace("/", " ", 1)
    platform = workshop.store.registry.platform(step.platform)
    if platform is None:
        raise RequestInvalid(attempted, f"no platform {step.platform} is deployed")
    try:
        service = platform.service(step.service)
        group = service.group(step.group)
    except KeyError as error:
        raise RequestInvalid(attempted, f"{error} is not asked for any more") from error
    found = ward(workshop, service, group)
    if found is None:
        raise RequestInvalid(
            attempted,
            f"nobody here speaks for {service.blueprint} ({step.service}/{step.group})",
        )
    return found


def _objection(
    step: PrepareLeave, workshop: Workshop, found: Ward, inventory: Inventory
) -> Refusal | None:
    seen = view(found, inventory)
    if seen is None:
        return Refusal(
            reason=Reason.EVIDENCE_MISSING,
            subject=step.slot,
            detail=f"nobody in {step.service} says how its members are, and nothing "
            "is taken away on silence",
        )
    if step.alone and seen.is_alone(step.slot):
        return None  # a person was told what it costs
    if step.for_good:
        seen = seen.without_voter(step.slot)
    return found.rules.may_leave(seen, step.slot, workshop.clock.now())


def _lacking(step: AwaitMember, found: Ward, inventory: Inventory) -> str:
    """
    What keeps the member from being a full one; empty when nothing does.
    """
    cluster = found.cluster(inventory)
    try:
        admitted = found.operator.admitted(cluster, step.slot)
        seen = found.operator.view(cluster)
    except (ClusterSilent, ClusterRefused) as error:
        return str(error)
    if not admitted:
        return f"{step.slot} is not yet taken in"
    return found.rules.is_settled(seen, step.slot)


def _is_dead(instance: str, inventory: Inventory) -> bool:
    """
    Whether the cloud itself says that it runs no more: there is nothing left to hand over.
    """
    found = inventory.instance(instance)
    return found is None or found.status in DEAD_STATUSES


def _deadline(step: MemberStep, workshop: Workshop) -> datetime:
    return workshop.clock.now() + timedelta(seconds=step.deadline_seconds)
