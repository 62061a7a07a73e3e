"""
One stateful group: desired x observed x what it says of itself -> the steps between them.

Members come back before any goes; then one goes at a time, in the order its rules give: it hands over, goes, its successor comes back onto its
volume and address, and only when that one is a full member the next may go. Every leave is asked for again, on a fresh view, by its own step;
here all are asked for as far as they can be foreseen, so that a plan which could not even begin is a refusal. Without a view nothing is taken away.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from blueprints import drafting, outages
from blueprints.filling import bring_into_service, fill, next_instance, zones_for
from blueprints.fragment import Fragment, joined
from blueprints.group_plan import (
    give_back,
    held_back,
    is_free,
    missing_volumes,
    tidy_pools,
)
from blueprints.identity import port_steps
from blueprints.lifecycle import QUORUM_MIN, Lifecycle
from blueprints.retiring import retire
from blueprints.scope import Scope
from blueprints.slot import Slot, by_condition, is_dead, slots
from blueprints.stateful_contents import plan_contents
from fournines.model import names
from fournines.model.cluster import ClusterView, Standing
from fournines.model.inventory import Instance
from fournines.model.refusal import Reason, Refusal
from fournines.planning.costs import deadline_seconds
from fournines.planning.steps import AwaitServing, EnsureInstance, Step


@dataclass(frozen=True, slots=True)
class _Leaving:
    """
    A slot whose instances go, and what comes after. Who is `alone` has nobody to hand over to: a person takes the outage.
    """

    slot: str
    instances: tuple[Instance, ...]
    why: str
    successor: Slot | None = None
    for_good: bool = False
    alone: bool = False


def plan_stateful(scope: Scope, rules: Lifecycle) -> Fragment:
    """
    What one stateful group needs.
    """
    ports = tuple(port_steps(scope))
    scope = scope.after(step.id for step in ports)
    every, surplus = slots(scope.service, scope.group, scope.observed)
    refusals: list[Refusal] = []
    free = [slot for slot in every if is_free(scope, slot, refusals)]
    empty, filled, outdated = by_condition(free)

    founding = not any(slot.keeper for slot in every) and not surplus
    too_few = _size_refusal(scope, rules) if founding and empty else None
    if too_few is not None:
        return Fragment(refusals=(too_few,))
    together = founding or rules.independent
    entering = (_found if together else _enter)(scope, empty)
    returning = give_back(scope, filled)
    refusals += held_back(scope, surplus)
    kept = {refusal.subject for refusal in refusals}
    going = [
        *_leftovers(scope, filled),
        *_surplus(scope, rules, surplus, kept, refusals),
        *_outdated(scope, outdated),
    ]
    back = _made(scope, entering)
    leaving = _one_by_one(
        scope, rules, going, back, needs=(*entering.ready, *returning.ready)
    )
    whole = joined(
        (
            Fragment(steps=ports),
            tidy_pools(scope),
            missing_volumes(scope, [*filled, *outdated]),
            entering,
            returning,
            leaving,
        )
    )
    ready = (*entering.ready, *returning.ready)
    held = plan_contents(scope, rules, replace(whole, ready=ready))
    return Fragment(
        steps=(*whole.steps, *held.steps),
        refusals=(*refusals, *whole.refusals, *held.refusals),
        ready=(*ready, *held.ready),
        ended=(*whole.ended, *held.ended),
    )


# -- arriving


def _found(scope: Scope, empty: Sequence[Slot]) -> Fragment:
    """
    Nobody is there: all come together, for a cluster forms of all its members.
    """
    made = fill(scope, empty)
    return _awaited(scope, made)


def _enter(scope: Scope, empty: Sequence[Slot]) -> Fragment:
    """
    One after the other joins a cluster that lives.
    """
    pieces: list[Fragment] = []
    before: tuple[str, ...] = ()
    for slot in empty:
        label = f"slot-{slot.number}"
        piece = _awaited(scope, fill(scope.after(before), [slot], label=label))
        before = piece.ready or before
        pieces.append(piece)
    return joined(pieces)


def _awaited(scope: Scope, made: Fragment) -> Fragment:
    waits = [
        drafting.await_member(
            scope.service,
            scope.group.name,
            step.spec.name.rpartition("-g")[0],
            step.spec.name,
            needs=made.ready or (step.id,),
        )
        for step in made.steps
        if isinstance(step, EnsureInstance)
    ]
    ready = tuple(step.id for step in waits)
    steps = (_patient(step) for step in made.steps)
    return Fragment((*steps, *waits), made.refusals, ready, ready)


def _patient(step: Step) -> Step:
    """
    A member serves once it is in its cluster and has its data: that takes as long as waiting for the member itself.
    """
    if not isinstance(step, AwaitServing):
        return step
    limit = deadline_seconds("await-member")
    longer = max(step.deadline_seconds, limit + step.hold_seconds)
    return step.model_copy(update={"deadline_seconds": longer})


def _made(scope: Scope, entering: Fragment) -> tuple[str, ...]:
    return tuple(
        _slot_name(scope, step.spec.owner.slot or 0)
        for step in entering.steps
        if isinstance(step, EnsureInstance)
    )


# -- leaving


def _leftovers(scope: Scope, filled: Sequence[Slot]) -> list[_Leaving]:
    return [
        _Leaving(
            _slot_name(scope, slot.number),
            slot.leftovers,
            f"slot {slot.number} has another instance",
        )
        for slot in filled
        if slot.leftovers
    ]


def _surplus(
    scope: Scope,
    rules: Lifecycle,
    surplus: Sequence[Instance],
    kept: set[str],
    refusals: list[Refusal],
) -> list[_Leaving]:
    by_slot: dict[int, list[Instance]] = {}
    for instance in surplus:
        if instance.name not in kept:
            number = (instance.owner.slot or 0) if instance.owner else 0
            by_slot.setdefault(number, []).append(instance)
    refusal = _size_refusal(scope, rules) if by_slot else None
    if refusal is not None:
        refusals.append(refusal)
        return []
    why = f"{scope.group.name} is to have {scope.group.count} members"
    found = {
        slot: _Leaving(slot, tuple(here), why, for_good=True)
        for number, here in sorted(by_slot.items())
        if (slot := _slot_name(scope, number))
    }
    return _ordered(scope, rules, found)


def _size_refusal(scope: Scope, rules: Lifecycle) -> Refusal | None:
    """
    Why a group is neither founded with nor scaled in to its count; None: it is.
    """
    problem = rules.size_problem(scope.group.count)
    if problem is None or (problem.forcible and scope.insist):
        return None
    more = f"; take {QUORUM_MIN}, or say --force" if problem.forcible else ""
    return Refusal(
        reason=Reason.SIZE,
        subject=_label(scope),
        detail=f"{_label(scope)} is not made to have {scope.group.count}: {problem.sentence}{more}",
    )


def _outdated(scope: Scope, outdated: Sequence[Slot]) -> list[_Leaving]:
    return [
        _Leaving(
            _slot_name(scope, slot.number),
            slot.instances,
            f"slot {slot.number} {slot.condition.value}",
            successor=slot,
        )
        for slot in outdated
    ]


def _ordered(
    scope: Scope, rules: Lifecycle, found: dict[str, _Leaving]
) -> list[_Leaving]:
    view = _view(scope)
    order = rules.order(view, tuple(found)) if view else tuple(found)
    return [found[slot] for slot in order]


def _one_by_one(
    scope: Scope,
    rules: Lifecycle,
    going: Sequence[_Leaving],
    back: Sequence[str],
    *,
    needs: Sequence[str],
) -> Fragment:
    """
    A chain of leaves and arrivals; nothing when the first may not go.
    """
    dead = [one for one in going if all(is_dead(i) for i in one.instances)]
    alive = _in_order(scope, rules, [one for one in going if one not in dead])
    back = (*back, *(one.slot for one in dead))
    allowed, refusal = _allowed(scope, rules, alive, back)
    zones = zones_for(scope, [one.successor for one in going if one.successor])
    pieces: list[Fragment] = []
    before = tuple(needs)
    for one in (*dead, *allowed):
        together = rules.independent and one.for_good
        piece = _change(scope, one, zones, before, together=together)
        if not together:
            before = piece.ended or before
        pieces.append(piece)
    refused = Fragment(refusals=(refusal,) if refusal else ())
    return joined((*pieces, refused))


def _in_order(
    scope: Scope, rules: Lifecycle, going: Sequence[_Leaving]
) -> list[_Leaving]:
    """
    Those that go for good first, so that nobody is renewed who goes; each kind as the rules order them.
    """
    view = _view(scope)
    if view is None:
        return list(going)
    found: list[_Leaving] = []
    for for_good in (True, False):
        kind = {one.slot: one for one in going if one.for_good is for_good}
        found += [kind[slot] for slot in rules.order(view, tuple(kind))]
    return found


def _allowed(
    scope: Scope, rules: Lifecycle, alive: Sequence[_Leaving], back: Sequence[str]
) -> tuple[list[_Leaving], Refusal | None]:
    """
    Who may go, each once those before are back or forgotten; and why the next may not.
    """
    if not alive:
        return [], None
    seen = _view(scope)
    if seen is None:
        return [], Refusal(
            reason=Reason.EVIDENCE_MISSING,
            subject=_label(scope),
            detail=f"{len(alive)} members of {_label(scope)} are to go, but none of them says how the others are; nothing is taken away on silence",
        )
    now = max(scope.observed.inventory.at, seen.at)
    view = _expected(seen, back)
    allowed: list[_Leaving] = []
    for one in alive:
        asked = view.without_voter(one.slot) if one.for_good else view
        leaving, refusal = one, rules.may_leave(asked, one.slot, now)
        if refusal is not None and not one.for_good and seen.is_alone(one.slot):
            why, refusal = outages.of_only_member(scope, one.slot, one.why)
            leaving = replace(one, why=why, alone=True)
        if refusal is not None:
            return allowed, refusal
        allowed.append(leaving)
        view = _gone(asked, one.slot) if one.for_good else _expected(view, [one.slot])
    return allowed, None


def _gone(view: ClusterView, slot: str) -> ClusterView:
    """
    The view without a member.
    """
    members = tuple(m for m in view.members if m.slot_name != slot)
    return view.model_copy(update={"members": members})


def _expected(view: ClusterView, back: Sequence[str]) -> ClusterView:
    """
    The view as it will be when these slots' members are full ones.
    """
    well = {"state": Standing.RUNNING, "in_sync": True, "votes": True}
    return view.model_copy(
        update={
            "members": tuple(
                m.model_copy(update=well) if m.slot_name in back else m
                for m in view.members
            )
        }
    )


def _change(
    scope: Scope,
    one: _Leaving,
    zones: dict[int, str | None],
    before: tuple[str, ...],
    *,
    together: bool,
) -> Fragment:
    service, group = scope.service, scope.group
    prepares = [
        drafting.prepare_leave(
            service,
            group.name,
            one.slot,
            instance.name,
            needs=before,
            why=one.why,
            for_good=one.for_good,
            together=together,
            alone=one.alone,
        )
        for instance in one.instances
        if not is_dead(instance)
    ]
    old = retire(
        one.instances,
        scope.observed,
        drain_seconds=group.drain_seconds,
        needs=[step.id for step in prepares] or before,
        label=one.slot,
        why=one.why,
    )
    steps = joined((Fragment(steps=tuple(prepares)), old))
    if one.for_good:
        forget = drafting.forget_member(
            service, group.name, one.slot, needs=old.ended, why=one.why
        )
        return Fragment((*steps.steps, forget), ended=(forget.id,))
    if one.successor is None:
        return steps
    spec = next_instance(scope, one.successor, zones[one.successor.number])
    make = drafting.ensure_instance(
        spec, needs=(*scope.shared_needs, *old.ended), why=one.why
    )
    serving = bring_into_service(scope, [spec.name], label=spec.name, needs=(make.id,))
    made = joined((Fragment(steps=(make,)), serving))
    arrive = _awaited(scope, Fragment(made.steps, ready=serving.ready))
    whole = joined((steps, arrive))
    return Fragment(whole.steps, whole.refusals, (), arrive.ended)


def _view(scope: Scope) -> ClusterView | None:
    return scope.observed.views.get((scope.service.name, scope.group.name))


def _label(scope: Scope) -> str:
    return names.of_service(
        scope.service.platform, scope.service.name, scope.group.name
    )


def _slot_name(scope: Scope, number: int) -> str:
    return names.slot(
        scope.service.platform, scope.service.name, scope.group.name, number
    )
