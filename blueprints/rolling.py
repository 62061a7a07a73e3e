"""
Outdated instances are followed by new ones, `surge` slots at a time.

Without a volume the new instance serves before the old one goes, so that a group never falls below what it has and never
exceeds `count` by more than `surge`. With a volume or an address of its own the old one must let go of it first; then `min_healthy` decides how
many slots may be without an instance at once.
"""

from __future__ import annotations

from collections.abc import Sequence

from blueprints import drafting
from blueprints.filling import bring_into_service, next_instance, zones_for
from blueprints.fragment import Fragment, joined
from blueprints.retiring import retire
from blueprints.scope import Scope
from blueprints.sealed import withdrawals
from blueprints.slot import Slot, serves
from fournines.model import names
from fournines.model.refusal import Reason, Refusal


def roll(
    scope: Scope, outdated: Sequence[Slot], *, serving: int, needs: Sequence[str]
) -> Fragment:
    """
    Replace the instances of these slots, one chain of slots for each that may be in change at once.

    Args:
        scope: The group.
        outdated: Slots whose keeper is of an older specification.
        serving: Members of the group that serve now.
        needs: Steps to be done before the first replacement.
    """
    if not outdated:
        return Fragment()
    if not scope.group.hands_over:
        return _in_turn(scope, outdated, at_once=scope.group.surge, needs=needs)
    spare = serving - scope.group.healing.min_healthy
    if spare >= 1:
        at_once = min(scope.group.surge, spare)
        return _in_turn(scope, outdated, at_once=at_once, needs=needs)
    # Who does not serve anyway goes first, as after a roll that was cut short; then there may be one to spare.
    idle = [slot for slot in outdated if not _serves(scope, slot)]
    first = _in_turn(scope, idle, at_once=scope.group.surge, needs=needs)
    rest = [slot for slot in outdated if slot not in idle]
    spare += len(idle)
    if rest and spare < 1:
        refused = Fragment(refusals=(_refusal(scope, rest, serving),))
        return joined((first, refused))
    at_once = min(scope.group.surge, spare)
    return joined(
        (first, _in_turn(scope, rest, at_once=at_once, needs=first.ended or needs))
    )


def _in_turn(
    scope: Scope, outdated: Sequence[Slot], *, at_once: int, needs: Sequence[str]
) -> Fragment:
    zones = zones_for(scope, outdated)
    replace = _swap if scope.group.hands_over else _succeed
    pieces: list[Fragment] = []
    for position, slot in enumerate(outdated):
        before = pieces[position - at_once].ended if position >= at_once else needs
        pieces.append(replace(scope, slot, zones[slot.number], tuple(before)))
    return joined(pieces)


def _serves(scope: Scope, slot: Slot) -> bool:
    return slot.keeper is not None and serves(slot.keeper, scope.places, scope.observed)


def _succeed(
    scope: Scope, slot: Slot, zone: str | None, needs: tuple[str, ...]
) -> Fragment:
    """
    The new one serves, then the old one goes.
    """
    spec = next_instance(scope, slot, zone)
    make = drafting.ensure_instance(
        spec,
        needs=(*scope.shared_needs, *needs),
        why=f"slot {slot.number} {slot.condition.value}",
    )
    service = bring_into_service(scope, [spec.name], label=spec.name, needs=(make.id,))
    old = retire(
        slot.instances,
        scope.observed,
        drain_seconds=scope.group.drain_seconds,
        needs=service.ready,
        label=f"slot-{slot.number}",
        why=f"{spec.name} takes its place",
    )
    keys = withdrawals(scope, [spec.name], service.ready)
    whole = joined((Fragment(steps=(make,)), service, old, keys))
    return Fragment(whole.steps, whole.refusals, (), old.ended)


def _swap(
    scope: Scope, slot: Slot, zone: str | None, needs: tuple[str, ...]
) -> Fragment:
    """
    The old one lets go of the volume and the address, then the new one takes them.
    """
    spec = next_instance(scope, slot, zone)
    old = retire(
        slot.instances,
        scope.observed,
        drain_seconds=scope.group.drain_seconds,
        needs=needs,
        label=f"slot-{slot.number}",
        why=f"{spec.name} takes its place and what belongs to it",
    )
    make = drafting.ensure_instance(
        spec,
        needs=(*scope.shared_needs, *old.ended),
        why=f"slot {slot.number} {slot.condition.value}",
    )
    service = bring_into_service(scope, [spec.name], label=spec.name, needs=(make.id,))
    keys = withdrawals(scope, [spec.name], service.ready)
    whole = joined((old, Fragment(steps=(make,)), service, keys))
    return Fragment(whole.steps, whole.refusals, (), service.ready)


def _refusal(scope: Scope, outdated: Sequence[Slot], serving: int) -> Refusal:
    limit = scope.group.healing.min_healthy
    return Refusal(
        reason=Reason.MIN_HEALTHY,
        subject=names.of_service(
            scope.service.platform, scope.service.name, scope.group.name
        ),
        detail=f"{len(outdated)} instances are outdated, but with {serving} serving "
        f"and {limit} to keep none may leave its place; add instances or lower "
        "healing.min_healthy",
    )
