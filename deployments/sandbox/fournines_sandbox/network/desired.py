"""
From Neutron's database to the data path: what routers, guards and routes there should be. Pure.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from fournines_sandbox.network.guard import Rule
from fournines_sandbox.network.snapshot import Port, Router, Snapshot
from fournines_sandbox.site import Site

LOAD_BALANCER_OWNER = "Octavia"
EXTERNAL_DEVICE = "ext"


@dataclass(frozen=True, slots=True)
class Leg:
    """
    One port of a router.

    Args:
        addresses: With prefix lengths.
    """

    port_id: str
    network_id: str
    mac: str
    device: str
    addresses: tuple[str, ...]
    mtu: int


@dataclass(frozen=True, slots=True)
class RouterSpace:
    """
    One router's namespace.

    Args:
        default_via: The external network's gateway.
        external_address: Source of translated traffic; none without a gateway or with SNAT off.
        floating: (floating address, fixed address).
        routes: (destination, next hop).
    """

    netns: str
    legs: tuple[Leg, ...]
    default_via: str | None
    external_address: str | None
    floating: tuple[tuple[str, str], ...]
    routes: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Spoofing:
    """
    What guarded ports may say they are.

    Args:
        macs: Port id -> MACs.
        addresses: Port id -> IPv4 addresses and prefixes.
        closed: Ports that are administratively down.
    """

    macs: dict[str, tuple[str, ...]]
    addresses: dict[str, tuple[str, ...]]
    closed: tuple[str, ...]


def router_spaces(site: Site, snapshot: Snapshot) -> dict[str, RouterSpace]:
    """
    Namespace -> what should be in it, for every router that is administratively up.
    """
    spaces = (_space(site, snapshot, router) for router in snapshot.routers if router.up)
    return {space.netns: space for space in spaces}


def host_routes(site: Site, snapshot: Snapshot) -> dict[str, str]:
    """
    Prefix -> router's external address, for subnets of the routable pool behind a router with a gateway.
    """
    routes = {}
    for router in snapshot.routers:
        gateway = snapshot.ports.get(router.gateway_port_id or "")
        if not router.up or gateway is None or not gateway.addresses:
            continue
        for port in _ports(snapshot, router):
            for address in port.addresses:
                if _routable(site, snapshot, address.subnet_id):
                    routes[address.cidr] = gateway.addresses[0].ip
    return routes


def guard_rules(snapshot: Snapshot, port: Port) -> tuple[Rule, ...] | None:
    """
    What may pass a port; none when it is not guarded at all.
    """
    if not port.secure:
        return None
    rules = [
        _rule(row, remotes)
        for group in port.groups
        for row in snapshot.rules.get(group, ())
        if (remotes := _remotes(snapshot, row)) != ()
    ]
    if port.device_owner == LOAD_BALANCER_OWNER:
        # Octavia makes these ports; HAProxy listens on nothing but the listeners' ports there.
        rules += [Rule(ingress, 4, None, None, None, None) for ingress in (True, False)]
    return tuple(sorted(set(rules), key=str))


def spoofing(snapshot: Snapshot, port_ids: set[str]) -> Spoofing:
    """
    Which senders to accept from the plugged ports.
    """
    plugged = [snapshot.ports[port_id] for port_id in sorted(port_ids) if port_id in snapshot.ports]
    secure = [port for port in plugged if port.secure]
    return Spoofing(
        macs={
            port.id: tuple(sorted({port.mac, *(mac for mac, _ in port.pairs)})) for port in secure
        },
        addresses={
            port.id: tuple(
                sorted(
                    item
                    for item in {a.ip for a in port.addresses} | {ip for _, ip in port.pairs}
                    if ":" not in item
                )
            )
            for port in secure
        },
        # Octavia makes its VIPs' ports administratively down: an amphora carries the address on a port of its own.
        closed=tuple(
            port.id for port in plugged if not port.up and port.device_owner != LOAD_BALANCER_OWNER
        ),
    )


def _space(site: Site, snapshot: Snapshot, router: Router) -> RouterSpace:
    legs = [_leg(port, f"int-{port.id[:8]}") for port in _ports(snapshot, router) if port.addresses]
    gateway = snapshot.ports.get(router.gateway_port_id or "")
    via = external = None
    if gateway and gateway.addresses:
        legs.append(_leg(gateway, EXTERNAL_DEVICE))
        via = snapshot.gateways.get(gateway.addresses[0].subnet_id)
        external = gateway.addresses[0].ip if router.snat else None
    return RouterSpace(
        netns=site.netns("rt", router.id),
        legs=tuple(legs),
        default_via=via,
        external_address=external,
        floating=tuple(
            (item.address, item.fixed) for item in snapshot.floating if item.router_id == router.id
        ),
        routes=router.routes,
    )


def _leg(port: Port, device: str) -> Leg:
    return Leg(
        port_id=port.id,
        network_id=port.network_id,
        mac=port.mac,
        device=device,
        addresses=tuple(address.prefixed for address in port.addresses if ":" not in address.ip),
        mtu=port.mtu,
    )


def _ports(snapshot: Snapshot, router: Router) -> list[Port]:
    return [snapshot.ports[port_id] for port_id in router.port_ids if port_id in snapshot.ports]


def _routable(site: Site, snapshot: Snapshot, subnet_id: str) -> bool:
    cidr = snapshot.pooled.get(subnet_id)
    if cidr is None:
        return False
    return ipaddress.IPv4Network(cidr).subnet_of(site.routable_pool)


def _remotes(snapshot: Snapshot, row: dict[str, object]) -> tuple[str, ...] | None:
    family = 6 if row["ethertype"] == "IPv6" else 4
    if row["remote_ip_prefix"]:
        prefix = str(row["remote_ip_prefix"])
        return None if prefix.endswith("/0") else (prefix,)
    if row["remote_address_group_id"]:
        found = set(snapshot.address_groups.get(str(row["remote_address_group_id"]), ()))
    elif row["remote_group_id"]:
        members = [
            port for port in snapshot.ports.values() if row["remote_group_id"] in port.groups
        ]
        found = {address.ip for port in members for address in port.addresses}
        found |= {ip for port in members for _, ip in port.pairs}
    else:
        return None
    return tuple(sorted(item for item in found if (":" in item) == (family == 6)))


def _rule(row: dict[str, object], remotes: tuple[str, ...] | None) -> Rule:
    def number(name: str) -> int | None:
        value = row[name]
        return None if value is None else int(str(value))

    return Rule(
        ingress=row["direction"] == "ingress",
        family=6 if row["ethertype"] == "IPv6" else 4,
        protocol=str(row["protocol"]) if row["protocol"] not in (None, "any", "0") else None,
        port_min=number("port_range_min"),
        port_max=number("port_range_max"),
        remotes=remotes,
    )
