"""
Rehearsing a plan: its steps performed on a simulated copy of the live inventory, under a clock of its own, before anything real is touched.

Steps that take requests away go first wherever the plan leaves it open, so what the rehearsal meets is the plan's worst order. Where that
order would say little about time, a second copy plays chain by chain. It calls no API and writes to a store of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from fournines.alone import Alone
from fournines.cloud.errors import CapacityMissing, CloudError, QuotaExceeded
from fournines.cloud.simulated import SimulatedCloud, seeding
from fournines.cloud.simulated.records import Behaviour
from fournines.cloud.simulated.seeding import Likeness
from fournines.cloud.simulated.traffic import through
from fournines.cloud.simulated.world import World
from fournines.cloud.virtual_clock import VirtualClock
from fournines.model.desired import Platform, Service
from fournines.model.inventory import Inventory, Quota
from fournines.model.ownership import Owner
from fournines.model.probing import Answer, ProbeResult, Scheme
from fournines.model.specification import NetworkSpec
from fournines.planning import orders
from fournines.planning.plan import Plan
from fournines.planning.steps import (
    AwaitServing,
    EnsureInstance,
    Step,
    WithdrawKey,
)
from fournines.settings import Settings
from fournines.store.memory import MemoryStore
from healing.pattern import Pattern
from healing.rehearsal import Moment, Rehearsed
from tasks import perform
from tasks.operators.simulated import SimulatedOperator
from tasks.workshop import Workshop


@dataclass(frozen=True, slots=True)
class Eyes:
    """
    A prober over the copy.
    """

    cloud: SimulatedCloud
    clock: VirtualClock

    def probe(
        self,
        address: str,
        port: int,
        path: str,
        *,
        timeout_ms: int,
        scheme: Scheme = "http",
    ) -> ProbeResult:
        """
        What the copy's instance answers.
        """
        del port, scheme
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
    """
    One copy, and what was seen on it.
    """

    workshop: Workshop
    world: World
    pools: tuple[tuple[str, str], ...]
    took: dict[str, float] = field(default_factory=dict)
    moments: list[Moment] = field(default_factory=list)
    serving: dict[str, int] = field(default_factory=dict)
    errors: dict[str, float] = field(default_factory=dict)
    no_room: bool = False

    def play(self, steps: Iterable[Step]) -> str:
        """
        One step after the other; why one cannot succeed, or nothing.
        """
        self._look(self.pools)
        for step in steps:
            near = self._near(step)
            begin = self.workshop.clock.now()
            try:
                _try(step, self.workshop)
            except CloudError as error:
                self.no_room = isinstance(error, QuotaExceeded | CapacityMissing)
                return f"{step.id} cannot succeed: {error}"
            took = (self.workshop.clock.now() - begin).total_seconds()
            self.took[step.id] = took
            self._look(near, step.id, took)
        return ""

    def _look(
        self, near: Iterable[tuple[str, str]], after: str = "", seconds: float = 0.0
    ) -> None:
        """
        Write down the state; pools that a step has nothing to do with are as they were.
        """
        now = self.workshop.clock.now()
        for balancer, pool in near:
            found = self.world.load_balancers.get(balancer)
            if found is None or pool not in found.pools:
                self.serving.pop(pool, None)
                self.errors.pop(pool, None)
                continue
            traffic = through(self.world, balancer, pool, now)
            self.serving[pool] = sum(
                m.share > 0 and not m.error_ratio for m in traffic.members
            )
            self.errors[pool] = traffic.error_ratio
        self.moments.append(
            Moment(
                after=after,
                serving=dict(self.serving),
                error_ratio=max(self.errors.values(), default=0.0),
                seconds=seconds,
            )
        )

    def _near(self, step: Step) -> list[tuple[str, str]]:
        """
        The pools whose members a step may change.
        """
        pool = getattr(step, "pool", None)
        instance = getattr(step, "instance", None)
        balancer = None if pool else getattr(step, "load_balancer", None)
        places = self.world.memberships.get(instance, ()) if instance else ()
        return [
            place
            for place in self.pools
            if pool == place[1] or balancer == place[0] or place in places
        ]


def rehearse(
    plan: Plan,
    inventory: Inventory,
    services: Sequence[Service],
    *,
    settings: Settings,
    quota: Quota | None = None,
    pattern: Pattern | None = None,
) -> Rehearsed:
    """
    Try a plan on a copy. `quota` None: nobody could say what is left, so room is taken for granted.

    Without a pattern, members that their load balancer finds down are taken as hung, unless the plan waits for them.
    """
    sick = _sick(pattern) if pattern else _down(plan, inventory, services)
    like = _likeness(plan, inventory, services, quota, pattern, sick)

    def staged() -> _Stage:
        clock = VirtualClock(inventory.at)
        cloud = seeding.seeded(inventory, like, clock)
        operator = SimulatedOperator(cloud, clock, settled=True)
        workshop = Workshop(
            cloud=cloud,
            store=_store(clock, inventory, services),
            clock=clock,
            prober=Eyes(cloud, clock),
            settings=settings,
            crew=Alone(),
            operators={s.blueprint: lambda _workshop: operator for s in services},
        )
        return _Stage(workshop, cloud.world, _pools(services))

    stage = staged()
    before = _slots(stage.world)
    order = orders.worst(plan.steps)
    failed = stage.play(order)
    after = _slots(stage.world)
    doubled = [] if failed else [s for s, n in after.items() if n > max(before[s], 1)]
    took = stage.took
    quickest = orders.chain_by_chain(plan.steps)
    if not failed and quickest != order:
        timed = staged()
        timed.play(quickest)
        took = timed.took
    seconds = orders.seconds(plan.steps, took, hands=settings.parallel_steps_max)
    return Rehearsed(
        plan_id=plan.id,
        moments=tuple(stage.moments),
        failed=failed,
        no_room=stage.no_room,
        doubled=tuple(sorted(doubled)),
        seconds=round(seconds, 3),
        budget_seconds=round(_cost(stage.moments), 3),
    )


def _try(step: Step, workshop: Workshop) -> None:
    """
    Perform a step without what an instance is told: a copy reads none of it, so no secret is made for it and no key is there to be withdrawn.
    """
    if isinstance(step, WithdrawKey):
        return
    if isinstance(step, EnsureInstance):
        spec = step.spec.model_copy(update={"user_data": ""})
        step = step.model_copy(update={"spec": spec})
    perform.do(step, workshop)


def _pools(services: Iterable[Service]) -> tuple[tuple[str, str], ...]:
    return tuple(
        dict.fromkeys(
            (place.load_balancer, place.pool)
            for service in services
            for group in service.groups
            for place in group.memberships
        )
    )


def _store(
    clock: VirtualClock, inventory: Inventory, services: Sequence[Service]
) -> MemoryStore:
    """
    A store that knows these services alone.
    """
    store = MemoryStore(clock)
    network = NetworkSpec(name="rehearsal", owner=Owner(platform=inventory.platform))
    platform = Platform(
        name=inventory.platform, network=network, services=tuple(services)
    )
    store.registry.put_platform(platform, at=clock.now())
    return store


def _likeness(  # noqa: PLR0917  everything a copy is made from
    plan: Plan,
    inventory: Inventory,
    services: Iterable[Service],
    quota: Quota | None,
    pattern: Pattern | None,
    sick: Mapping[str, Behaviour],
) -> Likeness:
    groups = {
        (service.name, group.name): group.server_group.name
        for service in services
        for group in service.groups
        if group.server_group
    }
    places = {
        instance.name: (instance.owner.service or "", instance.owner.group or "")
        for instance in inventory.instances
        if instance.owner
    }
    return Likeness(
        quota=quota,
        balancers=tuple(b for service in services for b in service.load_balancers),
        specs=tuple(s.spec for s in plan.steps if isinstance(s, EnsureInstance)),
        made=frozenset(
            perform.resource_name(step)
            for step in plan.steps
            if step.kind.startswith("ensure-")
        ),
        server_groups={
            name: groups[place] for name, place in places.items() if place in groups
        },
        sick=sick,
        hosts_down=[h for h in pattern.hosts if pattern.host_is_down(h)]
        if pattern
        else (),
        zones_down=pattern.zones_down() if pattern else (),
    )


def _sick(pattern: Pattern) -> dict[str, Behaviour]:
    return {
        member.instance: Behaviour.HANG if member.silent else Behaviour.GREY_ERRORS
        for member in pattern.unwell
    }


def _down(
    plan: Plan, inventory: Inventory, services: Sequence[Service]
) -> dict[str, Behaviour]:
    """
    Members that none of their load balancers finds up, those aside of which the plan expects that they will serve. A pool that asks for a role says
    nothing of who is in another.
    """
    by_role = {
        place.pool
        for service in services
        for group in service.groups
        for place in group.memberships
        if place.role is not None
    }
    expected = {
        name
        for step in plan.steps
        if isinstance(step, AwaitServing)
        for name in step.instances
    }
    states: dict[str, set[str]] = {}
    for balancer in inventory.load_balancers:
        for pool in balancer.pools:
            for member in () if pool.name in by_role else pool.members:
                states.setdefault(member.name, set()).add(member.operating_status)
    return {
        name: Behaviour.HANG
        for name, seen in states.items()
        if seen == {"ERROR"} and name not in expected
    }


def _slots(world: World) -> Counter[str]:
    return Counter(name.rpartition("-g")[0] for name in world.instances)


def _cost(moments: list[Moment]) -> float:
    """
    Errors that users get while each step runs, as seconds of full outage: those of the state that it began in.
    """
    return sum(before.error_ratio * now.seconds for before, now in pairwise(moments))
