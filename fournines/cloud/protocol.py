"""
The `Cloud` Protocol: all that Fournines asks of a cloud, in its own words.

Rules that both clouds keep, held by one contract suite (tests/contract/cloud):

- `ensure_*` looks before it makes: called twice it returns the same resource. It waits until the resource is usable and
  raises `ResourceFailed` with the fault text when it goes to ERROR (leaving nothing half-made behind: a failed instance
  of ours is deleted before the error is raised). A resource of that name without our mark raises `NameTaken`.
- `delete_*` succeeds when the resource is already gone, and waits until it is.
- Every call takes `deadline_seconds` and raises `DeadlinePassed` after it.
- Calls on one load balancer are serialised by the implementation; callers may run all they like in parallel threads.
- Only the errors of `fournines.cloud.errors` come out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from fournines.model.inventory import (
    FloatingIp,
    Image,
    Instance,
    Inventory,
    LoadBalancer,
    Network,
    Pool,
    Port,
    Quota,
    SecurityGroup,
    ServerGroup,
    Volume,
)
from fournines.model.objects import ObjectEndpoint, ObjectKey
from fournines.model.specification import (
    FloatingIpSpec,
    ImageSpec,
    InstanceSpec,
    LoadBalancerSpec,
    MemberSpec,
    NetworkSpec,
    PortSpec,
    SecurityGroupSpec,
    ServerGroupSpec,
    VolumeSpec,
)

KEYSTONE = "keystone"

SERVICES = (KEYSTONE, "nova", "neutron", "octavia", "glance", "cinder")
"""The cloud's own services, by the names that its operators call them."""


class Cloud(Protocol):
    """
    A cloud as Fournines sees it. Thread-safe.
    """

    # -- reading

    def inventory(
        self, platform: str, service: str | None = None, *, closely: bool = False
    ) -> Inventory:
        """
        What is ours, now, from few list calls: a whole platform, or one service of it (quicker, while healing). Closely: with what listeners, pools
        and security groups are set to; otherwise networks, groups, listeners and floating IPs that somebody else changed may be ten seconds old.
        """
        ...

    def serving(self, platform: str, service: str) -> Inventory:
        """
        Who serves: a service's instances and pool members as they are now, its ports, and the rest of its load balancers, which may be ten seconds
        old. For whoever looks every second: a third of what the whole inventory costs the cloud, and nothing else is in it.
        """
        ...

    def quota(self) -> Quota:
        """
        What the project may still make (limits less usage).
        """
        ...

    def pool(self, load_balancer: str, pool: str) -> Pool:
        """
        One pool with its members as they are now. Raises ResourceMissing.
        """
        ...

    def port_addresses(self, names: Sequence[str]) -> dict[str, str]:
        """
        The addresses of ports of ours. Raises ResourceMissing for one that is not there.
        """
        ...

    def entrances(self, load_balancer: str) -> tuple[str, ...]:
        """
        The addresses users may reach a load balancer by: its VIP first, then its floating IP if it has one. Raises ResourceMissing.
        """
        ...

    def console(self, instance: str, lines: int = 50) -> str:
        """
        The end of an instance's console log; empty when the cloud has none.
        """
        ...

    def images(self) -> tuple[Image, ...]:
        """
        The images of every status that may be seen, now, with our properties of each.
        """
        ...

    def images_in_use(self) -> frozenset[str]:
        """
        The ids of the images that the project's instances were made from, ours and strangers'.
        """
        ...

    def unanswered(self, services: Sequence[str]) -> tuple[str, ...]:
        """
        Those of the cloud's own services that give no answer now, not even a refusal. One that the cloud does not offer is not missed. Raises
        nothing.
        """
        ...

    # -- making

    def ensure_network(
        self, spec: NetworkSpec, *, deadline_seconds: float
    ) -> Network: ...

    def ensure_security_group(
        self, spec: SecurityGroupSpec, *, deadline_seconds: float
    ) -> SecurityGroup:
        """
        Also brings the rules of an existing group to what `spec` says.
        """
        ...

    def ensure_server_group(
        self, spec: ServerGroupSpec, *, deadline_seconds: float
    ) -> ServerGroup: ...

    def ensure_volume(self, spec: VolumeSpec, *, deadline_seconds: float) -> Volume: ...

    def ensure_port(self, spec: PortSpec, *, deadline_seconds: float) -> Port:
        """
        With an address of the network's subnet, which it keeps.
        """
        ...

    def ensure_instance(
        self, spec: InstanceSpec, *, deadline_seconds: float
    ) -> Instance:
        """
        Until ACTIVE with an address. Volumes named in the spec are taken from where they are attached, if they are; the port is not: whoever has it
        must have gone.
        """
        ...

    def ensure_load_balancer(
        self, spec: LoadBalancerSpec, *, deadline_seconds: float
    ) -> LoadBalancer:
        """
        With its listeners, pools and health monitors; also brings those of an existing one to what `spec` says.
        Members are left alone.
        """
        ...

    def failover_load_balancer(self, name: str, *, deadline_seconds: float) -> None:
        """
        The provider's own failover, until ACTIVE again; waits first for whatever change is under way, its own failover included.

        Raises:
            CloudRefused: The cloud has stopped failing it over, or the provider knows no failover.
        """
        ...

    def ensure_floating_ip(
        self, spec: FloatingIpSpec, *, deadline_seconds: float
    ) -> FloatingIp: ...

    # -- members

    def join_pool(
        self,
        load_balancer: str,
        pool: str,
        members: Sequence[MemberSpec],
        *,
        deadline_seconds: float,
    ) -> None:
        """
        Add these instances to the pool (or bring their weight and port up to date) in one change; others stay.
        """
        ...

    def leave_pool(
        self,
        load_balancer: str,
        pool: str,
        instances: Sequence[str],
        *,
        deadline_seconds: float,
    ) -> None:
        """
        Take these instances out of the pool in one change; those not in it are no error.
        """
        ...

    def set_weight(
        self,
        load_balancer: str,
        pool: str,
        instance: str,
        weight: int,
        *,
        deadline_seconds: float,
    ) -> None:
        """
        The reversible first move: weight 0 sends a member no new requests. Raises ResourceMissing.
        """
        ...

    # -- instances

    def restart_instance(self, instance: str, *, deadline_seconds: float) -> None:
        """
        Hard reboot, or start when it is SHUTOFF; until ACTIVE.
        """
        ...

    def withdraw_metadata(
        self, instance: str, key: str, *, deadline_seconds: float
    ) -> None:
        """
        Take one entry out of an instance's metadata, and out of what its guest is told; one that is not there is no error.

        Raises:
            ResourceMissing: There is no such instance.
        """
        ...

    def delete_instance(self, instance: str, *, deadline_seconds: float) -> None: ...

    def stop_instance(self, instance: str, *, deadline_seconds: float) -> None:
        """
        Shut down, politely; until SHUTOFF. Raises ResourceMissing.
        """
        ...

    # -- images made of instances (marked by a property, see fournines/model/ownership.py)

    def ensure_image(self, spec: ImageSpec, *, deadline_seconds: float) -> Image:
        """
        Until it is active. One of that name that is ours is taken as it is, unless it is of no use.
        """
        ...

    def describe_image(
        self, image: str, properties: Mapping[str, str], *, deadline_seconds: float
    ) -> Image:
        """
        Set these properties of an image of ours; others stay. Raises ResourceMissing.
        """
        ...

    def delete_image(self, image: str, *, deadline_seconds: float) -> None:
        """
        By name, as the rest. Raises CloudRefused where the cloud keeps it because something depends on it.
        """
        ...

    # -- the object store, as far as it is the cloud's (its content: fournines/objects)

    def object_endpoint(self) -> ObjectEndpoint:
        """
        Where objects are kept. Raises FeatureMissing when the cloud has no such place.
        """
        ...

    def ensure_object_key(self, key: ObjectKey, *, deadline_seconds: float) -> None:
        """
        Have the object store know this key as ours; whoever asks chose it.
        """
        ...

    def delete_object_key(self, access: str, *, deadline_seconds: float) -> None:
        """
        Have it know that key no more.
        """
        ...

    # -- deleting the rest (by name; only what carries our mark: others raise NameTaken)

    def delete_volume(self, volume: str, *, deadline_seconds: float) -> None: ...

    def delete_load_balancer(self, name: str, *, deadline_seconds: float) -> None:
        """
        With everything in it.
        """
        ...

    def delete_port(self, name: str, *, deadline_seconds: float) -> None: ...

    def delete_floating_ip(self, name: str, *, deadline_seconds: float) -> None: ...

    def delete_security_group(self, name: str, *, deadline_seconds: float) -> None: ...

    def delete_server_group(self, name: str, *, deadline_seconds: float) -> None: ...

    def delete_network(self, name: str, *, deadline_seconds: float) -> None:
        """
        With its subnet and router.
        """
        ...
