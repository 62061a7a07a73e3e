"""
The plan's own linter: whoever performs a plan trusts that it was checked here. Pure.

Held for every plan:
- ids are unique, needs exist, nothing waits for itself;
- what is both made and deleted is ordered;
- deadlines are longer than what a step itself waits;
- an instance is deleted only after it left the pools it served in;
- a member of a stateful service goes only after it has handed over, and no second one before the first is back or forgotten.

Held when the inventory is given as well:
- a serving member leaves its pool only after its weight went to 0;
- in every state between two steps, each pool keeps at least `min_healthy` serving members (or as many as it had).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from fournines.model.inventory import Inventory
from fournines.planning import handovers
from fournines.planning.graph import Ancestry, PlanCyclic
from fournines.planning.plan import Plan
from fournines.planning.pools import Pools
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


class PlanUnsound(AssertionError):
    """
    A plan that must not be performed: a mistake of ours, never of the world.

    Attributes:
        problems: One sentence each.
    """

    def __init__(self, plan_id: str, problems: tuple[str, ...]) -> None:
        super().__init__(plan_id, problems)
        self.plan_id = plan_id
        self.problems = problems

    def __str__(self) -> str:
        return f"plan {self.plan_id} is unsound: {'; '.join(self.problems)}"


def check(
    plan: Plan,
    inventory: Inventory | None = None,
    min_healthy: Mapping[str, int] | None = None,
) -> None:
    """
    Refuse an unsound plan.

    Args:
        plan: What is to be performed.
        inventory: What the plan was made from.
        min_healthy: Per pool's name, the serving members to keep.

    Raises:
        PlanUnsound: With everything that is wrong.
    """
    found = problems(plan, inventory, min_healthy)
    if found:
        raise PlanUnsound(plan.id, found)


def problems(
    plan: Plan,
    inventory: Inventory | None = None,
    min_healthy: Mapping[str, int] | None = None,
) -> tuple[str, ...]:
    """
    Everything that is wrong with a plan.
    """
    shape = (*_identity(plan), *_deadlines(plan))
    if shape:
        return shape
    try:
        ancestry = Ancestry(plan.steps)
    except PlanCyclic as error:
        return (str(error),)
    pools = Pools.of(inventory)
    return (
        *_made_and_deleted(plan, ancestry),
        *_deleted_while_serving(plan, ancestry, pools),
        *handovers.problems(plan, ancestry),
        *_left_with_weight(plan, ancestry, pools),
        *_too_few_serving(plan, ancestry, pools, min_healthy or {}),
    )


def _identity(plan: Plan) -> Iterator[str]:
    seen: set[str] = set()
    for step in plan.steps:
        if step.id in seen:
            yield f"two steps are called {step.id}"
        seen.add(step.id)
    for step in plan.steps:
        for need in step.needs:
            if need not in seen:
                yield f"{step.id} needs {need}, which is not in the plan"


def _deadlines(plan: Plan) -> Iterator[str]:
    for step in plan.steps:
        waits = 0.0
        if isinstance(step, Drain):
            waits = step.wait_seconds
        elif isinstance(step, AwaitServing):
            waits = step.hold_seconds
        if waits >= step.deadline_seconds:
            yield (
                f"{step.id} waits {waits:g} s with a deadline of {step.deadline_seconds:g} s"
            )


def _made(step: Step) -> tuple[str, str] | None:
    spec = getattr(step, "spec", None)
    if spec is None:
        return None
    return (step.kind.removeprefix("ensure-"), spec.name)


def _deleted(step: Step) -> tuple[str, str] | None:
    if isinstance(step, DeleteInstance):
        return ("instance", step.instance)
    if isinstance(step, DeleteResource):
        return (step.resource, step.name)
    return None


def _made_and_deleted(plan: Plan, ancestry: Ancestry) -> Iterator[str]:
    makers = {what: step.id for step in plan.steps if (what := _made(step))}
    for step in plan.steps:
        what = _deleted(step)
        maker = makers.get(what) if what else None
        if maker is None:
            continue
        if not (ancestry.precedes(maker, step.id) or ancestry.precedes(step.id, maker)):
            yield f"{maker} and {step.id} are in no order"


def _deleted_while_serving(
    plan: Plan, ancestry: Ancestry, pools: Pools
) -> Iterator[str]:
    joined = pools.with_joins(plan.steps)
    leaves: dict[tuple[str, str], list[str]] = {}
    gone: dict[str, str] = {}
    for step in plan.steps:
        if isinstance(step, LeavePool):
            for name in step.instances:
                leaves.setdefault((step.pool, name), []).append(step.id)
        elif isinstance(step, DeleteResource) and step.resource == "load-balancer":
            gone[step.name] = step.id
    for step in plan.steps:
        if not isinstance(step, DeleteInstance):
            continue
        for place in joined.of_instance(step.instance):
            ways = list(leaves.get((place.pool, step.instance), ()))
            if place.load_balancer in gone:
                ways.append(gone[place.load_balancer])
            if not any(ancestry.precedes(way, step.id) for way in ways):
                yield f"{step.id} deletes a member of {place.pool} that has not left it"


def _left_with_weight(plan: Plan, ancestry: Ancestry, pools: Pools) -> Iterator[str]:
    zeroed = {
        (step.pool, step.instance): step.id
        for step in plan.steps
        if isinstance(step, SetWeight) and step.weight == 0
    }
    for step in plan.steps:
        if not isinstance(step, LeavePool):
            continue
        for name in step.instances:
            if not pools.serves(step.pool, name):
                continue
            before = zeroed.get((step.pool, name))
            if before is None or not ancestry.precedes(before, step.id):
                yield f"{step.id} takes {name} out of {step.pool} while it has weight"


def _too_few_serving(
    plan: Plan, ancestry: Ancestry, pools: Pools, min_healthy: Mapping[str, int]
) -> Iterator[str]:
    for pool, floor in min_healthy.items():
        serving = pools.serving(pool)
        gains: dict[str, int] = {}
        losses: dict[str, str] = {}
        for step in plan.steps:
            if isinstance(step, AwaitServing) and step.pool == pool:
                gains[step.id] = len(set(step.instances) - serving)
            for name in _lost(step, pool) & serving:
                losses.setdefault(name, step.id)
        worst = len(serving) - _deepest_fall(ancestry, gains, losses.values())
        if worst < min(floor, len(serving)):
            yield (
                f"{pool} may fall to {worst} serving members, "
                f"{min(floor, len(serving))} must stay"
            )


def _lost(step: Step, pool: str) -> set[str]:
    if isinstance(step, SetWeight) and step.weight == 0 and step.pool == pool:
        return {step.instance}
    if isinstance(step, LeavePool) and step.pool == pool:
        return set(step.instances)
    if isinstance(step, (DeleteInstance, RestartInstance)):
        return {step.instance}
    return set()


def _deepest_fall(
    ancestry: Ancestry, gains: Mapping[str, int], losses: Iterable[str]
) -> int:
    """
    By how much the serving members may be fewer in some state the plan may pass through.

    Islands of steps know nothing of each other, so their worst states may come together.
    """
    by_island: dict[str, list[str]] = {}
    for step_id in losses:
        by_island.setdefault(ancestry.island(step_id), []).append(step_id)
    return sum(
        _fall(
            ancestry,
            {g: n for g, n in gains.items() if ancestry.island(g) == here},
            lost,
        )
        for here, lost in by_island.items()
    )


def _fall(ancestry: Ancestry, gains: Mapping[str, int], losses: list[str]) -> int:
    """
    The same within one island. For each loss, taken as the last one, every other loss is counted that waits for no gain
    beyond those this one waits for.
    """
    all_gains = 0
    for step_id in gains:
        all_gains |= ancestry.bit(step_id)
    needed = Counter(ancestry.before(step_id) & all_gains for step_id in losses)
    deepest = 0
    for mask in needed:
        gained = sum(n for step_id, n in gains.items() if ancestry.bit(step_id) & mask)
        lost = sum(times for other, times in needed.items() if not other & ~mask)
        deepest = max(deepest, lost - gained)
    return deepest
