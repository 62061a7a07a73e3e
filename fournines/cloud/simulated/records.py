"""
What the simulated cloud remembers of each resource: mutable records, touched only under the cloud's lock.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from fournines.model import traits
from fournines.model.ownership import Owner
from fournines.model.specification import (
    HealthMonitorSpec,
    InstanceSpec,
    ListenerSpec,
    PoolSpec,
    SecurityRule,
)
from fournines.model.traits import Traits


class Behaviour(StrEnum):
    """
    What an instance does when asked. The names are those of `fournines break`.

    Cut: it runs and no packet passes. Full disk: its health page answers, what users want cannot be written. Memory: its service was killed, and
    its kernel says so to whoever connects.
    """

    SERVING = "serving"
    KILL = "kill"
    HANG = "hang"
    ERRORS = "errors"
    GREY_ERRORS = "grey-errors"
    GREY_SLOW = "grey-slow"
    CUT = "cut"
    FULL_DISK = "full-disk"
    MEMORY = "memory"


@dataclass(slots=True, kw_only=True)
class Told:
    """
    What is read of again and again. `told` is the value it was read as last, with the content that it was made from.
    """

    told: tuple[Hashable, Any] | None = field(default=None, repr=False, compare=False)


@dataclass(slots=True)
class Marked(Told):
    """
    What every record has; `owner` None is a stranger's.
    """

    id: str
    name: str
    owner: Owner | None


@dataclass(slots=True)
class NetworkRecord(Marked):
    """
    A network, its subnet and its router.
    """

    cidr: str
    addresses: Iterator[IPv4Address]
    free: list[str] = field(default_factory=list)

    @classmethod
    def on(
        cls, cidr: str, number: str, name: str, owner: Owner | None
    ) -> NetworkRecord:
        """
        A network on a subnet; the first address is the router's.
        """
        hosts = IPv4Network(cidr).hosts()
        next(hosts)
        return cls(number, name, owner, cidr, hosts)

    def take(self) -> str | None:
        """
        A free address, or None when the subnet is used up.
        """
        if self.free:
            return self.free.pop()
        address = next(self.addresses, None)
        return str(address) if address else None


@dataclass(slots=True)
class SecurityGroupRecord(Marked):
    """
    A security group; `tampered` is what somebody has it let in instead.
    """

    rules: tuple[SecurityRule, ...] = ()
    tampered: tuple[str, ...] | None = None

    def let_in(self) -> tuple[str, ...]:
        """
        What it lets in, for people.
        """
        if self.tampered is not None:
            return self.tampered
        return tuple(sorted(traits.of_rule(rule) for rule in self.rules))


@dataclass(slots=True)
class ServerGroupRecord(Marked):
    """
    A server group.
    """

    policy: str = ""


@dataclass(slots=True)
class VolumeRecord(Marked):
    """
    A volume.
    """

    size_gb: int = 1
    zone: str | None = None
    status: str = "creating"
    attached_to: str | None = None
    stuck_until: datetime | None = None


@dataclass(slots=True)
class PortRecord(Marked):
    """
    A port; `attached_to` is an instance's id.
    """

    network: str = ""
    address: str = ""
    attached_to: str | None = None


@dataclass(slots=True)
class InstanceRecord(Marked):
    """
    A server.

    Attributes:
        serves_at: From this moment its application answers; None while it is not up.
        sticky: A restart does not mend its behaviour.
        epoch: Grows with every change of state, so that outdated agenda entries know it.
    """

    spec: InstanceSpec
    created_at: datetime
    zone: str | None = None
    host: str | None = None
    address: str | None = None
    status: str = "BUILD"
    fault: str | None = None
    locked: bool = False
    serves_at: datetime | None = None
    behaviour: Behaviour = Behaviour.SERVING
    sticky: bool = False
    epoch: int = 0
    console: list[str] = field(default_factory=list)


@dataclass(slots=True)
class MemberRecord(Told):
    """
    An instance in a pool. `epoch` as for instances; `up` is the health monitor's last word, None before its first.
    """

    id: str
    instance: str
    address: str
    port: int
    weight: int
    backup: bool
    monitor_port: int | None = None
    up: bool | None = None
    epoch: int = 0


@dataclass(slots=True)
class PoolRecord(Told):
    """
    A pool.
    """

    id: str
    spec: PoolSpec
    members: dict[str, MemberRecord] = field(default_factory=dict)

    @property
    def monitor(self) -> HealthMonitorSpec:
        """
        Its health monitor.
        """
        return self.spec.health


@dataclass(slots=True)
class LoadBalancerRecord(Marked):
    """
    A load balancer with listeners (by name) and pools (by name); `tampered` is what somebody set of those otherwise.
    """

    network: str
    vip_address: str
    status: str = "PENDING_CREATE"
    dead: bool = False
    failover_stopped: bool = False
    listeners: dict[str, tuple[str, ListenerSpec]] = field(default_factory=dict)
    pools: dict[str, PoolRecord] = field(default_factory=dict)
    tampered: dict[str, Traits] = field(default_factory=dict)


@dataclass(slots=True)
class FloatingIpRecord(Marked):
    """
    A floating IP.
    """

    address: str
    load_balancer: str | None = None


@dataclass(slots=True)
class HostRecord:
    """
    A hypervisor.
    """

    name: str
    zone: str
    up: bool = True
    instances: set[str] = field(default_factory=set)


@dataclass(slots=True)
class ImageRecord(Told):
    """
    An image. Its mark is a property, as on a real cloud.
    """

    id: str
    name: str
    properties: dict[str, str] = field(default_factory=dict)
    status: str = "active"
    min_disk_gb: int = 0
    min_ram_mb: int = 0
