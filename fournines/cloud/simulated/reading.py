"""
From the simulated cloud's records to the domain's values.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from datetime import datetime
from typing import TypeVar

from fournines.cloud.simulated.health import operating_status
from fournines.cloud.simulated.records import (
    FloatingIpRecord,
    ImageRecord,
    InstanceRecord,
    LoadBalancerRecord,
    Marked,
    MemberRecord,
    NetworkRecord,
    PoolRecord,
    PortRecord,
    SecurityGroupRecord,
    ServerGroupRecord,
    Told,
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
from fournines.model.value import Value

V = TypeVar("V", bound=Value)


def _kept(record: Told, content: Hashable, make: Callable[[], V]) -> V:
    """
    The value that a record was told as last, as long as what may change of it has not.
    """
    if record.told is None or record.told[0] != content:
        record.told = content, make()
    found: V = record.told[1]
    return found


def instance(record: InstanceRecord) -> Instance:
    """
    An instance as people see it.
    """
    fault = record.fault if record.status == "ERROR" else None
    holds_key = sealing.KEY in record.spec.metadata
    content = (
        record.status,
        record.zone,
        record.host,
        record.address,
        fault,
        record.locked,
        holds_key,
        record.owner,
    )
    return _kept(
        record,
        content,
        lambda: Instance(
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
            fault=fault,
            locked=record.locked,
            holds_key=holds_key,
        ),
    )


def _member(record: MemberRecord) -> Member:
    status = operating_status(record)
    content = (record.address, record.port, record.weight, status)
    return _kept(
        record,
        content,
        lambda: Member(
            id=record.id,
            name=record.instance,
            address=record.address,
            port=record.port,
            weight=record.weight,
            operating_status=status,
        ),
    )


def pool(record: PoolRecord) -> Pool:
    """
    A pool with its members.
    """
    members = tuple(_member(member) for member in record.members.values())
    return _kept(
        record,
        members,
        lambda: Pool(id=record.id, name=record.spec.name, members=members),
    )


def load_balancer(world: World, record: LoadBalancerRecord) -> LoadBalancer:
    """
    A load balancer with everything in it.
    """
    pools = tuple(pool(one) for one in record.pools.values())
    floating = next(
        (
            f.address
            for f in world.floating_ips.values()
            if f.load_balancer == record.name
        ),
        None,
    )
    content = (
        record.status,
        record.dead,
        record.failover_stopped,
        record.vip_address,
        floating,
        tuple(record.listeners.values()),
        pools,
        record.owner,
    )
    return _kept(record, content, lambda: _load_balancer(record, pools, floating))


def _load_balancer(
    record: LoadBalancerRecord, pools: tuple[Pool, ...], floating: str | None
) -> LoadBalancer:
    return LoadBalancer(
        id=record.id,
        name=record.name,
        owner=record.owner,
        provisioning_status=record.status,
        operating_status=_operating(
            record, {m.operating_status for one in pools for m in one.members}
        ),
        failover_stopped=record.failover_stopped,
        vip_address=record.vip_address,
        vip_port_id=f"port-{record.id}",
        floating_address=floating,
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
    return _kept(
        record,
        record.owner,
        lambda: Network(
            id=record.id,
            name=record.name,
            owner=record.owner,
            subnet_id=f"subnet-{record.id}",
            cidr=record.cidr,
            router_id=f"router-{record.id}",
        ),
    )


def image(record: ImageRecord) -> Image:
    """
    An image.
    """
    content = (
        record.name,
        record.status,
        record.min_disk_gb,
        record.min_ram_mb,
        tuple(record.properties.items()),
    )
    return _kept(
        record,
        content,
        lambda: Image(
            id=record.id,
            name=record.name,
            status=record.status,
            min_disk_gb=record.min_disk_gb,
            min_ram_mb=record.min_ram_mb,
            properties=dict(record.properties),
        ),
    )


def volume(record: VolumeRecord) -> Volume:
    """
    A volume.
    """
    content = (
        record.owner,
        record.status,
        record.size_gb,
        record.zone,
        record.attached_to,
    )
    return _kept(
        record,
        content,
        lambda: Volume(
            id=record.id,
            name=record.name,
            owner=record.owner,
            status=record.status,
            size_gb=record.size_gb,
            zone=record.zone,
            attached_to=record.attached_to,
        ),
    )


def port(record: PortRecord) -> Port:
    """
    A port.
    """
    content = (record.owner, record.address, record.attached_to)
    return _kept(
        record,
        content,
        lambda: Port(
            id=record.id,
            name=record.name,
            owner=record.owner,
            address=record.address,
            attached_to=record.attached_to,
        ),
    )


def floating_ip(world: World, record: FloatingIpRecord) -> FloatingIp:
    """
    A floating IP.
    """
    target = world.load_balancers.get(record.load_balancer or "")
    port = f"port-{target.id}" if target else None
    return _kept(
        record,
        (port, record.owner),
        lambda: FloatingIp(
            id=record.id,
            name=record.name,
            owner=record.owner,
            address=record.address,
            port_id=port,
        ),
    )


def _security_group(record: SecurityGroupRecord) -> SecurityGroup:
    return _kept(
        record,
        record.owner,
        lambda: SecurityGroup(id=record.id, name=record.name, owner=record.owner),
    )


def _server_group(record: ServerGroupRecord) -> ServerGroup:
    return _kept(
        record,
        (record.owner, record.policy),
        lambda: ServerGroup(
            id=record.id, name=record.name, owner=record.owner, policy=record.policy
        ),
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
            _security_group(r) for r in world.security_groups.values() if mine(r)
        ),
        server_groups=tuple(
            _server_group(r) for r in world.server_groups.values() if mine(r)
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


def serving(seen: Inventory) -> Inventory:
    """
    Of what is ours only what serves.
    """
    return Inventory(
        at=seen.at,
        platform=seen.platform,
        instances=seen.instances,
        load_balancers=seen.load_balancers,
        ports=seen.ports,
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
