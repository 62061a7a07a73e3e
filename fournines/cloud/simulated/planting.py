"""
Strangers: resources in the simulated cloud that are not ours, under any name.
"""

from __future__ import annotations

from datetime import datetime

from fournines.cloud.simulated.records import (
    FloatingIpRecord,
    InstanceRecord,
    LoadBalancerRecord,
    NetworkRecord,
    PortRecord,
    SecurityGroupRecord,
    ServerGroupRecord,
    VolumeRecord,
)
from fournines.cloud.simulated.scenario import InconsistentScenario
from fournines.cloud.simulated.world import World
from fournines.model.ownership import Owner
from fournines.model.specification import InstanceSpec

_CIDR = "10.99.0.0/24"


def plant(world: World, kind: str, name: str, now: datetime) -> None:
    """
    Put a stranger there. `kind` as in plan steps: instance, network, security-group, server-group, volume, ...

    Raises:
        InconsistentScenario: There is no such kind.
    """
    number = f"stranger-{world.new_id(kind)}"
    match kind:
        case "instance":
            world.instances[name] = _instance(world, number, name, now)
        case "network":
            world.networks[name] = NetworkRecord.on(_CIDR, number, name, None)
        case "security-group":
            world.security_groups[name] = SecurityGroupRecord(number, name, None)
        case "server-group":
            world.server_groups[name] = ServerGroupRecord(number, name, None)
        case "volume":
            world.volumes[name] = VolumeRecord(number, name, None, status="available")
        case "port":
            world.ports[name] = PortRecord(number, name, None)
        case "load-balancer":
            world.load_balancers[name] = LoadBalancerRecord(
                number, name, None, "-", "10.99.0.2", "ACTIVE"
            )
        case "floating-ip":
            address = str(next(world.external))
            world.floating_ips[name] = FloatingIpRecord(number, name, None, address)
        case _:
            raise InconsistentScenario(f"there is no kind of resource {kind}")


def _instance(world: World, number: str, name: str, now: datetime) -> InstanceRecord:
    spec = InstanceSpec(
        name=name,
        owner=Owner(platform="-"),
        image=world.scenario.images[0].name,
        flavor=world.scenario.flavors[0].name,
        network="-",
    )
    return InstanceRecord(number, name, None, spec, created_at=now, status="ACTIVE")
