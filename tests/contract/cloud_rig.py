"""
A cloud under contract: the simulated one, or the embedded OpenStack, with what a test needs besides the Protocol.
"""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from pydantic import JsonValue

from fournines.cloud.errors import CloudError
from fournines.cloud.openstack import OpenStackCloud, open_cloud
from fournines.cloud.protocol import Cloud
from fournines.cloud.simulated import Scenario, SimulatedCloud, Speeds
from fournines.cloud.virtual_clock import VirtualClock
from fournines.model.inventory import Inventory
from fournines.model.ownership import Owner
from fournines.model.specification import (
    FloatingIpSpec,
    InstanceSpec,
    ListenerSpec,
    LoadBalancerSpec,
    NetworkSpec,
    PoolSpec,
    PortSpec,
    SecurityGroupSpec,
    SecurityRule,
    ServerGroupSpec,
)

SECONDS = 120
"""Every call's deadline here: generous, because machines that run tests are busy."""

USER_DATA = """#cloud-config
locale: false
ssh_genkeytypes: []
ssh_deletekeys: false
runcmd:
  - [sh, -c, "mkdir -p /srv && cd /srv && echo ok > healthz && (python3 -m http.server 8080 >/dev/null 2>&1 &)"]
"""


@dataclass
class Rig:
    """
    A cloud and a platform name that nobody else uses there.

    Attributes:
        rest: Lets so many seconds pass in the cloud's time.
        plant: Puts a resource there that is not ours: (kind, name) -> how to remove it.
        tamper: Sets a listener, a pool or its check otherwise, as somebody does by hand: (its name, what of our traits, to what).
        reserve: Names of resources to delete at the end, with the call that does it.
    """

    cloud: Cloud
    platform: str
    rest: Callable[[float], None]
    plant: Callable[[str, str], Callable[[], None]]
    tamper: Callable[[str, str, JsonValue], None]
    image: str = "debian-12"
    flavor: str = "m1.tiny"
    zone: str = "az1"
    reserve: list[Callable[[], None]] = field(default_factory=list)

    @property
    def group(self) -> str:
        """
        The name of the group's security group, server group and pool.
        """
        return f"{self.platform}-shop-web"

    @property
    def balancer(self) -> str:
        """
        The load balancer's name.
        """
        return f"{self.platform}-shop-lb"

    @property
    def network_name(self) -> str:
        """
        The network's name.
        """
        return f"{self.platform}-network"

    def owner(self, **place: int | str) -> Owner:
        """
        A place in our service.
        """
        return Owner.model_validate(
            {"platform": self.platform, "service": "shop", **place}
        )

    def network(self) -> NetworkSpec:
        """
        The platform's network.
        """
        return NetworkSpec(name=self.network_name, owner=Owner(platform=self.platform))

    def security_group(self, *ports: int) -> SecurityGroupSpec:
        """
        A security group with these ports open.
        """
        return SecurityGroupSpec(
            name=self.group,
            owner=self.owner(group="web"),
            rules=tuple(SecurityRule(port_min=port) for port in ports),
        )

    def server_group(self) -> ServerGroupSpec:
        """
        The group's server group.
        """
        return ServerGroupSpec(name=self.group, owner=self.owner(group="web"))

    def instance(
        self, slot: int, generation: int = 1, **changes: object
    ) -> InstanceSpec:
        """
        An instance that serves on port 8080.
        """
        spec = InstanceSpec(
            name=self.name(slot, generation),
            owner=self.owner(group="web", slot=slot, generation=generation),
            image=self.image,
            flavor=self.flavor,
            network=self.network_name,
            security_groups=(self.group,),
            server_group=self.group,
            zone=self.zone,
            user_data=USER_DATA,
        )
        return spec.model_copy(update=changes)

    def port(self, slot: int) -> PortSpec:
        """
        A slot's port.
        """
        return PortSpec(
            name=f"{self.group}-{slot}",
            owner=self.owner(group="web", slot=slot),
            network=self.network_name,
            security_groups=(self.group,),
        )

    def name(self, slot: int, generation: int = 1) -> str:
        """
        An instance's name.
        """
        return f"{self.group}-{slot}-g{generation}"

    def load_balancer(
        self, pool: PoolSpec | None = None, **listener: int
    ) -> LoadBalancerSpec:
        """
        An HTTP load balancer with a metrics listener.
        """
        http = ListenerSpec(
            name=f"{self.platform}-shop-http",
            protocol="HTTP",
            port=80,
            pool=self.group,
        )
        return LoadBalancerSpec(
            name=self.balancer,
            owner=self.owner(),
            network=self.network_name,
            listeners=(
                http.model_copy(update=listener),
                ListenerSpec(
                    name=f"{self.platform}-shop-metrics",
                    protocol="PROMETHEUS",
                    port=9109,
                ),
            ),
            pools=(pool or PoolSpec(name=self.group),),
        )

    def floating_ip(self) -> FloatingIpSpec:
        """
        The load balancer's address for the outside.
        """
        return FloatingIpSpec(
            name=f"{self.platform}-shop-ip",
            owner=self.owner(),
            load_balancer=self.balancer,
        )

    def base(self) -> None:
        """
        Network, security group and server group.
        """
        self.cloud.ensure_network(self.network(), deadline_seconds=SECONDS)
        self.cloud.ensure_security_group(
            self.security_group(8080), deadline_seconds=SECONDS
        )
        self.cloud.ensure_server_group(self.server_group(), deadline_seconds=SECONDS)

    def until(self, true: Callable[[], bool], seconds: float = 60) -> bool:
        """
        Whether it becomes true within so many seconds of the cloud's time.
        """
        for _ in range(int(seconds * 2)):
            if true():
                return True
            self.rest(0.5)
        return true()

    def clear(self) -> Inventory:
        """
        Delete everything of the platform; what is left.
        """
        cloud, found = self.cloud, self.cloud.inventory(self.platform)
        for one in found.instances:
            cloud.delete_instance(one.name, deadline_seconds=SECONDS)
        for ip in found.floating_ips:
            cloud.delete_floating_ip(ip.name, deadline_seconds=SECONDS)
        for balancer in found.load_balancers:
            cloud.delete_load_balancer(balancer.name, deadline_seconds=SECONDS)
        for port in found.ports:
            cloud.delete_port(port.name, deadline_seconds=SECONDS)
        for volume in found.volumes:
            cloud.delete_volume(volume.name, deadline_seconds=SECONDS)
        for group in found.security_groups:
            cloud.delete_security_group(group.name, deadline_seconds=SECONDS)
        for servers in found.server_groups:
            cloud.delete_server_group(servers.name, deadline_seconds=SECONDS)
        for network in found.networks:
            cloud.delete_network(network.name, deadline_seconds=SECONDS)
        for remove in self.reserve:
            with contextlib.suppress(CloudError):
                remove()
        return cloud.inventory(self.platform)


def simulated() -> Rig:
    """
    The simulated cloud, in virtual time.
    """
    clock = VirtualClock()
    cloud = SimulatedCloud(Scenario(speeds=Speeds(jitter_ratio=0.1)), clock)

    def plant(kind: str, name: str) -> Callable[[], None]:
        cloud.plant(kind, name)
        return lambda: None

    def tamper(name: str, trait: str, value: JsonValue) -> None:
        cloud.tamper(name, **{trait: value})

    return Rig(cloud, "contract", clock.sleep, plant, tamper)


def openstack() -> Rig:
    """
    The OpenStack of the settings. Raises CloudError when there is none.
    """
    cloud = open_cloud()
    zones = cloud.inventory("nobody").zones
    platform = f"c{uuid.uuid4().hex[:7]}"
    rig = Rig(
        cloud,
        platform,
        time.sleep,
        lambda kind, name: _plant(cloud, kind, name),
        lambda name, trait, value: _tamper(cloud, name, trait, value),
    )
    rig.zone = zones[0]
    return rig


_COLLECTIONS = {"security-group": "security-groups", "network": "networks"}


def _plant(cloud: OpenStackCloud, kind: str, name: str) -> Callable[[], None]:
    """
    Make a resource as somebody else would.
    """
    collection = _COLLECTIONS[kind]
    key = kind.replace("-", "_")
    connection = cloud.context.connection
    made = connection.send(
        "POST", "network", f"/{collection}", "planting", body={key: {"name": name}}
    )
    number = made[key]["id"]
    return lambda: connection.send(
        "DELETE", "network", f"/{collection}/{number}", "uprooting"
    )


_OCTAVIA_WORDS = {
    "connection_limit": ("listeners", "connection_limit"),
    "timeout_member_data_ms": ("listeners", "timeout_member_data"),
    "pool": ("listeners", "default_pool_id"),
    "algorithm": ("pools", "lb_algorithm"),
    "check_delay_seconds": ("healthmonitors", "delay"),
    "check_admin_up": ("healthmonitors", "admin_state_up"),
    "check": ("healthmonitors", None),
}


def _tamper(cloud: OpenStackCloud, name: str, trait: str, value: JsonValue) -> None:
    """
    Change one setting behind our adapter's back; None as a check deletes it.
    """
    connection = cloud.context.connection
    collection, word = _OCTAVIA_WORDS[trait]
    path = f"/lbaas/{collection}"
    (found,) = connection.listing(
        "load_balancer", path, collection, "tampering", params={"name": name}
    )
    one = f"{path}/{found['id']}"
    if word is None:
        connection.send("DELETE", "load_balancer", one, "tampering")
    else:
        body = {collection.removesuffix("s"): {word: value}}
        connection.send("PUT", "load_balancer", one, "tampering", body=body)
    for _ in range(300):
        balancers = connection.listing(
            "load_balancer", "/lbaas/loadbalancers", "loadbalancers", "waiting"
        )
        pending = [b for b in balancers if b["provisioning_status"] != "ACTIVE"]
        if not any(name.startswith(b["name"].rpartition("-")[0]) for b in pending):
            return
        time.sleep(0.2)
