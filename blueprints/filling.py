"""
Slots that lack a serving instance get one: made together, joined in one change, awaited together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from blueprints import drafting
from blueprints.fragment import Fragment, joined
from blueprints.identity import clears_first
from blueprints.retiring import retire
from blueprints.scope import Scope
from blueprints.sealed import withdrawals
from blueprints.slot import Condition, Slot
from blueprints.spreading import spread, usable_zones
from fournines.model import names
from fournines.model.refusal import Reason, Refusal
from fournines.model.specification import InstanceSpec
from fournines.planning.costs import deadline_seconds
from fournines.planning.steps import EnsureVolume, Step

_BROKEN_VOLUME = "error"


def zones_for(scope: Scope, placed: Sequence[Slot]) -> dict[int, str | None]:
    """
    The zone of each slot's next instance. Slots not in `placed` keep theirs.
    """
    numbers = {slot.number for slot in placed}
    group, observed = scope.group, scope.observed
    zones = usable_zones(group.zones, observed.inventory.zones)
    others = (
        instance.zone
        for instance in observed.instances(scope.service.name, group.name)
        if instance.owner
        and instance.owner.slot not in numbers
        and (instance.owner.slot or 0) < group.count
    )
    bound: dict[int, str] = {}
    for slot in placed:
        stored = _volume_zone(scope, slot)
        if stored:
            bound[slot.number] = stored
        elif slot.condition is Condition.UNFINISHED and _zone_of(slot):
            bound[slot.number] = _zone_of(slot)
    return spread(sorted(numbers), zones, others, bound)


def _volume_zone(scope: Scope, slot: Slot) -> str | None:
    """
    The zone that a slot's volume binds it to. Cinder has zones of its own, often a single one called nova, which takes no instances.
    """
    volume = scope.observed.volumes.get(_slot_name(scope, slot.number))
    if scope.group.volume_size_gb is None or volume is None:
        return None
    known = scope.observed.inventory.zones
    return volume.zone if not known or volume.zone in known else None


def next_instance(scope: Scope, slot: Slot, zone: str | None) -> InstanceSpec:
    """
    What is to be made in a slot: the next generation, or the one that was never finished.
    """
    generation = slot.next_generation
    if slot.condition is Condition.UNFINISHED and slot.keeper and slot.keeper.owner:
        generation = slot.keeper.owner.generation or generation
    return scope.service.instance(scope.group, slot.number, generation, zone)


def fill(scope: Scope, empty: Sequence[Slot], *, label: str = "new") -> Fragment:
    """
    Make an instance in each of these slots and bring them into service. `label` makes the ids of the pool steps unique within the plan.
    """
    if not empty:
        return Fragment()
    refusal = _no_zone(scope)
    if refusal is not None:
        return Fragment(refusals=(refusal,))
    zones = zones_for(scope, empty)
    volumes = volume_steps(scope, [slot.number for slot in empty], zones)
    volume_of = {step.id: step for step in volumes.steps}
    unusable = {refusal.subject for refusal in volumes.refusals}
    makes: list[Step] = []
    cleared: list[Fragment] = []
    for slot in empty:
        name = _slot_name(scope, slot.number)
        if name in unusable:
            continue
        volume = f"ensure-volume/{name}"
        before = _clear(scope, slot)
        cleared.append(before)
        makes.append(
            drafting.ensure_instance(
                next_instance(scope, slot, zones[slot.number]),
                needs=(
                    *scope.shared_needs,
                    *before.ended,
                    *([volume] if volume in volume_of else ()),
                ),
                why=f"slot {slot.number} {slot.condition.value}",
            )
        )
    made = [step.id.removeprefix("ensure-instance/") for step in makes]
    service = bring_into_service(
        scope, made, label=label, needs=[step.id for step in makes]
    )
    keys = withdrawals(scope, made, service.ready)
    whole = joined((volumes, *cleared, Fragment(steps=tuple(makes)), service, keys))
    return Fragment(whole.steps, whole.refusals, service.ready, service.ready)


def _clear(scope: Scope, slot: Slot) -> Fragment:
    if not clears_first(scope, slot):
        return Fragment()
    return retire(
        slot.leftovers,
        scope.observed,
        drain_seconds=scope.group.drain_seconds,
        needs=(),
        label=f"slot-{slot.number}",
        why="it holds the slot's address",
    )


def bring_into_service(
    scope: Scope,
    instances: Sequence[str],
    *,
    label: str,
    needs: Sequence[str],
    why: str = "users are to be served by them",
) -> Fragment:
    """
    Join the group's pools and wait until requests are served. Without a pool, being made is all.
    """
    if not instances:
        return Fragment()
    if not scope.group.memberships:
        return Fragment(ready=tuple(needs))
    steps: list[Step] = []
    ready: list[str] = []
    for membership in scope.group.memberships:
        join = drafting.join_pool(
            membership,
            instances,
            label=label,
            needs=scope.join_needs(membership, needs),
            why=why,
        )
        wait = drafting.await_serving(
            membership, scope.group.probe, instances, label=label, needs=(join.id,)
        )
        steps += (join, wait)
        ready.append(wait.id)
    return Fragment(steps=tuple(steps), ready=tuple(ready))


def volume_steps(
    scope: Scope, slots: Iterable[int], zones: dict[int, str | None]
) -> Fragment:
    """
    Volumes that slots still lack, and what is wrong with those they have.
    """
    size = scope.group.volume_size_gb
    if size is None:
        return Fragment()
    steps: list[Step] = []
    refusals: list[Refusal] = []
    for number in slots:
        found = scope.observed.volumes.get(_slot_name(scope, number))
        if found is None:
            spec = scope.service.volume(scope.group, number, zones.get(number))
            steps.append(
                EnsureVolume(
                    id=f"ensure-volume/{spec.name}",
                    deadline_seconds=deadline_seconds("ensure-volume"),
                    why=f"slot {number} has no volume",
                    spec=spec,
                )
            )
        elif found.status.lower().startswith(_BROKEN_VOLUME):
            refusals.append(
                Refusal(
                    reason=Reason.FAILED,
                    subject=found.name,
                    detail=f"volume {found.name} is in status {found.status}; "
                    "repair it (`openstack volume show` says what is wrong) and "
                    "plan again",
                )
            )
    return Fragment(steps=tuple(steps), refusals=tuple(refusals))


def _zone_of(slot: Slot) -> str:
    return (slot.keeper.zone or "") if slot.keeper else ""


def _no_zone(scope: Scope) -> Refusal | None:
    group = scope.group
    if not group.zones or usable_zones(group.zones, scope.observed.inventory.zones):
        return None
    return Refusal(
        reason=Reason.CAPACITY,
        subject=names.of_service(
            scope.service.platform, scope.service.name, group.name
        ),
        detail=f"none of the zones {', '.join(group.zones)} takes instances; "
        f"this cloud has {', '.join(scope.observed.inventory.zones)}",
    )


def _slot_name(scope: Scope, number: int) -> str:
    return names.slot(
        scope.service.platform, scope.service.name, scope.group.name, number
    )
