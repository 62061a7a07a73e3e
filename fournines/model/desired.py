"""
What should be: a platform and its services, compiled from blueprints and parameters.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

from pydantic import Field, JsonValue

from fournines.model import names
from fournines.model.maintenance import MaintenanceWindow
from fournines.model.objective import Objective
from fournines.model.ownership import Owner
from fournines.model.probing import Scheme
from fournines.model.specification import (
    FloatingIpSpec,
    InstanceSpec,
    LoadBalancerSpec,
    NetworkSpec,
    PortSpec,
    SecurityGroupSpec,
    ServerGroupSpec,
    VolumeSpec,
)
from fournines.model.value import Value


class Membership(Value):
    """
    The pool a group's instances serve in.

    Attributes:
        monitor_port: Where the load balancer asks for a member's health; None: where it serves.
        role: The pool's check is answered only by members in this role (primary, replica), so that members which are down there may be well.
    """

    load_balancer: str
    pool: str
    port: int
    monitor_port: int | None = None
    role: str | None = None


class Probe(Value):
    """
    How we ask an instance ourselves whether it serves.

    Attributes:
        path: A page that goes through what users use (not the health check's path), so that grey faults show.
        metrics_path: Where Prometheus scrapes the instance; None when it exports nothing.
        scheme: How the port speaks.
        exporter_ports: Further `/metrics` over plain HTTP, of exporters beside the engine; scraped at leisure.
    """

    port: int
    path: str = "/"
    health_path: str = "/healthz"
    metrics_path: str | None = None
    timeout_ms: int = 800
    scheme: Scheme = "http"
    exporter_ports: tuple[int, ...] = ()


class HealingLimits(Value):
    """
    How far healing may go on its own in one group.

    Attributes:
        min_healthy: Never fewer serving members than this by our own action.
        attempts_max: Replacements of one slot within `cooldown_seconds` before a person is called.
        storm_unhealthy_min: From so many unhealthy members, and
        storm_unhealthy_ratio_min: from this share of the group, members are not the cause: stop.
        flaps_max: False alarms of one slot in quick succession until alarms move nothing until it is calm; a flap counts half after
            `flap_half_life_seconds`.
        count_max: So many instances the healer may scale the group to when load, not a fault, hurts users; None: it never scales.
        approval_share: A plan that touches more of the group at once needs a person's word,
        approval_seconds: given within this time, and
        approval_default: is what silence means then.
        soak_seconds: How long fresh measurements must stay good before a case closes.
    """

    min_healthy: int = Field(1, ge=0)
    attempts_max: int = Field(3, ge=1)
    cooldown_seconds: int = Field(900, ge=1)
    storm_unhealthy_min: int = Field(2, ge=1)
    storm_unhealthy_ratio_min: float = Field(0.5, gt=0, le=1)
    soak_seconds: int = Field(5, ge=1)
    flaps_max: int = Field(3, ge=2)
    approval_share: float = Field(0.5, ge=0, le=1)
    approval_seconds: int = Field(1_800, ge=1)
    approval_default: Literal["rejected", "approved"] = "rejected"
    flap_half_life_seconds: int = Field(600, ge=1)
    count_max: int | None = Field(None, ge=1)


class Group(Value):
    """
    Like instances of a service.

    Attributes:
        zones: Zones to spread over, in order; empty means the cloud's own choice.
        user_data: cloud-init template already rendered, with the placeholder `@SLOT@` for the slot's name.
        surge: Instances above `count` that may exist at once while the group is rolled.
        drain_seconds: How long requests in flight get after a member's weight went to 0.
        identity: "ordinal" slots keep their address (a port of the slot's name) when their instance is replaced.
        editions: Which edition of its secrets and certificates the instances carry, when it is not the first: a new one makes instances outdated.
    """

    name: str
    identity: Literal["cattle", "ordinal"] = "cattle"
    count: int = Field(ge=0)
    image: str
    flavor: str
    network: str
    zones: tuple[str, ...] = ()
    security_group: SecurityGroupSpec | None = None
    server_group: ServerGroupSpec | None = None
    user_data: str = ""
    volume_size_gb: int | None = None
    memberships: tuple[Membership, ...] = ()
    probe: Probe | None = None
    healing: HealingLimits = HealingLimits()
    surge: int = Field(1, ge=1)
    drain_seconds: float = Field(2.0, ge=0)
    editions: str = ""

    @property
    def is_ordinal(self) -> bool:
        """
        Whether its slots have an identity that outlives their instances.
        """
        return self.identity == "ordinal"

    @property
    def hands_over(self) -> bool:
        """
        Whether a slot's instance must go before the next one comes: they cannot both hold the slot's volume or address.
        """
        return self.is_ordinal or self.volume_size_gb is not None

    @property
    def is_asked(self) -> bool:
        """
        Whether each new instance is asked for what it serves before it counts: by its probe, or by a pool that all its members answer. One that
        answers in its role alone may be silent, and rightly so; one in no pool is waited for by nobody, whatever its probe.
        """
        return bool(self.memberships) and (
            self.probe is not None or any(m.role is None for m in self.memberships)
        )


class Service(Value):
    """
    An instance of a blueprint.

    Attributes:
        parameters: As given by its owner, with the blueprint's defaults filled in; never a secret.
        outputs: What people get: name -> text with `@FLOATING_IP@` for the endpoint's address.
        maintenance: When people work on it, beside the platform's own windows.
        offers: What services that use it are told, secrets and addresses as references.
        uses: The name it knows another service by -> the service.
    """

    platform: str
    name: str
    blueprint: str
    blueprint_version: str
    parameters: dict[str, JsonValue] = Field(default_factory=dict)
    groups: tuple[Group, ...] = ()
    load_balancers: tuple[LoadBalancerSpec, ...] = ()
    floating_ips: tuple[FloatingIpSpec, ...] = ()
    objectives: tuple[Objective, ...] = ()
    depends_on: tuple[str, ...] = ()
    outputs: dict[str, str] = Field(default_factory=dict)
    maintenance: tuple[MaintenanceWindow, ...] = ()
    offers: dict[str, str | int] = Field(default_factory=dict)
    uses: dict[str, str] = Field(default_factory=dict)

    def group(self, name: str) -> Group:
        """
        The group of that name.

        Raises:
            KeyError: There is none.
        """
        for group in self.groups:
            if group.name == name:
                return group
        raise KeyError(name)

    def instance(
        self, group: Group, slot: int, generation: int, zone: str | None
    ) -> InstanceSpec:
        """
        What the n-th instance in a slot should be. Its owner carries the group's digest.
        """
        slot_name = names.slot(self.platform, self.name, group.name, slot)
        return InstanceSpec(
            name=names.instance(self.platform, self.name, group.name, slot, generation),
            owner=Owner(
                platform=self.platform,
                service=self.name,
                group=group.name,
                slot=slot,
                generation=generation,
                digest=instance_digest(group),
            ),
            image=group.image,
            flavor=group.flavor,
            network=group.network,
            security_groups=(
                (group.security_group.name,) if group.security_group else ()
            ),
            server_group=group.server_group.name if group.server_group else None,
            zone=zone,
            user_data=group.user_data.replace("@SLOT@", slot_name),
            volumes=(slot_name,) if group.volume_size_gb else (),
            port=slot_name if group.is_ordinal else None,
        )

    def port(self, group: Group, slot: int) -> PortSpec:
        """
        The port of a slot. Call only for ordinal groups.
        """
        assert group.is_ordinal
        return PortSpec(
            name=names.slot(self.platform, self.name, group.name, slot),
            owner=Owner(
                platform=self.platform, service=self.name, group=group.name, slot=slot
            ),
            network=group.network,
            security_groups=(
                (group.security_group.name,) if group.security_group else ()
            ),
        )

    def volume(self, group: Group, slot: int, zone: str | None) -> VolumeSpec:
        """
        The volume of a slot. Call only for groups with a volume size.
        """
        assert group.volume_size_gb is not None
        return VolumeSpec(
            name=names.slot(self.platform, self.name, group.name, slot),
            owner=Owner(
                platform=self.platform, service=self.name, group=group.name, slot=slot
            ),
            size_gb=group.volume_size_gb,
            zone=zone,
        )


DIGESTS_KEPT = 4_096
"""Groups whose digest is remembered: it is asked for at every look, and computed from kilobytes of user-data."""


class _InstanceContent(Value):
    image: str
    flavor: str
    network: str
    user_data: str
    with_volume: bool


class _OrdinalContent(_InstanceContent):
    ordinal: bool = True


class _EditedContent(_InstanceContent):
    ordinal: bool
    editions: str


def instance_digest(group: Group) -> str:
    """
    What makes an instance outdated when it changes: image, flavor, user-data; not count, zones or limits.

    The fields are listed one by one: a new field of `Group` must not replace every instance there is.
    """
    return _content_digest(
        group.image,
        group.flavor,
        group.network,
        group.user_data,
        with_volume=group.volume_size_gb is not None,
        ordinal=group.is_ordinal,
        editions=group.editions,
    )


@lru_cache(maxsize=DIGESTS_KEPT)
def _content_digest(
    image: str,
    flavor: str,
    network: str,
    user_data: str,
    *,
    with_volume: bool,
    ordinal: bool,
    editions: str,
) -> str:
    content = _InstanceContent(
        image=image,
        flavor=flavor,
        network=network,
        user_data=user_data,
        with_volume=with_volume,
    )
    known = content.model_dump()
    if editions:
        return _EditedContent(
            **known, ordinal=ordinal, editions=editions
        ).content_digest()
    if ordinal:
        return _OrdinalContent(**known).content_digest()
    return content.content_digest()


class Platform(Value):
    """
    The whole: shared parts and services.

    Attributes:
        disruptions_max: Members that healing changes at once, platform-wide.
        storm_unhealthy_min: From so many unhealthy members of the whole platform, and
        storm_unhealthy_ratio_min: from this share of them, members are not the cause: stop.
        storm_calm_seconds: How long it must have been calm after a storm.
    """

    name: str
    network: NetworkSpec
    services: tuple[Service, ...] = ()
    disruptions_max: int = Field(2, ge=1)
    storm_unhealthy_min: int = Field(5, ge=1)
    storm_unhealthy_ratio_min: float = Field(0.5, gt=0, le=1)
    storm_calm_seconds: int = Field(60, ge=0)
    maintenance: tuple[MaintenanceWindow, ...] = ()

    def service(self, name: str) -> Service:
        """
        The service of that name.

        Raises:
            KeyError: There is none.
        """
        for service in self.services:
            if service.name == name:
                return service
        raise KeyError(name)
