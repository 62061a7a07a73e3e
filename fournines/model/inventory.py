"""
What is: a dated snapshot of the cloud's resources that carry our mark.

Statuses keep OpenStack's own words in upper case, because people compare them with `openstack server list`.
"""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from fournines.model.ownership import Owner
from fournines.model.traits import Traits
from fournines.model.value import Value

DEAD_STATUSES = frozenset(
    {
        "CRASHED",
        "DELETED",
        "ERROR",
        "PAUSED",
        "RESCUE",
        "SHELVED",
        "SHELVED_OFFLOADED",
        "SHUTOFF",
        "SOFT_DELETED",
        "STOPPED",
        "SUSPENDED",
    }
)
"""Nova's words for an instance that cannot serve and will not by waiting."""


class Resource(Value):
    """
    What every cloud resource has. `owner` is None for what is not ours but was met under one of our names.
    """

    id: str
    name: str
    owner: Owner | None = None


class Network(Resource):
    """
    A network with its subnet and router.
    """

    subnet_id: str | None = None
    cidr: str | None = None
    router_id: str | None = None


class SecurityGroup(Resource):
    """
    A security group. `rules` is what it lets in (fournines.model.traits.rule_text); None: not looked at.
    """

    rules: tuple[str, ...] | None = None


class ServerGroup(Resource):
    """
    A server group. Nova gives it no tags: owned when its name says so and the registry agrees.
    """

    policy: str = ""


class Volume(Resource):
    """
    A volume; `attached_to` is an instance's id.
    """

    status: str
    size_gb: int
    zone: str | None = None
    attached_to: str | None = None


class Port(Resource):
    """
    A slot's place in the network; `attached_to` is an instance's id.
    """

    address: str | None = None
    attached_to: str | None = None


class Instance(Resource):
    """
    A server.

    Attributes:
        status: Nova's: ACTIVE, BUILD, SHUTOFF, ERROR, REBOOT, ...
        host: Opaque host id (hostId): equal values mean the same host.
        host_status: Nova's word for the host (UP, DOWN, MAINTENANCE, UNKNOWN) where our role may see it.
        fault: Nova's fault text when the status is ERROR.
        locked: Someone locked it: hands off.
        holds_key: Its metadata still holds the key of its sealed files.
    """

    status: str
    zone: str | None = None
    host: str | None = None
    host_status: str | None = None
    address: str | None = None
    image: str | None = None
    flavor: str | None = None
    created_at: datetime | None = None
    fault: str | None = None
    locked: bool = False
    holds_key: bool = False


class Member(Value):
    """
    An instance in a pool. `name` is the instance's name.

    Attributes:
        operating_status: Octavia's: ONLINE, ERROR, DRAINING, NO_MONITOR, OFFLINE; and STANDBY, our word for one that answers in another role.
    """

    id: str
    name: str
    address: str
    port: int
    weight: int
    operating_status: str
    provisioning_status: str = "ACTIVE"
    admin_up: bool = True


class Pool(Value):
    """
    A pool with its members.

    Attributes:
        role: Its check is answered only by members in this role.
        traits: What it and its health check are set to; empty: not looked at.
    """

    id: str
    name: str
    members: tuple[Member, ...] = ()
    role: str | None = None
    traits: Traits = Field(default_factory=dict)

    def member(self, name: str) -> Member | None:
        """
        The member of an instance's name, or None.
        """
        for member in self.members:
            if member.name == name:
                return member
        return None


class Listener(Value):
    """
    A listener. `pool_id` is None for PROMETHEUS listeners; `traits` is what it is set to, empty: not looked at.
    """

    id: str
    name: str
    protocol: str
    port: int
    pool_id: str | None = None
    traits: Traits = Field(default_factory=dict)


class LoadBalancer(Resource):
    """
    A load balancer with listeners, pools and members.

    Attributes:
        provisioning_status: ACTIVE, ERROR, PENDING_CREATE, PENDING_UPDATE, PENDING_DELETE.
        failover_stopped: The cloud has given up failing it over by itself, where our role may see it.
        floating_address: The address for the outside, when it has one.
        unmeasured: Its provider refused the PROMETHEUS listener: that it lacks one is nobody's doing.
    """

    provisioning_status: str
    operating_status: str
    failover_stopped: bool = False
    unmeasured: bool = False
    vip_address: str | None = None
    vip_port_id: str | None = None
    floating_address: str | None = None
    listeners: tuple[Listener, ...] = ()
    pools: tuple[Pool, ...] = ()

    def pool(self, name: str) -> Pool | None:
        """
        The pool of that name, or None.
        """
        for pool in self.pools:
            if pool.name == name:
                return pool
        return None


class FloatingIp(Resource):
    """
    A floating IP; `port_id` is None when it leads nowhere. Its `name` is kept in Neutron's description.
    """

    address: str
    port_id: str | None = None


class Image(Value):
    """
    An image.

    Attributes:
        properties: Ours alone (they begin with `fournines_`): where it comes from and what it is now.
    """

    id: str
    name: str
    status: str = "active"
    min_disk_gb: int = 0
    min_ram_mb: int = 0
    size_bytes: int = 0
    properties: dict[str, str] = Field(default_factory=dict)


class Flavor(Value):
    """
    A size of instance.
    """

    id: str
    name: str
    vcpus: int
    ram_mb: int
    disk_gb: int


class Inventory(Value):
    """
    Everything of one platform (or of one service of it) at one moment.

    Attributes:
        at: When the reading ended; decisions take it as their present.
        zones: Availability zones that take new instances.
        strangers: Resources that bear one of our names without our mark, as "kind name (id)".
    """

    at: datetime
    platform: str
    zones: tuple[str, ...] = ()
    images: tuple[Image, ...] = ()
    flavors: tuple[Flavor, ...] = ()
    networks: tuple[Network, ...] = ()
    security_groups: tuple[SecurityGroup, ...] = ()
    server_groups: tuple[ServerGroup, ...] = ()
    volumes: tuple[Volume, ...] = ()
    instances: tuple[Instance, ...] = ()
    load_balancers: tuple[LoadBalancer, ...] = ()
    floating_ips: tuple[FloatingIp, ...] = ()
    ports: tuple[Port, ...] = ()
    strangers: tuple[str, ...] = ()

    def instance(self, name: str) -> Instance | None:
        """
        The instance of that name, or None.
        """
        for instance in self.instances:
            if instance.name == name:
                return instance
        return None

    def load_balancer(self, name: str) -> LoadBalancer | None:
        """
        The load balancer of that name, or None.
        """
        for balancer in self.load_balancers:
            if balancer.name == name:
                return balancer
        return None

    def of_group(self, service: str, group: str) -> tuple[Instance, ...]:
        """
        The instances of one group, every slot and generation, by slot then generation.
        """
        found = [
            i
            for i in self.instances
            if (owner := i.owner) and owner.service == service and owner.group == group
        ]
        if len(found) > 1:
            found.sort(key=_place)
        return tuple(found)


def _place(instance: Instance) -> tuple[int, int]:
    owner = instance.owner
    assert owner is not None
    return (owner.slot or 0, owner.generation or 0)


class Quota(Value):
    """
    What the project may still make; -1 is unlimited.
    """

    instances: int
    cores: int
    ram_mb: int
    volumes: int
    volume_gb: int
    floating_ips: int
    networks: int
    routers: int
    security_groups: int
    load_balancers: int
    server_groups: int = -1
