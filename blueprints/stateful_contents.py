"""
What a stateful group holds and runs with, against its parameters: the step that makes it so, and a restart of one member after the other where
settings need it. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from blueprints import drafting
from blueprints.fragment import Fragment
from blueprints.lifecycle import Lifecycle
from blueprints.scope import Scope
from fournines.model import names
from fournines.model.cluster import ClusterView
from fournines.model.contents import ContentChange
from fournines.model.refusal import Reason, Refusal
from fournines.planning.steps import ApplyContents, EnsureInstance, Step

CHANGES_SHOWN = 12
"""So many stand in a plan's row; the step lists all."""


def plan_contents(scope: Scope, rules: Lifecycle, made: Fragment) -> Fragment:
    """
    What comes after the members that `made` makes, renews or takes away.
    """
    if not rules.holds:
        return Fragment()
    label = names.of_service(
        scope.service.platform, scope.service.name, scope.group.name
    )
    key = scope.service.name, scope.group.name
    seen = scope.observed.contents.get(key)
    if seen is not None and seen.opposed:
        said = f"what {label} holds is not changed: {seen.opposed}"
        refusal = Refusal(reason=Reason.IMMUTABLE, subject=label, detail=said)
        return Fragment(refusals=(refusal,))
    changes = seen.changes if seen else ()
    arriving = any(isinstance(step, EnsureInstance) for step in made.steps)
    applied: tuple[ApplyContents, ...] = ()
    if changes or (seen is None and arriving):
        applied = (
            drafting.apply_contents(
                scope.service,
                scope.group.name,
                (change.sentence() for change in changes),
                needs=(*made.ready, *made.ended),
                why=_why(changes),
            ),
        )
    after = [step.id for step in applied] or [*made.ready, *made.ended]
    restarts = _restarts(scope, rules, made, changes, after)
    ready = tuple(step.id for step in applied)
    steps = (*applied, *restarts.steps)
    return Fragment(steps, restarts.refusals, ready, restarts.ended or ready)


def _why(changes: Sequence[ContentChange]) -> str:
    if not changes:
        return "it is to hold what its parameters ask for"
    shown = "; ".join(change.sentence() for change in changes[:CHANGES_SHOWN])
    more = len(changes) - CHANGES_SHOWN
    return f"{shown}; and {more} more" if more > 0 else shown


def _restarts(
    scope: Scope,
    rules: Lifecycle,
    made: Fragment,
    changes: Sequence[ContentChange],
    after: Sequence[str],
) -> Fragment:
    """
    A chain: hand over, restart, be whole again, then the next; the leader last, or first and where it is when the others could not follow.
    """
    view = scope.observed.views.get((scope.service.name, scope.group.name))
    if view is None or not scope.may_restart:
        return Fragment()
    instances = _instances(scope, made)
    asked = [change for change in changes if change.restarts]
    slots = rules.order(
        view,
        [
            slot
            for slot in instances
            if asked or ((found := view.member(slot)) and found.waits_for_restart)
        ],
    )
    if not slots:
        return Fragment()
    leader_first = any(change.leader_first for change in asked)
    if leader_first and view.leader in slots:
        slots = (view.leader, *(slot for slot in slots if slot != view.leader))
    arriving = any(isinstance(step, EnsureInstance) for step in made.steps)
    # One alone has nobody to wait for or to hand over to: whoever deployed it so has taken its pauses.
    if not arriving and len(view.members) > 1:
        now = max(scope.observed.inventory.at, view.at)
        refusal = rules.may_leave(view, slots[0], now)
        if refusal is not None:
            return Fragment(refusals=(refusal,))
    why = ", ".join(change.said for change in asked) or "it waits for a restart"
    steps: list[Step] = []
    before = tuple(after)
    for slot in slots:
        in_place = leader_first and slot == view.leader
        chain = tuple(
            _one(scope, view, slot, instances[slot], before, why, in_place=in_place)
        )
        before = (chain[-1].id,)
        steps += chain
    return Fragment(tuple(steps), ended=before)


def _one(  # noqa: PLR0917  what a chain's links share
    scope: Scope,
    view: ClusterView,
    slot: str,
    instance: str,
    before: tuple[str, ...],
    why: str,
    *,
    in_place: bool,
) -> Iterator[Step]:
    service, group = scope.service, scope.group.name
    needs = before
    alone = len(view.members) == 1
    if not in_place and not alone:
        leave = drafting.prepare_leave(
            service, group, slot, instance, needs=before, why=why
        )
        yield leave
        needs = (leave.id,)
    restart = drafting.restart_member(service, group, slot, needs=needs, why=why)
    yield restart
    back = drafting.await_member(service, group, slot, instance, needs=(restart.id,))
    yield back.model_copy(update={"id": f"await-member/{slot}/restarted"})


def _instances(scope: Scope, made: Fragment) -> dict[str, str]:
    """
    The instance that will be in each wanted slot; only slots that have one.
    """
    new = {
        step.spec.owner.slot: step.spec.name
        for step in made.steps
        if isinstance(step, EnsureInstance)
    }
    service, group = scope.service, scope.group
    found = {}
    for number in range(group.count):
        here = scope.observed.slot(service.name, group.name, number)
        name = new.get(number) or (here[-1].name if here else None)
        if name is not None and name not in scope.drained:
            slot = names.slot(service.platform, service.name, group.name, number)
            found[slot] = name
    return found
