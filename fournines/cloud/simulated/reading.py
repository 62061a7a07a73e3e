"""
From the simulated cloud's records to the domain's values.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from fournines.cloud.simulated.health import operating_status
from fournines.cloud.simulated.records import (
    FloatingIpRecord,
    ImageRecord,
    InstanceRecord,
    LoadBalancerRecord,
    Marked,
    NetworkRecord,
    PoolRecord,
    PortRecord,
    VolumeRecord,
)
from fournines.cloud.simulated.world import World
from fournines.model import sealing
from fournines.model.inventory import (
    FloatingIp,
    Image,
    Instance,
    Inventory,
    Listener,
    LoadBalancer,
    Member,
    Network,
    Pool,
    Port,
    SecurityGroup,
    ServerGroup,
    Volume,
)


def instance(record: InstanceRecord) -> Instance:
    """
    An instance as people see it.
    """
    return Instance(
        id=record.id,
        name=record.name,
        owner=record.owner,
        status=record.status,
        zone=record.zone,
        host=record.host,
        address=record.address,
        image=record.spec.image,
        flavor=record.spec.flavor,
        created_at=record.created_at,
        fault=record.fault if record.status == "ERROR" else None,
        locked=record.locked,
        holds_key=sealing.KEY in record.spec.metadata,
    )


def pool(record: PoolRecord) -> Pool:
    """
    A pool with its members.
    """
    members = tuple(
        Member(
            id=member.id,
            name=member.instance,
            address=member.address,
            port=member.port,
            weight=member.weight,
            operating_status=operating_status(member),
        )
        for member in record.members.values()
    )
    return Pool(id=record.id, name=record.spec.name, members=members)


def load_balancer(world: World, record: LoadBalancerRecord) -> LoadBalancer:
    """
    A load balancer with everything in it.
    """
    pools = tuple(pool(one) for one in record.pools.values())
    statuses = {m.operating_status for one in pools for m in one.members}
    floating = next(
        (f for f in world.floating_ips.values() if f.load_balancer == record.name), None
    )
    return LoadBalancer(
        id=record.id,
        name=record.name,
        owner=record.owner,
        provisioning_status=record.status,
        operating_status=_operating(record, statuses),
        failover_stopped=record.failover_stopped,
        vip_address=record.vip_address,
        vip_port_id=f"port-{record.id}",
        floating_address=floating.address if floating else None,
        listeners=tuple(
            Listener(
                id=number,
                name=spec.name,
                protocol=spec.protocol,
                port=spec.port,
                pool_id=record.pools[spec.pool].id if spec.pool else None,
            )
            for number, spec in record.listeners.values()
        ),
        pools=pools,
    )


def _operating(record: LoadBalancerRecord, statuses: set[str]) -> str:
    if record.dead:
        return "ERROR"
    return "DEGRADED" if "ERROR" in statuses else "ONLINE"


def network(record: NetworkRecord) -> Network:
    """
    A network.
    """
    return Network(
        id=record.id,
        name=record.name,
        owner=record.owner,
        subnet_id=f"subnet-{record.id}",
        cidr=record.cidr,
        router_id=f"router-{record.id}",
    )


def image(record: ImageRecord) -> Image:
    """
    An image.
    """
    return Image(
        id=record.id,
        name=record.name,
        status=record.status,
        min_disk_gb=record.min_disk_gb,
        min_ram_mb=record.min_ram_mb,
        properties=dict(record.properties),
    )


def volume(record: VolumeRecord) -> Volume:
    """
    A volume.
    """
    return Volume(
        id=record.id,
        name=record.name,
        owner=record.owner,
        status=record.status,
        size_gb=record.size_gb,
        zone=record.zone,
        attached_to=record.attached_to,
    )


def port(record: PortRecord) -> Port:
    """
    A port.
    """
    return Port(
        id=record.id,
        name=record.name,
        owner=record.owner,
        address=record.address,
        attached_to=record.attached_to,
    )


def floating_ip(world: World, record: FloatingIpRecord) -> FloatingIp:
    """
    A floating IP.
    """
    target = world.load_balancers.get(record.load_balancer or "")
    return FloatingIp(
        id=record.id,
        name=record.name,
        owner=record.owner,
        address=record.address,
        port_id=f"port-{target.id}" if target else None,
    )


def inventory(
    world: World, platform: str, service: str | None, now: datetime
) -> Inventory:
    """
    What is ours, and the strangers under our names.
    """

    def mine(record: Marked) -> bool:
        owner = record.owner
        return (
            owner is not None
            and owner.platform == platform
            and (service is None or owner.service in {None, service})
        )

    prefix = f"{platform}-{service}-" if service else f"{platform}-"
    return Inventory(
        at=now,
        platform=platform,
        zones=world.scenario.zones,
        images=tuple(image(r) for r in world.images.values() if r.status == "active"),
        flavors=world.scenario.flavors,
        networks=tuple(network(r) for r in world.networks.values() if mine(r)),
        security_groups=tuple(
            SecurityGroup(id=r.id, name=r.name, owner=r.owner)
            for r in world.security_groups.values()
            if mine(r)
        ),
        server_groups=tuple(
            ServerGroup(id=r.id, name=r.name, owner=r.owner, policy=r.policy)
            for r in world.server_groups.values()
            if mine(r)
        ),
        volumes=tuple(volume(r) for r in world.volumes.values() if mine(r)),
        instances=tuple(instance(r) for r in world.instances.values() if mine(r)),
        load_balancers=tuple(
            load_balancer(world, r) for r in world.load_balancers.values() if mine(r)
        ),
        floating_ips=tuple(
            floating_ip(world, r) for r in world.floating_ips.values() if mine(r)
        ),
        ports=tuple(port(r) for r in world.ports.values() if mine(r)),
        strangers=tuple(_strangers(world, prefix)),
    )


def _strangers(world: World, prefix: str) -> Iterable[str]:
    kinds: tuple[tuple[str, Iterable[Marked]], ...] = (
        ("network", world.networks.values()),
        ("security-group", world.security_groups.values()),
        ("server-group", world.server_groups.values()),
        ("volume", world.volumes.values()),
        ("port", world.ports.values()),
        ("instance", world.instances.values()),
        ("load-balancer", world.load_balancers.values()),
        ("floating-ip", world.floating_ips.values()),
    )
    for kind, records in kinds:
        for record in records:
            if record.owner is None and record.name.startswith(prefix):
                yield f"{kind} {record.name} ({record.id})"
