"""
Rehearsing a plan: its steps performed on a simulated copy of the live inventory, under a clock of its own, before anything real is touched.

Steps that take requests away go first wherever the plan leaves it open, so what the rehearsal meets is the plan's worst order. It costs
tens of milliseconds, calls no API, and writes to a store of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from fournines.alone import Alone
from fournines.cloud.errors import CapacityMissing, CloudError, QuotaExceeded
from fournines.cloud.simulated import SimulatedCloud, seeding
from fournines.cloud.simulated.records import Behaviour
from fournines.cloud.simulated.seeding import Likeness
from fournines.cloud.simulated.traffic import through
from fournines.cloud.virtual_clock import VirtualClock
from fournines.model.desired import Service
from fournines.model.inventory import Inventory, Quota
from fournines.model.probing import Answer, ProbeResult
from fournines.model.specification import InstanceSpec
from fournines.planning import graph
from fournines.planning.plan import Plan
from fournines.planning.steps import (
    DeleteInstance,
    EnsureInstance,
    LeavePool,
    RestartInstance,
    SetWeight,
    Step,
)
from fournines.settings import Settings
from fournines.store.memory import MemoryStore
from healing.pattern import Pattern
from healing.rehearsal import Moment, Rehearsed
from tasks import perform
from tasks.workshop import Workshop

_TAKING = (SetWeight, LeavePool, RestartInstance, DeleteInstance)


@dataclass(frozen=True, slots=True)
class Eyes:
    """
    A prober over the copy.
    """

    cloud: SimulatedCloud
    clock: VirtualClock

    def probe(
        self, address: str, port: int, path: str, *, timeout_ms: int
    ) -> ProbeResult:
        """
        What the copy's instance answers.
        """
        del port
        at = self.clock.now()
        names = [
            record.name
            for record in self.cloud.world.instances.values()
            if record.address == address
        ]
        if not names:
            return ProbeResult(at=at, path=path, answer=Answer.UNREACHABLE, seconds=0.0)
        said = self.cloud.probe(names[0], timeout_seconds=timeout_ms / 1000)
        kinds = {None: Answer.STATUS, "refused": Answer.REFUSED}
        return ProbeResult(
            at=at,
            path=path,
            answer=kinds.get(said.error, Answer.SILENT),
            seconds=said.seconds,
            status=said.code,
        )


@dataclass(slots=True)
class _Stage:
    cloud: SimulatedCloud
    clock: VirtualClock
    workshop: Workshop
    pools: frozenset[tuple[str, str]]
    took: dict[str, float] = field(default_factory=dict)
    moments: list[Moment] = field(default_factory=list)
    no_room: bool = False

    def look(self, after: str = "", seconds: float = 0.0) -> None:
        """
        Write down the state.
        """
        serving: dict[str, int] = {}
        errors = 0.0
        now = self.clock.now()
        for balancer, pool in self.pools:
            found = self.cloud.world.load_balancers.get(balancer)
            if found is None or pool not in found.pools:
                continue
            traffic = through(self.cloud.world, balancer, pool, now)
            serving[pool] = sum(
                m.share > 0 and not m.error_ratio for m in traffic.members
            )
            errors = max(errors, traffic.error_ratio)
        self.moments.append(
            Moment(after=after, serving=serving, error_ratio=errors, seconds=seconds)
        )

    def play(self, step: Step) -> str:
        """
        One step; why it cannot succeed, or nothing.
        """
        begin = self.clock.now()
        try:
            perform.do(step, self.workshop)
        except CloudError as error:
            self.no_room = isinstance(error, QuotaExceeded | CapacityMissing)
            return f"{step.id} cannot succeed: {error}"
        self.took[step.id] = (self.clock.now() - begin).total_seconds()
        self.look(step.id, self.took[step.id])
        return ""


def rehearse(
    plan: Plan,
    inventory: Inventory,
    service: Service,
    *,
    settings: Settings,
    quota: Quota | None = None,
    pattern: Pattern | None = None,
) -> Rehearsed:
    """
    Try a plan on a copy. `quota` None: nobody could say what is left, so room is taken for granted.
    """
    clock = VirtualClock(inventory.at)
    like = _likeness(plan, inventory, service, quota, pattern)
    cloud = seeding.seeded(inventory, like, clock)
    workshop = Workshop(
        cloud=cloud,
        store=MemoryStore(clock),
        clock=clock,
        prober=Eyes(cloud, clock),
        settings=settings,
        crew=Alone(),
    )
    pools = frozenset(
        (place.load_balancer, place.pool)
        for group in service.groups
        for place in group.memberships
    )
    stage = _Stage(cloud, clock, workshop, pools)
    before = _slots(cloud)
    stage.look()
    failed = ""
    for step in _worst_order(plan):
        failed = stage.play(step)
        if failed:
            break
    after = _slots(cloud)
    doubled = [] if failed else [s for s, n in after.items() if n > max(before[s], 1)]
    return Rehearsed(
        plan_id=plan.id,
        moments=tuple(stage.moments),
        failed=failed,
        no_room=stage.no_room,
        doubled=tuple(sorted(doubled)),
        seconds=round(_longest(plan, stage.took), 3),
        budget_seconds=round(_cost(stage.moments), 3),
    )


def _likeness(
    plan: Plan,
    inventory: Inventory,
    service: Service,
    quota: Quota | None,
    pattern: Pattern | None,
) -> Likeness:
    groups = {
        group.name: group.server_group.name
        for group in service.groups
        if group.server_group
    }
    specs: tuple[InstanceSpec, ...] = tuple(
        step.spec for step in plan.steps if isinstance(step, EnsureInstance)
    )
    return Likeness(
        quota=quota,
        balancers=service.load_balancers,
        specs=specs,
        server_groups={
            instance.name: groups[instance.owner.group]
            for instance in inventory.instances
            if instance.owner
            and instance.owner.service == service.name
            and instance.owner.group in groups
        },
        sick=_sick(pattern),
        hosts_down=[h for h in pattern.hosts if pattern.host_is_down(h)]
        if pattern
        else (),
        zones_down=pattern.zones_down() if pattern else (),
    )


def _sick(pattern: Pattern | None) -> Mapping[str, Behaviour]:
    return {
        member.instance: Behaviour.HANG if member.silent else Behaviour.GREY_ERRORS
        for member in (pattern.unwell if pattern else ())
    }


def _worst_order(plan: Plan) -> list[Step]:
    """
    An order that the plan allows, with whatever takes requests away as early as possible.
    """
    left = list(graph.ordered(plan.steps))
    done: set[str] = set()
    order: list[Step] = []
    while left:
        ready = [step for step in left if done.issuperset(step.needs)]
        step = next((s for s in ready if isinstance(s, _TAKING)), ready[0])
        left.remove(step)
        done.add(step.id)
        order.append(step)
    return order


def _slots(cloud: SimulatedCloud) -> Counter[str]:
    return Counter(name.rpartition("-g")[0] for name in cloud.world.instances)


def _longest(plan: Plan, took: Mapping[str, float]) -> float:
    """
    The plan's length with the steps' rehearsed durations, were every step free to run.
    """
    ends: dict[str, float] = {}
    for step in graph.ordered(plan.steps):
        before = max((ends[need] for need in step.needs), default=0.0)
        ends[step.id] = before + took.get(step.id, 0.0)
    return max(ends.values(), default=0.0)


def _cost(moments: list[Moment]) -> float:
    """
    Errors that users get while each step runs, as seconds of full outage: those of the state that it began in.
    """
    return sum(before.error_ratio * now.seconds for before, now in pairwise(moments))
