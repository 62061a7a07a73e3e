"""
The inventory: everything of one platform from few list calls, made at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from fournines.cloud.openstack import balancing, marks, servers
from fournines.cloud.openstack.base import Context
from fournines.cloud.openstack.floating_ips import floating_ip
from fournines.cloud.openstack.instances import Instances
from fournines.cloud.openstack.known import RARELY
from fournines.cloud.openstack.networks import is_finished, network
from fournines.cloud.openstack.neutron import Neutron
from fournines.cloud.openstack.octavia import Octavia
from fournines.cloud.openstack.ports import port
from fournines.cloud.openstack.security import RULE_FIELDS, rule_said
from fournines.cloud.openstack.server_groups import ServerGroups
from fournines.cloud.openstack.volumes import volume
from fournines.model.inventory import (
    Inventory,
    LoadBalancer,
    Port,
    SecurityGroup,
    ServerGroup,
)
from fournines.model.ownership import Owner

Body = dict[str, Any]


class Listing(Octavia):
    """
    The part of the adapter that reads what is.
    """

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._neutron = Neutron(context)
        self._servers = Instances(context)
        self._groups = ServerGroups(context)

    def inventory(
        self, platform: str, service: str | None = None, *, closely: bool = False
    ) -> Inventory:
        """
        A dozen lists, plus the members of each pool of ours; closely: health monitors and security rules, too, and nothing from memory.
        """
        attempted = f"reading what there is of {service or platform}"
        scope = _Scope(platform, service, closely=closely)
        lists = dict(
            zip(
                (reads := self._reads(scope, attempted)),
                self.together(*reads.values()),
                strict=True,
            )
        )
        balancers = self._balancers(lists, scope, attempted)
        owners = [
            *(servers.owner(body) for body in lists["servers"]),
            *(marks.owner(body) for body in lists["security-groups"]),
        ]
        return Inventory(
            at=self.clock.now(),
            platform=platform,
            zones=lists["zones"],
            images=lists["images"],
            flavors=lists["flavors"],
            networks=self._networks(lists, scope),
            security_groups=tuple(_guards(lists, scope)),
            server_groups=tuple(_server_groups(lists["server_groups"], scope, owners)),
            volumes=tuple(
                volume(b, lists["zones"])
                for b in lists["volumes"]
                if scope.has(Owner.from_metadata(b["metadata"]))
            ),
            instances=self._instances(lists, scope),
            load_balancers=balancers,
            floating_ips=tuple(
                floating_ip(b)
                for b in lists["floatingips"]
                if scope.has(marks.owner(b))
            ),
            ports=_ports(lists, scope),
            strangers=tuple(_strangers(lists, scope)),
        )

    def serving(self, platform: str, service: str) -> Inventory:
        """
        The servers and each pool's members; ports, and what surrounds members in Octavia, from memory for a few seconds.
        """
        attempted = f"reading who serves {service}"
        scope = _Scope(platform, service, closely=False)
        reads = self._reads(scope, attempted)
        wanted = {
            what: self._lately(what, whose, reads[what])
            if (whose := _AROUND.get(what))
            else reads[what]
            for what in ("servers", "images", "flavors", *_AROUND)
        }
        lists = dict(zip(wanted, self.together(*wanted.values()), strict=True))
        return Inventory(
            at=self.clock.now(),
            platform=platform,
            instances=self._instances(lists, scope),
            load_balancers=self._balancers(lists, scope, attempted),
            ports=_ports(lists, scope),
        )

    def _reads(self, scope: _Scope, attempted: str) -> dict[str, Any]:
        """
        The list calls, by what they list. Cinder is left out where there is none.
        """

        def volumes() -> list[Body]:
            if not self.connection.offers("block_storage"):
                return []
            return self.connection.listing(
                "block_storage", "/volumes/detail", "volumes", attempted
            )

        close = {
            "healthmonitors": lambda: self.octavia_list("healthmonitors", attempted),
            "rules": lambda: self._neutron.listed(
                "security-group-rules",
                attempted,
                fields=RULE_FIELDS,
                direction="ingress",
            ),
        }
        reads: dict[str, Callable[[], Any]] = {
            **(close if scope.closely else {}),
            "servers": lambda: self._servers.servers_named(scope.pattern, attempted),
            "server_groups": lambda: self._groups.server_groups(attempted),
            "volumes": volumes,
            "images": lambda: self.images(attempted),
            "flavors": lambda: self.flavors(attempted),
            "zones": lambda: self.zones(attempted),
            "loadbalancers": lambda: self.octavia_list("loadbalancers", attempted),
            "listeners": lambda: self.octavia_list("listeners", attempted),
            "pools": lambda: self.octavia_list("pools", attempted),
            **{
                resource: partial(
                    self._neutron.listed, resource, attempted, fields=fields
                )
                for resource, fields in _FIELDS.items()
            },
        }
        if scope.closely:
            return reads
        return reads | {
            what: self._lately(what, service, reads[what])
            for what, service in _RARELY.items()
        }

    def _lately(
        self, what: str, service: str, read: Callable[[], Any]
    ) -> Callable[[], Any]:
        """
        A list that may be a few seconds old, unless we ourselves have changed anything of that service since.

        A healer looks every few seconds, and oftener while it treats: half of its requests would be for what only deploys change.
        """

        def listed() -> Any:
            changes = self.connection.changes_of(service)
            then, known = self.known.get(RARELY, what) or (None, None)
            if then == changes:
                return known
            found = read()
            self.known.put(RARELY, what, (changes, found))
            return found

        return listed

    def _instances(self, lists: dict[str, Any], scope: _Scope) -> tuple[Any, ...]:
        images = {one.id: one.name for one in lists["images"]}
        flavors = {one.id: one.name for one in lists["flavors"]}
        found = tuple(
            servers.instance(body, images, flavors)
            for body in lists["servers"]
            if scope.has(servers.owner(body)) and body["status"] != "DELETED"
        )
        for one in found:
            if one.address:
                self.known.put("address", one.name, one.address)
        return found

    def _networks(self, lists: dict[str, Any], scope: _Scope) -> tuple[Any, ...]:
        subnets = {body["name"]: body for body in lists["subnets"]}
        routers = {body["name"]: body for body in lists["routers"]}
        found = []
        for body in lists["networks"]:
            if scope.has(marks.owner(body)):
                name = body["name"]
                router = routers.get(name)
                done = router if router and is_finished(router) else None
                found.append(network(body, subnets.get(name), done))
                self.known.put("network", name, body["id"])
        return tuple(found)

    def _balancers(
        self, lists: dict[str, Any], scope: _Scope, attempted: str
    ) -> tuple[LoadBalancer, ...]:
        ours = [b for b in lists["loadbalancers"] if scope.has(marks.owner(b))]
        pools, listeners = (
            _by_balancer(lists["pools"]),
            _by_balancer(lists["listeners"]),
        )
        outside = {
            body["port_id"]: body["floating_ip_address"]
            for body in lists["floatingips"]
            if body.get("port_id")
        }
        numbers = [pool["id"] for body in ours for pool in pools[body["id"]]]
        read = self.together(
            *(
                (lambda number=number: self.members_of(number, attempted))
                for number in numbers
            )
        )
        members = dict(zip(numbers, read, strict=True))
        watches = {one["id"]: one for one in lists.get("healthmonitors", ())}
        found = []
        for body in ours:
            name = body["name"]
            self.remember(body)
            inside = []
            self.remember_pools(name, pools[body["id"]])
            for pool in pools[body["id"]]:
                self.remember_members(name, pool["name"], members[pool["id"]])
                looked_at = (
                    balancing.pool_traits(
                        pool, watches.get(pool.get("healthmonitor_id"))
                    )
                    if scope.closely
                    else None
                )
                inside.append(balancing.read_pool(pool, members[pool["id"]], looked_at))
            found.append(
                balancing.read_load_balancer(
                    body,
                    listeners[body["id"]],
                    inside,
                    outside.get(body.get("vip_port_id")),
                    closely=scope.closely,
                )
            )
        return tuple(found)


def _ports(lists: dict[str, Any], scope: _Scope) -> tuple[Port, ...]:
    return tuple(port(b) for b in lists["ports"] if scope.has(marks.owner(b)))


def _guards(lists: dict[str, Any], scope: _Scope) -> Iterable[SecurityGroup]:
    """
    Security groups, with what they let in when that was read.
    """
    rules: defaultdict[str, list[str]] = defaultdict(list)
    for rule in lists.get("rules", ()):
        rules[rule["security_group_id"]].append(rule_said(rule))
    for body in lists["security-groups"]:
        if scope.has(marks.owner(body)):
            yield SecurityGroup(
                id=body["id"],
                name=body["name"],
                owner=marks.owner(body),
                rules=tuple(sorted(rules[body["id"]])) if scope.closely else None,
            )


def _by_balancer(bodies: Iterable[Body]) -> defaultdict[str, list[Body]]:
    """
    Listeners or pools by their load balancer's id.
    """
    found: defaultdict[str, list[Body]] = defaultdict(list)
    for body in bodies:
        for balancer in body["loadbalancers"]:
            found[balancer["id"]].append(body)
    return found


_MARKED = ("id", "name", "tags", "description")
_FIELDS: dict[str, tuple[str, ...]] = {
    "networks": _MARKED,
    "subnets": (*_MARKED, "cidr", "network_id"),
    "routers": (*_MARKED, "external_gateway_info"),
    "security-groups": _MARKED,
    "ports": (*_MARKED, "fixed_ips", "device_id"),
    "floatingips": ("id", "tags", "description", "floating_ip_address", "port_id"),
}
"""What we read of each; a security group's rules would be most of the answer."""

_RARELY = {
    "networks": "network",
    "subnets": "network",
    "routers": "network",
    "security-groups": "network",
    "floatingips": "network",
    "server_groups": "compute",
    "listeners": "load_balancer",
}
"""What deploys change and healing does not, and whose it is."""

_AROUND = {
    "loadbalancers": "load_balancer",
    "pools": "load_balancer",
    "listeners": "load_balancer",
    "ports": "network",
    "floatingips": "network",
}
"""What is around who serves: it changes while services are built, and hardly while one member is watched."""


class _Scope:
    """
    Whose resources are asked for.
    """

    def __init__(self, platform: str, service: str | None, *, closely: bool) -> None:
        self.platform = platform
        self.service = service
        self.closely = closely
        self.prefix = f"{platform}-{service}-" if service else f"{platform}-"
        self.pattern = f"^{self.prefix}"

    def has(self, owner: Owner | None) -> bool:
        """
        Whether a resource is ours and asked for; what a platform's services share always is.
        """
        return (
            owner is not None
            and owner.platform == self.platform
            and (self.service is None or owner.service in {None, self.service})
        )


def _server_groups(
    bodies: Iterable[Body], scope: _Scope, owners: Iterable[Owner | None]
) -> Iterable[ServerGroup]:
    """
    Server groups carry no mark: those are ours that are named after a group of ours, or as one would be.
    """
    groups = {
        f"{o.platform}-{o.service}-{o.group}": (o.service, o.group)
        for o in owners
        if o and o.service and o.group
    }
    for body in bodies:
        name = body["name"]
        if not name.startswith(scope.prefix):
            continue
        rest = name.removeprefix(f"{scope.platform}-").rpartition("-")
        service, group = groups.get(name, (rest[0], rest[2]))
        if not service:
            continue
        owner = Owner(platform=scope.platform, service=service, group=group)
        if scope.has(owner):
            yield ServerGroup(
                id=body["id"],
                name=name,
                owner=owner,
                policy=next(iter(body["policies"]), ""),
            )


def _strangers(lists: dict[str, Any], scope: _Scope) -> Iterable[str]:
    """
    What bears one of our names without our mark.
    """
    kinds = (
        ("network", "networks", marks.owner),
        ("security-group", "security-groups", marks.owner),
        ("load-balancer", "loadbalancers", marks.owner),
        ("instance", "servers", servers.owner),
        ("volume", "volumes", lambda body: Owner.from_metadata(body["metadata"])),
        ("port", "ports", marks.owner),
        ("floating-ip", "floatingips", marks.owner),
    )
    for kind, key, owner_of in kinds:
        for body in lists[key]:
            name = body.get("name") or marks.described_name(body)
            if name.startswith(scope.prefix) and owner_of(body) is None:
                yield f"{kind} {name} ({body['id']})"
