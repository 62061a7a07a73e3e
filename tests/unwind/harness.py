"""
A world in which any moment can be the last: the simulated cloud and a store, with a tripwire on every call and every commit.
"""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from blueprints import lifecycles
from fournines.cloud.simulated import Killed, Scenario, SimulatedCloud, Speeds
from fournines.cloud.virtual_clock import VirtualClock
from fournines.model import names
from fournines.model.desired import Group, HealingLimits, Membership, Platform, Service
from fournines.model.ownership import Owner
from fournines.model.probing import Answer, ProbeResult, Scheme
from fournines.model.specification import (
    FloatingIpSpec,
    ListenerSpec,
    LoadBalancerSpec,
    NetworkSpec,
    PoolSpec,
    SecurityGroupSpec,
    SecurityRule,
    ServerGroupSpec,
)
from fournines.objects.memory import MemoryObjects
from fournines.settings import Settings
from fournines.store.memory import MemoryStore
from tasks import reconciliation
from tasks.operators.simulated import SimulatedOperator
from tasks.workshop import Workshop

PLATFORM = "demo"
PORT = 8080


@dataclass(slots=True)
class Tripwire:
    """
    Counts moments; at the chosen one, and ever after, whoever passes is dead.
    """

    at: int | None = None
    passed: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def step_on(self, moment: str) -> None:
        """
        Pass a moment, or die there.
        """
        with self._lock:
            self.passed.append(moment)
            if self.at is not None and len(self.passed) > self.at:
                raise Killed(moment)


class Wired:
    """
    Any object, with a moment before and after each of its calls.
    """

    def __init__(self, target: Any, wire: Tripwire, label: str) -> None:
        self._target = target
        self._wire = wire
        self._label = label

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._target, name)
        if not callable(call):
            return call
        moment = f"{self._label}.{name}"

        def passing(*args: Any, **kwargs: Any) -> Any:
            self._wire.step_on(f"before {moment}")
            result = call(*args, **kwargs)
            self._wire.step_on(f"after {moment}")
            return result

        return passing


class WiredStore:
    """
    A store whose registry, journal and leases are wired.
    """

    def __init__(self, store: MemoryStore, wire: Tripwire) -> None:
        self.registry = Wired(store.registry, wire, "registry")
        self.journal = Wired(store.journal, wire, "journal")
        self.leases = Wired(store.leases, wire, "leases")
        self.inbox = store.inbox
        self.now = store.now
        self.cases = store.cases
        self.switches = store.switches
        self.pauses = store.pauses
        self.quarantines = store.quarantines
        self.approvals = store.approvals
        self.secrets = Wired(store.secrets, wire, "secrets")


class SimulatedProber:
    """
    `Prober` that asks the simulated cloud.
    """

    def __init__(self, cloud: SimulatedCloud, clock: VirtualClock) -> None:
        self._cloud = cloud
        self._clock = clock

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
        Ask the instance at that address.
        """
        at = self._clock.now()
        found = [
            record.name
            for record in list(self._cloud.world.instances.values())
            if record.address == address
        ]
        if not found:
            return ProbeResult(at=at, path=path, answer=Answer.UNREACHABLE, seconds=0.0)
        seen = self._cloud.probe(found[0], timeout_seconds=timeout_ms / 1000)
        kind = {None: Answer.STATUS, "refused": Answer.REFUSED}.get(
            seen.error, Answer.SILENT
        )
        return ProbeResult(
            at=at, path=path, answer=kind, seconds=seen.seconds, status=seen.code
        )


@dataclass(slots=True)
class World:
    """
    A cloud and a store that outlive the processes working on them. With another seed everything takes another while.
    """

    seed: int = 0
    clock: VirtualClock = field(default_factory=VirtualClock)
    store: MemoryStore = field(init=False)
    cloud: SimulatedCloud = field(init=False)
    operator: SimulatedOperator = field(init=False)
    objects: MemoryObjects = field(init=False)

    def __post_init__(self) -> None:
        self.store = MemoryStore(self.clock)
        speeds = Speeds(jitter_ratio=0.5 if self.seed else 0.0)
        scenario = Scenario(speeds=speeds, seed=self.seed)
        self.cloud = SimulatedCloud(scenario, self.clock)
        self.operator = SimulatedOperator(self.cloud, self.clock)
        self.objects = MemoryObjects(self.clock)

    def workshop(
        self, wire: Tripwire | None = None, *, parallel_steps_max: int = 1
    ) -> Workshop:
        """
        A process' view of the world, wired to die at a moment.
        """
        cloud: Any = self.cloud
        store: Any = self.store
        operator: Any = self.operator
        if wire is not None:
            cloud = Wired(cloud, wire, "cloud")
            operator = Wired(operator, wire, "operator")
            store = WiredStore(self.store, wire)
        return Workshop(
            cloud=cloud,
            store=store,
            clock=self.clock,
            prober=SimulatedProber(self.cloud, self.clock),
            settings=Settings(
                slot=0, poll_seconds=0.25, parallel_steps_max=parallel_steps_max
            ),
            operators={lifecycles.QUORUM: lambda _workshop: operator},
            objects=self.objects.open,
        )

    def resources(self) -> dict[str, list[str]]:
        """
        Everything in the cloud by kind and name, and the members with their weights.
        """
        world = self.cloud.world
        return {
            "networks": sorted(world.networks),
            "security groups": sorted(world.security_groups),
            "server groups": sorted(world.server_groups),
            "volumes": sorted(world.volumes),
            "ports": sorted(
                f"{port.name} {port.address}" for port in world.ports.values()
            ),
            "instances": sorted(world.instances),
            "keys left": sorted(
                name for name, one in world.instances.items() if one.spec.metadata
            ),
            "load balancers": sorted(world.load_balancers),
            "floating ips": sorted(world.floating_ips),
            "members": sorted(
                f"{pool.name}: {member.name} x{member.weight}"
                for balancer in self.cloud.inventory(PLATFORM).load_balancers
                for pool in balancer.pools
                for member in pool.members
            ),
            "registered": sorted(
                f"{kind} {name}"
                for kind, name, _ in self.store.registry.resources(PLATFORM)
            ),
        }


def die_at_every_moment(
    prepare: Callable[[int], World],
    act: Callable[[Workshop], object],
    seed: int = 0,
    *,
    every: int = 1,
    whichever_generation: bool = False,
) -> list[str]:
    """
    Do it in one go; then, for each moment on the way, die there, do it again, and compare the worlds. Returns the moments where they differ.

    `every`: of so many moments one, and so many seeds in a row have died at each. `whichever_generation`: a slot whose instance went before the next came has forgotten its number, so the numbers are not compared.
    """

    def seen(world: World) -> dict[str, list[str]]:
        found = world.resources()
        if not whichever_generation:
            return found
        return {k: [re.sub(r"-g\d+", "", one) for one in v] for k, v in found.items()}

    calm = Tripwire()
    reference = prepare(seed)
    act(reference.workshop(calm))
    expected = seen(reference)
    differing = []
    for moment in range(seed % every, len(calm.passed), every):
        world = prepare(seed)
        try:
            act(world.workshop(Tripwire(at=moment)))
        except Killed:
            pass
        else:
            differing.append(f"survived {calm.passed[moment]}")
        # The dead one's leases have run out.
        world.clock.advance(60)
        act(world.workshop())
        if seen(world) != expected:
            differing.append(f"{moment}: {calm.passed[moment]}: {world.resources()}")
        if world.store.journal.unfinished():
            differing.append(f"{moment}: {calm.passed[moment]} left a plan open")
    return differing


def die_once_it_is_asked_for(
    prepare: Callable[[int], World],
    act: Callable[[Workshop], object],
    seed: int = 0,
    *,
    every: int = 1,
) -> tuple[int, list[str]]:
    """
    Die at each moment (`every` as above) after the wish was written into the registry; nobody asks again, only the timer comes. How many moments
    there are, and where the worlds differ.
    """
    calm = Tripwire()
    reference = prepare(seed)
    act(reference.workshop(calm))
    expected = reference.resources()
    written = next(
        number
        for number, moment in enumerate(calm.passed)
        if moment in {"after registry.put_platform", "after registry.put_service"}
    )
    differing = []
    for moment in range(written + seed % every, len(calm.passed), every):
        world = prepare(seed)
        with contextlib.suppress(Killed):
            act(world.workshop(Tripwire(at=moment)))
        world.clock.advance(60)
        reconciliation.reconcile(world.workshop())
        if world.resources() != expected or world.store.journal.unfinished():
            differing.append(f"{moment}: {calm.passed[moment]}: {world.resources()}")
    return len(calm.passed) - written, differing


def a_platform(
    *,
    count: int = 2,
    user_data: str = "",
    volume_gb: int | None = None,
    ordinal: bool = False,
) -> Platform:
    """
    A platform with one web service, as its blueprint would compile it.
    """
    owner = Owner(platform=PLATFORM, service="shop")
    balancer = names.of_service(PLATFORM, "shop", "lb")
    web = names.of_service(PLATFORM, "shop", "web")
    network = names.shared(PLATFORM, "network")
    group = Group(
        name="web",
        identity="ordinal" if ordinal else "cattle",
        count=count,
        image="debian-12",
        user_data=user_data,
        flavor="m1.tiny",
        network=network,
        zones=("az1", "az2", "az3"),
        security_group=SecurityGroupSpec(
            name=web,
            owner=owner,
            rules=(SecurityRule(port_min=PORT, port_max=PORT),),
        ),
        server_group=ServerGroupSpec(name=web, owner=owner),
        volume_size_gb=volume_gb,
        memberships=(Membership(load_balancer=balancer, pool=web, port=PORT),),
        healing=HealingLimits(min_healthy=1),
    )
    service = Service(
        platform=PLATFORM,
        name="shop",
        blueprint="web",
        blueprint_version="1",
        groups=(group,),
        load_balancers=(
            LoadBalancerSpec(
                name=balancer,
                owner=owner,
                network=network,
                listeners=(
                    ListenerSpec(
                        name=names.of_service(PLATFORM, "shop", "http"),
                        protocol="HTTP",
                        port=80,
                        pool=web,
                    ),
                ),
                pools=(PoolSpec(name=web),),
            ),
        ),
        floating_ips=(
            FloatingIpSpec(
                name=names.of_service(PLATFORM, "shop", "ip"),
                owner=owner,
                load_balancer=balancer,
            ),
        ),
    )
    return Platform(
        name=PLATFORM,
        network=NetworkSpec(name=network, owner=Owner(platform=PLATFORM)),
        services=(service,),
    )
