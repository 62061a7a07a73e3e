"""
What is simulated: a platform of a few web services on a cloud that tells the laws of every change.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, Protocol

from blueprints import lifecycles
from fournines.cloud.simulated import Scenario, SimulatedCloud
from fournines.cloud.simulated.door import Moment
from fournines.cloud.simulated.scenario import Speeds
from fournines.model import names
from fournines.model.desired import (
    Group,
    HealingLimits,
    Membership,
    Platform,
    Probe,
    Service,
)
from fournines.model.ownership import Owner
from fournines.model.specification import (
    FloatingIpSpec,
    ListenerSpec,
    LoadBalancerSpec,
    NetworkSpec,
    PoolSpec,
    SecurityGroupSpec,
    ServerGroupSpec,
)

PLATFORM = "demo"
CLUSTER_SIZE = 3
NOT_HEALING = frozenset({"", "watch", "reconcile", "_until_well", "_deploy"})
"""Tasks whose calls pass with time, whatever is healed."""

READS = frozenset({"inventory", "quota", "pool", "console"})


class Watch(Protocol):
    """
    Is told before and after each change.
    """

    def before(self, call: str, subject: str) -> None: ...

    def after(self, call: str, subject: str) -> None: ...


class WatchedCloud(SimulatedCloud):
    """
    The simulated cloud, watched at the very moment of each change.
    """

    watch: Watch | None = None
    teller: Callable[[], str] = staticmethod(lambda: "")
    healing_calls = 0

    def _once(self, name: str, subject: str, act: Callable[[Moment], Any]) -> Any:
        watch = self.watch
        self.healing_calls += self.teller() not in NOT_HEALING
        if watch is None or name in READS:
            return super()._once(name, subject, act)

        def watched(moment: Moment) -> Any:
            watch.before(name, subject)
            result = act(moment)
            watch.after(name, subject)
            return result

        return super()._once(name, subject, watched)


def a_scenario(chance: random.Random) -> Scenario:
    """
    A cloud of some speed.
    """
    speeds = Speeds(
        api=chance.choice((0.01, 0.05, 0.2)),
        build=chance.choice((1.0, 2.0, 6.0)),
        jitter_ratio=0.2,
    )
    return Scenario(speeds=speeds, seed=chance.randrange(1 << 30))


def a_platform(chance: random.Random, *, with_data: bool) -> Platform:
    """
    One to three services of two to five members each. `with_data`: the last of them may keep data, on volumes, or in a cluster besides.
    """
    services: tuple[str, ...] = ("shop", "blog")[: chance.choice((1, 1, 2))]
    data = chance.choice((None, None, "volumes", "cluster"))
    return Platform(
        name=PLATFORM,
        network=NetworkSpec(name="demo-network", owner=Owner(platform=PLATFORM)),
        services=(
            *(_service(name, chance) for name in services),
            *((_keeping(chance, data),) if data and with_data else ()),
        ),
        disruptions_max=chance.choice((1, 2, 3)),
    )


def _keeping(chance: random.Random, what: str) -> Service:
    """
    A service whose slots have volumes; a cluster of three has addresses that stay, too, and a quorum.
    """
    service = _service("mail", chance)
    (group,) = service.groups
    kept: dict[str, object] = {"volume_size_gb": 1}
    if what == "volumes":
        group = group.model_copy(update=kept)
        return service.model_copy(update={"groups": (group,)})
    limits = group.healing.model_copy(update={"min_healthy": chance.choice((1, 2))})
    kept |= {"identity": "ordinal", "count": CLUSTER_SIZE, "healing": limits}
    group = group.model_copy(update=kept)
    changed = {"blueprint": lifecycles.QUORUM, "groups": (group,)}
    return service.model_copy(update=changed)


def is_cluster(service: Service) -> bool:
    """
    Whether its members vote.
    """
    return service.blueprint == lifecycles.QUORUM


def _service(name: str, chance: random.Random) -> Service:
    count = chance.choice((2, 3, 4, 5))
    owner = Owner(platform=PLATFORM, service=name)
    of_group = owner.model_copy(update={"group": "web"})
    web, balancer = f"demo-{name}-web", f"demo-{name}-lb"
    group = Group(
        name="web",
        count=count,
        image="debian-12",
        flavor="m1.tiny",
        network="demo-network",
        zones=("az1", "az2", "az3"),
        security_group=SecurityGroupSpec(name=web, owner=of_group),
        server_group=ServerGroupSpec(name=web, owner=of_group),
        user_data="#cloud-config\n",
        memberships=(Membership(load_balancer=balancer, pool=web, port=8080),),
        probe=Probe(port=8080),
        healing=HealingLimits(min_healthy=chance.randint(1, count - 1)),
    )
    listener = ListenerSpec(
        name=f"demo-{name}-http", protocol="HTTP", port=80, pool=web
    )
    return Service(
        platform=PLATFORM,
        name=name,
        blueprint="web",
        blueprint_version="1.0.0",
        groups=(group,),
        load_balancers=(
            LoadBalancerSpec(
                name=balancer,
                owner=owner,
                network="demo-network",
                listeners=(listener,),
                pools=(PoolSpec(name=web),),
            ),
        ),
        floating_ips=(
            FloatingIpSpec(name=f"demo-{name}-ip", owner=owner, load_balancer=balancer),
        ),
    )


def slot_of(instance: str) -> str:
    """
    The name of an instance's slot.
    """
    return instance.rpartition("-g")[0]


def slots(platform: Platform) -> dict[str, tuple[Service, int]]:
    """
    Every slot that is asked for, by name.
    """
    return {
        names.slot(PLATFORM, service.name, "web", slot): (service, slot)
        for service in platform.services
        for slot in range(service.groups[0].count)
    }
