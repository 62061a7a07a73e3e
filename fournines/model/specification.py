"""
What one cloud resource should be, in our words.

References between resources are names, never ids: a plan is made before the ids exist. The adapter behind the `Cloud`
Protocol resolves them.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import Field

from fournines.model.ownership import Owner
from fournines.model.value import Value


class NetworkSpec(Value):
    """
    The platform's network: a network, one subnet and a router to the outside.

    Attributes:
        cidr: The subnet; None takes it from `subnet_pool` or the cloud's default pool.
        external_network: Where the router's gateway lies; None takes the cloud's only (or default) external network.
    """

    name: str
    owner: Owner
    cidr: str | None = None
    subnet_pool: str | None = None
    external_network: str | None = None
    mtu: int | None = None


class Transport(StrEnum):
    """
    Protocols a security rule can name.
    """

    TCP = "tcp"
    UDP = "udp"
    ICMP = "icmp"


class SecurityRule(Value):
    """
    One thing that may come in. `remote_cidr` None means from anywhere.
    """

    transport: Transport = Transport.TCP
    port_min: int | None = None
    port_max: int | None = None
    remote_cidr: str | None = None


class SecurityGroupSpec(Value):
    """
    What may reach the instances of a group.

    Attributes:
        additive: Rules that are there and not named here stay: old and new instances serve side by side.
    """

    name: str
    owner: Owner
    rules: tuple[SecurityRule, ...] = ()
    additive: bool = False


class ServerGroupSpec(Value):
    """
    How the instances of a group spread over hosts.
    """

    name: str
    owner: Owner
    policy: Literal["anti-affinity", "soft-anti-affinity"] = "soft-anti-affinity"


class VolumeSpec(Value):
    """
    A volume of a slot; it outlives the instances in it.
    """

    name: str
    owner: Owner
    size_gb: int
    zone: str | None = None
    volume_type: str | None = None


class PortSpec(Value):
    """
    A slot's place in the network, with an address that stays: it outlives the instances in it.
    """

    name: str
    owner: Owner
    network: str
    security_groups: tuple[str, ...] = ()


class InstanceSpec(Value):
    """
    One instance: an image plus user-data.

    Attributes:
        user_data: cloud-init user-data in clear text; the adapter encodes it. In plans it holds references (fournines.model.references), never
            secrets.
        volumes: Names of volumes to attach, in order.
        port: The name of the port it is reached by; None lets the cloud make one that goes with the instance.
        metadata: Further metadata of the server, beside the mark.
    """

    name: str
    owner: Owner
    image: str
    flavor: str
    network: str
    security_groups: tuple[str, ...] = ()
    server_group: str | None = None
    zone: str | None = None
    user_data: str = ""
    volumes: tuple[str, ...] = ()
    port: str | None = None
    metadata: dict[str, str] = Field(default_factory=dict)


class HealthMonitorSpec(Value):
    """
    How the load balancer finds a dead member. Defaults are the fastest Octavia can express (see docs/slo.md).

    Attributes:
        method: How HTTP and HTTPS ask; a service that is asked often may write less when it is asked for no body.
        rise: Successes until a member is ONLINE again (Octavia's max_retries).
        fall: Failures until a member is ERROR (Octavia's max_retries_down).
    """

    kind: Literal["HTTP", "HTTPS", "TCP"] = "HTTP"
    method: Literal["GET", "HEAD", "OPTIONS"] = "GET"
    path: str = "/healthz"
    expected_codes: str = "200"
    delay_seconds: int = 1
    timeout_seconds: int = 1
    rise: int = 2
    fall: int = 2


class PoolSpec(Value):
    """
    Instances among which a load balancer shares its requests.

    Attributes:
        role: Only members in this role answer its check; who answers that of another role in the same load balancer is well.
    """

    name: str
    protocol: Literal["HTTP", "TCP"] = "HTTP"
    algorithm: Literal["ROUND_ROBIN", "LEAST_CONNECTIONS", "SOURCE_IP"] = "ROUND_ROBIN"
    session_persistence: Literal["SOURCE_IP", "HTTP_COOKIE"] | None = None
    health: HealthMonitorSpec = HealthMonitorSpec()
    role: str | None = None


class ListenerSpec(Value):
    """
    A port on which a load balancer listens. PROMETHEUS listeners have no pool.
    """

    name: str
    protocol: Literal["HTTP", "TCP", "PROMETHEUS"]
    port: int
    pool: str | None = None
    timeout_client_data_ms: int = 50_000
    timeout_member_connect_ms: int = 1_000
    timeout_member_data_ms: int = 2_000
    allowed_cidrs: tuple[str, ...] = ()


class LoadBalancerSpec(Value):
    """
    A load balancer with its listeners and (still empty) pools.
    """

    name: str
    owner: Owner
    network: str
    listeners: tuple[ListenerSpec, ...] = ()
    pools: tuple[PoolSpec, ...] = ()
    provider: str | None = None


class FloatingIpSpec(Value):
    """
    An address for the outside, on a load balancer's VIP.
    """

    name: str
    owner: Owner
    load_balancer: str
    external_network: str | None = None


class MemberSpec(Value):
    """
    An instance's place in a pool. `monitor_port` is where its health is asked; None: where it serves.
    """

    instance: str
    port: int
    weight: int = 1
    backup: bool = False
    monitor_port: int | None = None


class ImageSpec(Value):
    """
    An image to be made of an instance that is shut down.

    Attributes:
        properties: Written in the create itself, over what the instance's own image hands down.
    """

    name: str
    instance: str
    properties: dict[str, str]
