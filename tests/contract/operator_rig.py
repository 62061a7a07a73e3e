"""
A stateful service of three in a simulated cloud, and its operator.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from blueprints import lifecycles
from fournines.model import names
from fournines.model.cluster import ClusterView
from fournines.model.desired import Group, Platform, Service
from fournines.model.ownership import Owner
from fournines.model.specification import NetworkSpec
from tasks.operators import Cluster, Operator
from tasks.workshop import Workshop
from tests.unwind.harness import PLATFORM, World

SETTLING_SECONDS = 15.0


def a_stateful_service(
    *, count: int = 3, user_data: str = "", blueprint: str = lifecycles.QUORUM
) -> Service:
    """
    A quorum without a load balancer.
    """
    group = Group(
        name="pg",
        count=count,
        identity="ordinal",
        image="debian-12",
        flavor="m1.tiny",
        network=names.shared(PLATFORM, "network"),
        zones=("az1", "az2", "az3"),
        user_data=user_data,
        volume_size_gb=1,
    )
    return Service(
        platform=PLATFORM,
        name="db",
        blueprint=blueprint,
        blueprint_version="1",
        groups=(group,),
    )


def a_stateful_platform(**asked) -> Platform:
    """
    A platform of that service alone.
    """
    network = names.shared(PLATFORM, "network")
    return Platform(
        name=PLATFORM,
        network=NetworkSpec(name=network, owner=Owner(platform=PLATFORM)),
        services=(a_stateful_service(**asked),),
    )


@dataclass(slots=True)
class OperatorRig:
    """
    Three members that run, and whoever speaks for them. Written for the simulated operator; a real one gets another `cluster` and `pass_time`.
    """

    world: World = field(default_factory=World)
    operator: Operator = field(init=False)
    workshop: Workshop = field(init=False)

    def __post_init__(self) -> None:
        cloud, clock = self.world.cloud, self.world.clock
        self.operator = self.world.operator
        self.workshop = self.world.workshop()
        platform = a_stateful_platform()
        service = platform.services[0]
        group = service.groups[0]
        self.world.store.registry.put_platform(platform, at=clock.now())
        cloud.ensure_network(platform.network, deadline_seconds=60)
        for slot in range(group.count):
            zone = group.zones[slot]
            cloud.ensure_volume(service.volume(group, slot, zone), deadline_seconds=60)
            cloud.ensure_port(service.port(group, slot), deadline_seconds=60)
            spec = service.instance(group, slot, 1, zone)
            cloud.ensure_instance(spec, deadline_seconds=60)
        self.settle()

    @property
    def slots(self) -> tuple[str, ...]:
        """
        The members' names.
        """
        return self.cluster().slot_names

    def cluster(self) -> Cluster:
        """
        The cluster where it is now.
        """
        service = a_stateful_service()
        inventory = self.world.cloud.inventory(PLATFORM, service.name)
        return Cluster(service, service.groups[0], inventory)

    def view(self) -> ClusterView:
        """
        What it says now.
        """
        return self.operator.view(self.cluster())

    def settle(self) -> None:
        """
        Time for members to come, catch up, and follow a lost leader.
        """
        for _ in range(int(SETTLING_SECONDS)):
            self.pass_time(1.0)

    def pass_time(self, seconds: float) -> None:
        """
        Let time pass, looked at now and then, as a service notices what happens to it.
        """
        self.world.clock.advance(seconds)
        try:
            self.view()
        except Exception:  # noqa: BLE001  nobody to ask is an answer here
            return

    def kill(self, slot: str) -> None:
        """
        A member's instance is gone.
        """
        instance = self.cluster().instance(slot)
        assert instance is not None
        self.world.cloud.delete_instance(instance.name, deadline_seconds=60)

    def replace(self, slot: str) -> None:
        """
        A new instance in the slot, on its volume.
        """
        service = a_stateful_service()
        group, number = service.groups[0], int(slot[-1])
        here = self.cluster().instance(slot)
        if here is not None:
            self.kill(slot)
        spec = service.instance(group, number, 2, group.zones[number])
        self.world.cloud.ensure_instance(spec, deadline_seconds=60)
