"""
From a rung to a plan: every choice settled, in steps that each may run twice.

A replacement keeps its order for the users' sake: the new member serves before the old one leaves, and the old one leaves before it
is deleted. Generations grow, so a replacement that was cut short is found by its name and finished instead of doubled.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from fournines.model import references
from fournines.model.desired import (
    Membership,
    Platform,
    Service,
    instance_digest,
)
from fournines.model.ownership import Owner
from fournines.model.refusal import Refusal
from fournines.model.specification import MemberSpec
from fournines.planning.plan import Plan, Purpose
from fournines.planning.steps import (
    AwaitServing,
    DeleteInstance,
    EnsureInstance,
    EnsurePort,
    EnsureVolume,
    JoinPool,
    LeavePool,
    RestartInstance,
    SetWeight,
    Step,
    WithdrawKey,
)
from healing import handing_over, replacement, service_plans
from healing.ladder import Choice
from healing.rungs import Rung
from healing.situation import Situation, pool_members

SERVING_DEADLINE_SECONDS = 90.0
"""A new instance serves within seconds; a minute leaves room for a slow cloud."""

FULL_WEIGHT = 1
"""What every member weighs that serves (MemberSpec's default)."""

BUILD_DEADLINE_SECONDS = 120.0
"""A build that takes longer is stuck: the next rung is quicker than waiting."""


def make(choice: Choice, situation: Situation, *, case_id: str) -> Plan:
    """
    The plan of a rung; empty when there is nothing to change.
    """
    steps: tuple[Step, ...] = ()
    match choice.rung:
        case Rung.REPLACE | Rung.SHIFT:
            steps = _replace(situation, drain=choice.drain)
        case Rung.RESTART:
            steps = _restart(situation)
        case Rung.WATCH | Rung.LEAVE:
            steps = _restore(situation)
        case Rung.FAIL_OVER:
            steps = (*service_plans.fail_over(situation), *_restore(situation))
        case Rung.SCALE_OUT | Rung.ROLL_BACK:
            wanted = service_plans.desired(choice.rung, situation)
            steps = service_plans.towards(wanted, situation) if wanted else ()
        case Rung.PAGE:
            steps = ()
    return _of(choice.rung, steps, choice.refusals, situation, case_id)


def towards(
    rung: Rung, wanted: Platform, situation: Situation, *, case_id: str
) -> Plan:
    """
    The rest of the way to what a rung has asked for already.
    """
    return _of(rung, service_plans.towards(wanted, situation), (), situation, case_id)


def _of(
    rung: Rung,
    steps: tuple[Step, ...],
    refusals: tuple[Refusal, ...],
    situation: Situation,
    case_id: str,
) -> Plan:
    told = "\n".join(step.model_dump_json() for step in steps)
    digest = hashlib.sha256(told.encode()).hexdigest()[:8]
    return Plan(
        id=f"{prefix(case_id)}{rung}-{digest}",
        purpose=Purpose.HEAL,
        platform=situation.subject.platform,
        service=situation.subject.service,
        made_at=situation.inventory.at,
        steps=steps,
        refusals=refusals,
    )


def prefix(case_id: str) -> str:
    """
    What the ids of a case's plans begin with.
    """
    return f"heal-{case_id}-"


def arriving(plan: Plan, slot: int | None) -> str | None:
    """
    The instance that a plan brings into a slot, if it brings one.
    """
    for step in plan.steps:
        if isinstance(step, EnsureInstance) and step.spec.owner.slot == slot:
            return step.spec.name
    return None


def is_asked_for(plan: Plan, service: Service) -> bool:
    """
    Whether all that a plan builds is what its service asks for, as it is now: somebody may have asked for something else since it was made.
    """
    return all(
        _is_wanted(step.spec.owner, service)
        for step in plan.steps
        if isinstance(step, EnsureInstance)
    )


def _is_wanted(owner: Owner, service: Service) -> bool:
    return any(
        group.name == owner.group
        and owner.slot is not None
        and owner.slot < group.count
        and owner.digest == instance_digest(group)
        for group in service.groups
    )


def rung_of(plan: Plan) -> Rung:
    """
    The rung that a healing plan was made for: its id says so.
    """
    return rung_called(plan.id)


def rung_called(plan_id: str) -> Rung:
    """
    The rung in the id of a healing plan.
    """
    middle = plan_id.rpartition("-")[0]
    return next((rung for rung in Rung if middle.endswith(f"-{rung}")), Rung.REPLACE)


def _replace(situation: Situation, *, drain: bool) -> tuple[Step, ...]:
    change = replacement.of_slot(situation)
    group, service = situation.group, situation.service
    slot = situation.subject.slot
    assert slot is not None
    hands_over = group.hands_over
    steps: list[Step] = []
    first = [situation.subject.instance] if drain or hands_over else []
    if group.is_ordinal:
        first = list(change.leaving)
    handed = handing_over.leave(situation)
    steps.extend(handed)
    drains = _drain(situation, first, after=tuple(step.id for step in handed))
    steps.extend(drains)
    before = [step.id for step in (*handed, *drains) if hands_over]
    if group.is_ordinal:
        # Two instances cannot both have the slot's address.
        gone = _retire(situation, change.leaving, tuple(before))
        steps.extend(gone)
        before += [step.id for step in gone]
        port = service.port(group, slot)
        steps.append(EnsurePort(id=f"ensure-port/{port.name}", spec=port))
        before.append(steps[-1].id)
    if group.volume_size_gb is not None:
        spec = service.volume(group, slot, change.zone)
        volume = EnsureVolume(id=f"ensure-volume/{spec.name}", spec=spec)
        steps.append(volume)
        before.append(volume.id)
    ensure = EnsureInstance(
        id=f"ensure-instance/{change.arriving}",
        needs=tuple(before),
        deadline_seconds=BUILD_DEADLINE_SECONDS,
        why=f"{situation.subject.instance or 'the slot'} is sick",
        spec=service.instance(group, slot, change.generation, change.zone),
    )
    steps.append(ensure)
    served: list[str] = []
    for place in group.memberships:
        pair = _serve(situation, place, change.arriving, after=ensure.id)
        steps.extend(pair)
        served.append(pair[-1].id)
    ready = tuple(served) or (ensure.id,)
    if references.is_confidential(group.user_data):
        key = WithdrawKey(
            id=f"withdraw-key/{change.arriving}",
            needs=ready,
            instance=change.arriving,
            serves=group.is_asked,
        )
        steps.append(key)
    if group.is_ordinal:
        arrived = handing_over.arrive(situation, change.arriving, after=ready)
        return (*steps, *arrived)
    rest = [name for name in change.leaving if name not in first]
    last = _drain(situation, rest, after=ready)
    steps.extend(last)
    drained = tuple(step.id for step in (*drains, *last))
    steps.extend(_retire(situation, change.leaving, (*ready, *drained)))
    return tuple(steps)


def _serve(
    situation: Situation, place: Membership, instance: str, *, after: str
) -> tuple[Step, Step]:
    join = JoinPool(
        id=f"join-pool/{place.pool}/{instance}",
        needs=(after,) if after else (),
        load_balancer=place.load_balancer,
        pool=place.pool,
        members=(
            MemberSpec(
                instance=instance, port=place.port, monitor_port=place.monitor_port
            ),
        ),
    )
    return join, _await(situation, place, instance, after=join.id)


def _await(
    situation: Situation, place: Membership, instance: str, *, after: str
) -> AwaitServing:
    probe = situation.group.probe
    return AwaitServing(
        id=f"await-serving/{place.pool}/{instance}",
        needs=(after,),
        deadline_seconds=SERVING_DEADLINE_SECONDS,
        load_balancer=place.load_balancer,
        pool=place.pool,
        instances=(instance,),
        probe_port=probe.port if probe else None,
        probe_path=probe.path if probe else None,
        probe_scheme=probe.scheme if probe else "http",
        role=place.role,
    )


def _retire(
    situation: Situation, leaving: tuple[str, ...], after: tuple[str, ...]
) -> list[Step]:
    """
    Out of every pool in one change each, then deleted.
    """
    steps: list[Step] = []
    if not leaving:
        return steps
    last = after
    for place in situation.group.memberships:
        leave = LeavePool(
            id=f"leave-pool/{place.pool}/{leaving[-1]}",
            needs=last,
            load_balancer=place.load_balancer,
            pool=place.pool,
            instances=leaving,
        )
        steps.append(leave)
        last = (leave.id,)
    known = {instance.name for instance in situation.inventory.instances}
    steps.extend(
        DeleteInstance(id=f"delete-instance/{name}", needs=last, instance=name)
        for name in leaving
        if name in known
    )
    return steps


def _restart(situation: Situation) -> tuple[Step, ...]:
    name = situation.subject.instance
    assert name is not None
    steps: list[Step] = list(handing_over.leave(situation))
    handed = tuple(step.id for step in steps)
    steps += _drain(situation, [name], after=handed)
    restart = RestartInstance(
        id=f"restart-instance/{name}",
        needs=tuple(step.id for step in steps),
        deadline_seconds=BUILD_DEADLINE_SECONDS,
        instance=name,
    )
    steps.append(restart)
    last = restart.id
    for place in situation.group.memberships:
        await_serving = _await(situation, place, name, after=last)
        steps.append(await_serving)
        steps.append(_weight_one(place, name, after=(await_serving.id,)))
        last = steps[-1].id
    return (*steps, *handing_over.arrive(situation, name, after=(last,)))


def _drain(
    situation: Situation, instances: Iterable[str | None], *, after: tuple[str, ...]
) -> list[Step]:
    """
    Weight 0 for those members that have another one, in each of their pools.
    """
    return [
        SetWeight(
            id=f"set-weight/{pool}/{name}/0",
            needs=after,
            load_balancer=balancer,
            pool=pool,
            instance=name,
            weight=0,
            weight_before=member.weight,
            why="it is sick: no new requests",
        )
        for name in instances
        if name is not None
        for balancer, pool, member in pool_members(
            situation.inventory, situation.group, name
        )
        if member.weight != 0
    ]


def _restore(situation: Situation) -> tuple[Step, ...]:
    """
    The weight that a first action took away, given back in every pool; and its place in those pools that it was left out of.
    """
    name = situation.subject.instance
    if name is None:
        return ()
    found = pool_members(situation.inventory, situation.group, name)
    weights = {(balancer, pool): member.weight for balancer, pool, member in found}
    steps: list[Step] = []
    for place in situation.group.memberships:
        weight = weights.get((place.load_balancer, place.pool))
        if weight is None and situation.instance is not None:
            steps.extend(_serve(situation, place, name, after=""))
        elif weight == 0:
            steps.append(_weight_one(place, name, after=()))
    return tuple(steps)


def _weight_one(place: Membership, instance: str, after: tuple[str, ...]) -> SetWeight:
    return SetWeight(
        id=f"set-weight/{place.pool}/{instance}/{FULL_WEIGHT}",
        needs=after,
        load_balancer=place.load_balancer,
        pool=place.pool,
        instance=instance,
        weight=FULL_WEIGHT,
        weight_before=0,
        why="it is well",
    )
