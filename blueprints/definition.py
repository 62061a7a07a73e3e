"""
What stands in a blueprint.yaml, after its expressions are evaluated.
"""

from __future__ import annotations

import ipaddress
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from fournines.model.desired import HealingLimits, Probe
from fournines.model.names import NAME_PATTERN
from fournines.model.objective import Objective
from fournines.model.specification import HealthMonitorSpec, Transport
from fournines.model.value import Value

PORT_MAX = 65_535


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text))
    except ValueError as error:
        raise ValueError(
            f"must be a network like 10.0.0.0/24 with no host bits ({error})"
        ) from None


Name = Annotated[str, Field(pattern=NAME_PATTERN)]
OfferName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,29}$")]
Cidr = Annotated[str, AfterValidator(_network)]
Port = Annotated[int, Field(ge=1, le=PORT_MAX)]


class PortDefinition(Value):
    """
    A port that may be reached; `cidr` None means from anywhere.
    """

    port: Port
    port_max: Port | None = None
    transport: Transport = Transport.TCP
    cidr: Cidr | None = None


class GroupDefinition(Value):
    """
    A group of like instances.

    Attributes:
        identity: ordinal slots keep their address when their instance is replaced; cattle have none of their own.
        anti_affinity: strict puts no two on one host, soft avoids it, none leaves it to the cloud.
        user_data: A template file beside blueprint.yaml.
        healing: Fields of HealingLimits; the platform file may override each.
    """

    count: int = Field(ge=0, le=5_000)
    identity: Literal["cattle", "ordinal"] = "cattle"
    image: str = Field(min_length=1)
    flavor: str = Field(min_length=1)
    zones: tuple[str, ...] = ()
    anti_affinity: Literal["strict", "soft", "none"] = "soft"
    ports: tuple[PortDefinition, ...] = ()
    user_data: str
    volume_size_gb: int | None = Field(None, ge=1)
    probe: Probe | None = None
    healing: HealingLimits = HealingLimits()
    surge: int = Field(1, ge=1)
    drain_seconds: float = Field(2.0, ge=0, le=600)


class TimeoutDefinition(Value):
    """
    A listener's patience. The defaults for HTTP are the fastest that are safe (docs/slo.md); what TCP carries may be silent for long.
    """

    client_data_ms: int | None = Field(None, ge=1)
    member_connect_ms: int = Field(1_000, ge=1)
    member_data_ms: int | None = Field(None, ge=1)


class EndpointDefinition(Value):
    """
    A port of the service's load balancer that leads to a group.

    Attributes:
        monitor_port: Where members answer the health check; None: where they serve.
        role: Only members in this role (primary, replica) answer this endpoint's check: it has a pool of its own.
    """

    group: Name
    port: Port
    member_port: Port
    monitor_port: Port | None = None
    role: Name | None = None
    protocol: Literal["HTTP", "TCP"] = "HTTP"
    algorithm: Literal["ROUND_ROBIN", "LEAST_CONNECTIONS", "SOURCE_IP"] = "ROUND_ROBIN"
    session_persistence: Literal["SOURCE_IP", "HTTP_COOKIE"] | None = None
    health: HealthMonitorSpec = HealthMonitorSpec()
    timeouts: TimeoutDefinition = TimeoutDefinition()
    allowed_cidrs: tuple[Cidr, ...] = ()


class MetricsDefinition(Value):
    """
    The load balancer's own measurements, on a PROMETHEUS listener.
    """

    enabled: bool = True
    port: Port = 9109
    allowed_cidrs: tuple[Cidr, ...] = ()


class Definition(Value):
    """
    A service as its blueprint defines it.

    Attributes:
        public: Whether the load balancer gets a floating IP.
        provider: Octavia's provider; None takes the cloud's default.
        depends_on: Services that must serve before this one's instances begin.
        outputs: What its owner gets: name -> text.
        offers: What a service that uses this one is told: host, port, user, password, ...; secrets and addresses as references.
    """

    groups: dict[Name, GroupDefinition] = Field(min_length=1)
    endpoints: dict[Name, EndpointDefinition] = Field(default_factory=dict)
    public: bool = True
    provider: str | None = None
    metrics: MetricsDefinition = MetricsDefinition()
    objectives: tuple[Objective, ...] = ()
    depends_on: tuple[Name, ...] = ()
    outputs: dict[str, str] = Field(default_factory=dict)
    offers: dict[OfferName, str | int] = Field(default_factory=dict)
