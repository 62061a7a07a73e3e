"""
One group: desired x observed -> the steps between them.

The order is always the same: what is missing is filled, then what is too much is retired, then what is outdated is
rolled, so that no more than `surge` instances are ever made above what is there. A healing case's slots and locked instances are left alone, and said so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from blueprints import drafting
from blueprints.filling import bring_into_service, fill, volume_steps, zones_for
from blueprints.fragment import Fragment, joined
from blueprints.identity import clears_first, port_steps
from blueprints.retiring import retire
from blueprints.rolling import roll
from blueprints.scope import Scope
from blueprints.sealed import left_behind
from blueprints.slot import (
    Condition,
    Slot,
    any_named,
    by_condition,
    dangling,
    serves,
    slots,
)
from fournines.model import names
from fournines.model.desired import Membership
from fournines.model.inventory import Instance, Member
from fournines.model.refusal import Reason, Refusal
from fournines.planning.steps import EnsureInstance


def plan_group(scope: Scope) -> Fragment:
    """
    What one group needs.
    """
    ports = tuple(port_steps(scope))
    scope = scope.after(step.id for step in ports)
    every, surplus = slots(scope.service, scope.group, scope.observed)
    refusals: list[Refusal] = []
    free = [slot for slot in every if is_free(scope, slot, refusals)]
    empty, filled, outdated = by_condition(free)

    filling = fill(scope, empty)
    returning = give_back(scope, filled)
    entering = joined((filling, returning))
    leftovers = _retire_leftovers(scope, [*empty, *filled], filling, returning)
    serving = _serving(scope, every)
    awaited = len(_made(filling)) if filling.ready else 0
    retiring = _retire_surplus(
        scope, surplus, staying=serving + awaited, needs=entering.ready
    )
    rolling = roll(
        scope,
        outdated,
        serving=serving + awaited,
        needs=(*entering.ready, *leftovers.ended, *retiring.ended),
    )
    whole = joined(
        (
            Fragment(steps=ports),
            tidy_pools(scope),
            missing_volumes(scope, [*filled, *outdated]),
            filling,
            returning,
            left_behind(scope, filled, returning.ready),
            leftovers,
            retiring,
            rolling,
        )
    )
    return Fragment(
        steps=whole.steps,
        refusals=(*refusals, *whole.refusals),
        ready=entering.ready,
        ended=whole.ended,
    )


def is_free(scope: Scope, slot: Slot, refusals: list[Refusal]) -> bool:
    """
    Whether the slot is ours to change now; says why not when there was something to do.
    """
    healed = any_named(slot.instances, scope.drained)
    locked = any(i.locked for i in slot.instances)
    if not healed and not locked:
        return True
    if _settled(slot):
        # Nothing to do but, for a locked one, what lies outside it: weights, pools.
        return not healed
    name = names.slot(
        scope.service.platform, scope.service.name, scope.group.name, slot.number
    )
    refusals.append(
        Refusal(
            reason=Reason.BUSY if healed else Reason.LOCKED,
            subject=name,
            detail=(
                f"{name} {slot.condition.value}, but a healing case holds it"
                if healed
                else f"{name} {slot.condition.value}, but it holds a locked instance; "
                "`openstack server unlock` gives it back"
            ),
        )
    )
    return False


def _settled(slot: Slot) -> bool:
    return slot.condition is Condition.FILLED and not slot.leftovers


def _serving(scope: Scope, every: Sequence[Slot]) -> int:
    return sum(
        1
        for slot in every
        if slot.keeper
        and slot.keeper.name not in scope.drained
        and serves(slot.keeper, scope.places, scope.observed)
    )


def give_back(scope: Scope, filled: Sequence[Slot]) -> Fragment:
    """
    Instances that should serve and do not: they join again, or get their weight back.
    """
    absent: dict[str, str] = {}
    weights: list[Fragment] = []
    for slot in filled:
        assert slot.keeper is not None
        name = slot.keeper.name
        for membership, place in zip(
            scope.group.memberships, scope.places, strict=True
        ):
            member = scope.observed.members(place).get(name)
            lacking = _lacking(member, membership)
            if lacking:
                absent.setdefault(name, f"{name} {lacking}")
            elif member is not None and member.weight != drafting.SERVING_WEIGHT:
                step = drafting.set_weight(
                    place,
                    name,
                    drafting.SERVING_WEIGHT,
                    before=member.weight,
                    needs=(),
                    why=f"its weight is {member.weight} and no open case says why",
                )
                weights.append(Fragment(steps=(step,)))
    back = bring_into_service(
        scope, list(absent), label="return", needs=(), why="; ".join(absent.values())
    )
    return joined((*weights, back))


def _lacking(member: Member | None, membership: Membership) -> str:
    """
    What keeps a member from getting requests, beside its weight; empty when nothing does.
    """
    if member is None:
        return f"is not in {membership.pool}"
    if member.port != membership.port:
        return f"is asked at port {member.port} and serves at {membership.port}"
    return "" if member.admin_up else f"was disabled in {membership.pool}"


def _retire_leftovers(
    scope: Scope, kept: Sequence[Slot], filling: Fragment, returning: Fragment
) -> Fragment:
    """
    Other generations in slots whose keeper serves, or will after `filling` and `returning`.
    """
    made = _made(filling)
    pieces: list[Fragment] = []
    for slot in kept:
        filled = slot.condition is Condition.FILLED
        if not filled and slot.number not in made:
            continue  # the fill was refused: what is there stays
        if not filled and clears_first(scope, slot):
            continue  # it goes before
        waits = returning if filled else filling
        pieces.append(
            retire(
                slot.leftovers,
                scope.observed,
                drain_seconds=scope.group.drain_seconds,
                needs=waits.ready,
                label=f"slot-{slot.number}",
                why=f"slot {slot.number} has another instance",
            )
        )
    return joined(pieces)


def _made(filling: Fragment) -> set[int | None]:
    return {
        step.spec.owner.slot
        for step in filling.steps
        if isinstance(step, EnsureInstance)
    }


def _retire_surplus(
    scope: Scope, surplus: Sequence[Instance], *, staying: int, needs: Sequence[str]
) -> Fragment:
    """
    Instances above the count go, unless too few would stay.
    """
    refusals = tuple(held_back(scope, surplus))
    kept = {refusal.subject for refusal in refusals}
    going = [i for i in surplus if i.name not in kept]
    serving = [i for i in going if serves(i, scope.places, scope.observed)]
    limit = min(scope.group.healing.min_healthy, scope.group.count)
    if serving and staying < limit:
        refusals = (*refusals, _too_few(scope, serving, staying))
        going = [i for i in going if i not in serving]
    gone = retire(
        going,
        scope.observed,
        drain_seconds=scope.group.drain_seconds,
        needs=needs,
        label="surplus",
        why=f"{scope.group.name} is to have {scope.group.count} instances",
    )
    return joined((Fragment(refusals=refusals), gone))


def held_back(scope: Scope, surplus: Sequence[Instance]) -> Iterator[Refusal]:
    """
    Instances that are to go and may not, each with why.
    """
    for instance in surplus:
        if instance.name in scope.drained:
            yield Refusal(
                reason=Reason.BUSY,
                subject=instance.name,
                detail=f"{instance.name} is to go, but a healing case holds it",
            )
        elif instance.locked:
            yield Refusal(
                reason=Reason.LOCKED,
                subject=instance.name,
                detail=f"{instance.name} is to go, but it is locked; "
                f"`openstack server unlock {instance.name}` gives it back",
            )


def _too_few(scope: Scope, serving: Sequence[Instance], staying: int) -> Refusal:
    limit = min(scope.group.healing.min_healthy, scope.group.count)
    return Refusal(
        reason=Reason.MIN_HEALTHY,
        subject=names.of_service(
            scope.service.platform, scope.service.name, scope.group.name
        ),
        detail=f"{len(serving)} instances are to go, but only {staying} of those that "
        f"stay serve and {limit} must; plan again when they are well",
    )


def tidy_pools(scope: Scope) -> Fragment:
    """
    Members whose instance is gone leave their pools.
    """
    steps = [
        drafting.leave_pool(
            place, found, label="gone", needs=(), why="their instances are gone"
        )
        for place in scope.places
        if (found := dangling(scope.service, scope.group, place, scope.observed))
    ]
    return Fragment(steps=tuple(steps))


def missing_volumes(scope: Scope, living: Sequence[Slot]) -> Fragment:
    """
    Volumes that instances lack although they are of the present specification or older: a lost volume is made anew.
    """
    if scope.group.volume_size_gb is None:
        return Fragment()
    zones = zones_for(scope, ())
    for slot in living:
        zones[slot.number] = slot.keeper.zone if slot.keeper else None
    found = volume_steps(scope, [slot.number for slot in living], zones)
    sizes = tuple(_resized(scope, living))
    return joined((found, Fragment(refusals=sizes)))


def _resized(scope: Scope, living: Sequence[Slot]) -> Iterator[Refusal]:
    for slot in living:
        name = names.slot(
            scope.service.platform, scope.service.name, scope.group.name, slot.number
        )
        volume = scope.observed.volumes.get(name)
        if volume is not None and volume.size_gb != scope.group.volume_size_gb:
            yield Refusal(
                reason=Reason.IMMUTABLE,
                subject=name,
                detail=f"volume {name} has {volume.size_gb} GB and should have "
                f"{scope.group.volume_size_gb} GB; sizes are not changed in place",
            )
