"""
What Neutron's database says about the data path, read at one moment.

Read straight from its tables, in one transaction of a dozen short queries, because the reconciler looks at every change:
through Neutron's object layer the same would cost a hundred times as much.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pymysql
from pymysql.cursors import DictCursor

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Address:
    """
    One fixed address of a port, with what its subnet says.
    """

    ip: str
    cidr: str
    subnet_id: str

    @property
    def prefixed(self) -> str:
        """The address with its subnet's prefix length."""
        return f"{self.ip}/{self.cidr.partition('/')[2]}"


@dataclass(frozen=True, slots=True)
class Port:
    """
    One Neutron port.

    Args:
        pairs: Allowed address pairs, (MAC, address or prefix).
    """

    id: str
    network_id: str
    mac: str
    up: bool
    secure: bool
    device_owner: str
    mtu: int
    addresses: tuple[Address, ...]
    groups: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Router:
    """
    One router.

    Args:
        gateway_port_id: Its port on the external network.
        port_ids: Its other ports.
        routes: Extra routes, (destination, next hop).
    """

    id: str
    up: bool
    snat: bool
    gateway_port_id: str | None
    port_ids: tuple[str, ...]
    routes: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class FloatingIp:
    """
    One associated floating IP.
    """

    address: str
    fixed: str
    router_id: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """
    Everything the data path follows from.

    Args:
        rules: Security group id -> its rules, as rows.
        gateways: Subnet id -> gateway address.
        pooled: Subnets that came from a subnet pool, whose addresses are therefore unique.
        address_groups: Address group id -> addresses.
        external: Ids of external networks.
        networks: Ids of all networks.
    """

    networks: frozenset[str]
    ports: dict[str, Port]
    routers: tuple[Router, ...]
    floating: tuple[FloatingIp, ...]
    rules: dict[str, tuple[Row, ...]]
    gateways: dict[str, str]
    pooled: dict[str, str]
    address_groups: dict[str, tuple[str, ...]]
    external: tuple[str, ...]


_QUERIES = {
    "ports": "SELECT p.id, p.network_id, p.mac_address, p.admin_state_up, p.device_owner, n.mtu,"
    " COALESCE(s.port_security_enabled, 1) AS secure FROM ports p"
    " JOIN networks n ON n.id = p.network_id LEFT JOIN portsecuritybindings s ON s.port_id = p.id",
    "addresses": "SELECT a.port_id, a.ip_address, s.cidr, s.id AS subnet_id FROM ipallocations a"
    " JOIN subnets s ON s.id = a.subnet_id WHERE a.port_id IS NOT NULL",
    "bindings": "SELECT port_id, security_group_id FROM securitygroupportbindings",
    "pairs": "SELECT port_id, mac_address, ip_address FROM allowedaddresspairs",
    "rules": "SELECT security_group_id, remote_group_id, direction, ethertype, protocol,"
    " port_range_min, port_range_max, remote_ip_prefix, remote_address_group_id"
    " FROM securitygrouprules",
    "address_groups": "SELECT address_group_id, address FROM address_associations",
    "subnets": "SELECT id, cidr, gateway_ip, subnetpool_id FROM subnets WHERE ip_version = 4",
    "routers": "SELECT id, admin_state_up, enable_snat, gw_port_id FROM routers",
    "router_ports": "SELECT router_id, port_id FROM routerports",
    "routes": "SELECT router_id, destination, nexthop FROM routerroutes",
    "floating": "SELECT floating_ip_address, fixed_ip_address, router_id FROM floatingips"
    " WHERE fixed_ip_address IS NOT NULL AND router_id IS NOT NULL",
    "networks": "SELECT id FROM networks",
    "external": "SELECT network_id FROM externalnetworks",
}


def read(connection: pymysql.Connection[DictCursor]) -> Snapshot:
    """
    Read the database; all answers are of the same moment.
    """
    rows: dict[str, list[Row]] = {}
    connection.begin()
    with connection.cursor() as cursor:
        for name, query in _QUERIES.items():
            cursor.execute(query)
            rows[name] = list(cursor.fetchall())
    connection.rollback()
    return assembled(rows)


def assembled(rows: dict[str, list[Row]]) -> Snapshot:
    """
    The rows of all queries as one value. Pure.
    """
    subnets = rows["subnets"]
    routes = _grouped(rows["routes"], "router_id")
    router_ports = _grouped(rows["router_ports"], "router_id")
    return Snapshot(
        networks=frozenset(row["id"] for row in rows["networks"]),
        ports=_ports(rows),
        routers=tuple(
            Router(
                id=row["id"],
                up=bool(row["admin_state_up"]),
                snat=bool(row["enable_snat"]),
                gateway_port_id=row["gw_port_id"],
                port_ids=tuple(
                    sorted(
                        item["port_id"]
                        for item in router_ports[row["id"]]
                        if item["port_id"] != row["gw_port_id"]
                    )
                ),
                routes=tuple(
                    sorted((item["destination"], item["nexthop"]) for item in routes[row["id"]])
                ),
            )
            for row in sorted(rows["routers"], key=lambda row: str(row["id"]))
        ),
        floating=tuple(
            FloatingIp(row["floating_ip_address"], row["fixed_ip_address"], row["router_id"])
            for row in sorted(rows["floating"], key=lambda row: str(row["floating_ip_address"]))
        ),
        rules={
            group: tuple(items)
            for group, items in _grouped(rows["rules"], "security_group_id").items()
        },
        gateways={row["id"]: row["gateway_ip"] for row in subnets if row["gateway_ip"]},
        pooled={row["id"]: row["cidr"] for row in subnets if row["subnetpool_id"]},
        address_groups={
            group: tuple(item["address"] for item in items)
            for group, items in _grouped(rows["address_groups"], "address_group_id").items()
        },
        external=tuple(sorted(row["network_id"] for row in rows["external"])),
    )


def _ports(rows: dict[str, list[Row]]) -> dict[str, Port]:
    addresses = _grouped(rows["addresses"], "port_id")
    bindings = _grouped(rows["bindings"], "port_id")
    pairs = _grouped(rows["pairs"], "port_id")
    return {
        row["id"]: Port(
            id=row["id"],
            network_id=row["network_id"],
            mac=row["mac_address"],
            up=bool(row["admin_state_up"]),
            secure=bool(row["secure"]),
            device_owner=row["device_owner"],
            mtu=row["mtu"],
            addresses=tuple(
                Address(item["ip_address"], item["cidr"], item["subnet_id"])
                for item in sorted(addresses[row["id"]], key=lambda item: str(item["ip_address"]))
            ),
            groups=tuple(sorted(item["security_group_id"] for item in bindings[row["id"]])),
            pairs=tuple(
                sorted((item["mac_address"], item["ip_address"]) for item in pairs[row["id"]])
            ),
        )
        for row in rows["ports"]
    }


def _grouped(rows: Iterable[Row], key: str) -> defaultdict[str, list[Row]]:
    groups: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row[key]].append(row)
    return groups
