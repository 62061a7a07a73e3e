"""
A simulated cloud that looks like a real one at one moment: for rehearsing a plan before it is performed.

Seeded are the resources that a platform's inventory shows, with their hosts, weights and health; besides the hosts that are known each zone
has one more, since nobody tells us the others. What an inventory leaves out (a service's reading has no images, perhaps) is taken to exist,
unless the plan is to make it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import IPv4Address, IPv4Network

from fournines.cloud.simulated import instances
from fournines.cloud.simulated.cloud import SimulatedCloud
from fournines.cloud.simulated.records import (
    Behaviour,
    FloatingIpRecord,
    HostRecord,
    InstanceRecord,
    LoadBalancerRecord,
    MemberRecord,
    NetworkRecord,
    PoolRecord,
    PortRecord,
    SecurityGroupRecord,
    ServerGroupRecord,
    VolumeRecord,
)
from fournines.cloud.simulated.scenario import UNLIMITED, Scenario
from fournines.cloud.simulated.world import World
from fournines.cloud.virtual_clock import VirtualClock
from fournines.model.inventory import (
    Flavor,
    Image,
    Instance,
    Inventory,
    LoadBalancer,
    Quota,
)
from fournines.model.ownership import Owner
from fournines.model.specification import (
    InstanceSpec,
    ListenerSpec,
    LoadBalancerSpec,
    PoolSpec,
)

_CIDR = "10.250.0.0/16"
_SPARE = "another-host"
_ROOM = 1_000_000
"""How full hosts are is told to nobody: the quota is the limit."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """
    What the copy is made from, besides the inventory.

    Attributes:
        quota: What the project may still make; None when nobody could say.
        balancers: Load balancers as they should be, for health monitors and listeners.
        specs: Instances that the plan will make: they name images, flavors, networks and groups.
        made: Names of everything that the plan makes.
        server_groups: By instance's name, where it is known.
        sick: Instances that do not serve, and how.
        hosts_down: Hosts that take nothing; zones_down: zones without any host.
    """

    quota: Quota | None = None
    balancers: tuple[LoadBalancerSpec, ...] = ()
    specs: tuple[InstanceSpec, ...] = ()
    made: Collection[str] = ()
    server_groups: Mapping[str, str] = field(default_factory=dict)
    sick: Mapping[str, Behaviour] = field(default_factory=dict)
    hosts_down: Collection[str] = ()
    zones_down: Collection[str] = ()


def seeded(inventory: Inventory, like: Likeness, clock: VirtualClock) -> SimulatedCloud:
    """
    The copy, ready for a plan.
    """
    cloud = SimulatedCloud(_scenario(inventory, like), clock)
    world, now = cloud.world, clock.now()
    _hosts(world, inventory, like)
    _networks(world, inventory, like)
    owner = Owner(platform=inventory.platform)
    names = {g for spec in like.specs for g in spec.security_groups} - {*like.made}
    names |= {group.name for group in inventory.security_groups}
    for name in names:
        number = world.new_id("sg")
        world.security_groups[name] = SecurityGroupRecord(number, name, owner)
    _server_groups(world, inventory, like)
    for volume in inventory.volumes:
        world.volumes[volume.name] = VolumeRecord(
            volume.id,
            volume.name,
            volume.owner,
            volume.size_gb,
            volume.zone,
            volume.status,
            volume.attached_to,
        )
    for port in inventory.ports:
        world.ports[port.name] = PortRecord(
            port.id,
            port.name,
            port.owner,
            next(iter(world.networks), ""),
            port.address or "",
            port.attached_to,
        )
    for instance in inventory.instances:
        _instance(world, instance, like, now)
    for balancer in inventory.load_balancers:
        _balancer(world, balancer, like)
    for floating in inventory.floating_ips:
        world.floating_ips[floating.name] = FloatingIpRecord(
            floating.id, floating.name, floating.owner, floating.address
        )
    return cloud


def _scenario(inventory: Inventory, like: Likeness) -> Scenario:
    wanted_images = {spec.image for spec in like.specs}
    wanted_flavors = {spec.flavor for spec in like.specs}
    images = inventory.images or tuple(Image(id=n, name=n) for n in wanted_images)
    flavors = inventory.flavors or tuple(
        Flavor(id=n, name=n, vcpus=1, ram_mb=1, disk_gb=1) for n in wanted_flavors
    )
    zones = {instance.zone for instance in inventory.instances} | set(inventory.zones)
    if not inventory.zones:
        zones |= {spec.zone for spec in like.specs}
    return Scenario(
        zones=tuple(sorted(zone for zone in zones if zone)) or ("nova",),
        hosts_per_zone=1,
        instances_per_host=_ROOM,
        images=_once(images),
        flavors=_once_flavors(flavors),
        limits=_limits(inventory, like.quota, flavors),
        attempts=1,
    )


def _once(images: tuple[Image, ...]) -> tuple[Image, ...]:
    return tuple({image.name: image for image in images}.values())


def _once_flavors(flavors: tuple[Flavor, ...]) -> tuple[Flavor, ...]:
    return tuple({flavor.name: flavor for flavor in flavors}.values())


def _limits(
    inventory: Inventory, left: Quota | None, flavors: tuple[Flavor, ...]
) -> Quota:
    """
    What is left, on top of what is there.
    """
    if left is None:
        return UNLIMITED
    sizes = {flavor.name: flavor for flavor in flavors}
    used = [sizes[i.flavor] for i in inventory.instances if i.flavor in sizes]

    def plus(room: int, taken: int) -> int:
        return -1 if room == -1 else room + taken

    return UNLIMITED.model_copy(
        update={
            "instances": plus(left.instances, len(inventory.instances)),
            "cores": plus(left.cores, sum(flavor.vcpus for flavor in used)),
            "ram_mb": plus(left.ram_mb, sum(flavor.ram_mb for flavor in used)),
            "volumes": plus(left.volumes, len(inventory.volumes)),
            "volume_gb": plus(
                left.volume_gb, sum(volume.size_gb for volume in inventory.volumes)
            ),
            "floating_ips": plus(left.floating_ips, len(inventory.floating_ips)),
            "networks": plus(left.networks, len(inventory.networks)),
            "routers": plus(left.routers, len(inventory.networks)),
            "security_groups": plus(
                left.security_groups, len(inventory.security_groups)
            ),
            "load_balancers": plus(left.load_balancers, len(inventory.load_balancers)),
            "server_groups": plus(left.server_groups, len(inventory.server_groups)),
        }
    )


def _hosts(world: World, inventory: Inventory, like: Likeness) -> None:
    known = {(i.host, i.zone) for i in inventory.instances if i.host and i.zone}
    world.hosts[:] = [
        HostRecord(host, zone, up=host not in like.hosts_down)
        for host, zone in sorted(known)
    ]
    world.hosts += [
        HostRecord(f"{_SPARE}-{number}-{zone}", zone)
        for zone in world.scenario.zones
        for number in range(1, _spares(like) + 1)
    ]
    for host in world.hosts:
        host.up = host.up and host.zone not in like.zones_down


def _spares(like: Likeness) -> int:
    """
    Hosts that nobody told us of: one in each zone, or as many as a group needs that is being made and keeps its instances apart.
    """
    new = Counter(s.server_group for s in like.specs if s.server_group in {*like.made})
    return max((1, *new.values()))


def _networks(world: World, inventory: Inventory, like: Likeness) -> None:
    taken = {instance.address for instance in inventory.instances}
    taken |= {port.address for port in inventory.ports}
    taken |= {balancer.vip_address for balancer in inventory.load_balancers}
    found = {network.name: network.cidr for network in inventory.networks}
    taken_as_there = {spec.network for spec in like.specs} - {*like.made}
    for name in taken_as_there | found.keys():
        cidr = found.get(name) or _CIDR
        addresses = _free(cidr, taken)
        owner = Owner(platform=inventory.platform)
        number = world.new_id("network")
        world.networks[name] = NetworkRecord(number, name, owner, cidr, addresses)


def _free(cidr: str, taken: Collection[str | None]) -> Iterator[IPv4Address]:
    return (one for one in IPv4Network(cidr).hosts() if str(one) not in taken)


def _server_groups(world: World, inventory: Inventory, like: Likeness) -> None:
    owner = Owner(platform=inventory.platform)
    policies = {group.name: group.policy for group in inventory.server_groups}
    named = {spec.server_group for spec in like.specs if spec.server_group}
    named |= {*like.server_groups.values()}
    for name in (named - {*like.made}) | policies.keys():
        number = world.new_id("server-group")
        policy = policies.get(name, "soft-anti-affinity")
        world.server_groups[name] = ServerGroupRecord(number, name, owner, policy)


def _instance(world: World, seen: Instance, like: Likeness, now: datetime) -> None:
    group = like.server_groups.get(seen.name)
    ports = {port.attached_to: port.name for port in world.ports.values()}
    spec = InstanceSpec(
        name=seen.name,
        owner=seen.owner or Owner(platform="-"),
        image=seen.image or "",
        flavor=seen.flavor or "",
        network=next(iter(world.networks), ""),
        server_group=group,
        port=ports.get(seen.id),
    )
    record = InstanceRecord(
        id=seen.id,
        name=seen.name,
        owner=seen.owner,
        spec=spec,
        created_at=seen.created_at or now,
        zone=seen.zone,
        host=seen.host,
        address=seen.address,
        status=seen.status,
        fault=seen.fault,
        locked=seen.locked,
        serves_at=now if seen.status == "ACTIVE" else None,
        behaviour=like.sick.get(seen.name, Behaviour.SERVING),
    )
    world.instances[seen.name] = record
    for host in world.hosts:
        if host.name == seen.host:
            world.place(seen.name, group, host)
    if seen.status == "BUILD":
        instances.arrive_later(world, record, now)
    elif seen.status == "DELETING":
        instances.leave_later(world, record, now)


def _balancer(world: World, seen: LoadBalancer, like: Likeness) -> None:
    spec = next((one for one in like.balancers if one.name == seen.name), None)
    monitors = {pool.name: pool for pool in spec.pools} if spec else {}
    pools: dict[str, PoolRecord] = {}
    for pool in seen.pools:
        shape = monitors.get(pool.name, PoolSpec(name=pool.name))
        pools[pool.name] = PoolRecord(pool.id, shape)
        # A member that somebody disabled is as good as gone: joining makes it anew.
        for member in (one for one in pool.members if one.admin_up):
            pools[pool.name].members[member.name] = MemberRecord(
                id=member.id,
                instance=member.name,
                address=member.address,
                port=member.port,
                weight=member.weight,
                backup=False,
                up=_up(member.operating_status),
            )
            world.memberships[member.name].add((seen.name, pool.name))
    listeners: dict[str, tuple[str, ListenerSpec]] = {
        one.name: (world.new_id("listener"), one)
        for one in (spec.listeners if spec else ())
    }
    world.load_balancers[seen.name] = LoadBalancerRecord(
        id=seen.id,
        name=seen.name,
        owner=seen.owner,
        network=next(iter(world.networks), ""),
        vip_address=seen.vip_address or "",
        status="ACTIVE",
        listeners=listeners,
        pools=pools,
    )


def _up(operating_status: str) -> bool | None:
    if operating_status in {"ONLINE", "DRAINING", "NO_MONITOR"}:
        return True
    return False if operating_status == "ERROR" else None
