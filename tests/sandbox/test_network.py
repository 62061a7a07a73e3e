"""
The data path of the embedded cloud: what may reach what, tried with real packets.

Two servers that serve HTTP on ports 8080 and 8081 stand on networks of their own: one from
the routable pool, one translated, both behind one router; a third network with the same
prefix belongs to nobody's router.
"""

from __future__ import annotations

import base64
import ipaddress
import subprocess
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from openstack.connection import Connection

pytestmark = pytest.mark.sandbox

Eventually = Callable[[Callable[[], bool], float], bool]

APPLICATION_PORT = 8080
OTHER_PORT = 8081
TRANSLATED = "192.168.77.0/24"
BOOT_SECONDS_MAX = 90
"""A server boots in 4 s; the machine of a test run may be doing ten other things."""

_USER_DATA = f"""#cloud-config
runcmd:
  - [systemd-run, --unit=web, python3, -m, http.server, "{APPLICATION_PORT}"]
  - [systemd-run, --unit=other, python3, -m, http.server, "{OTHER_PORT}"]
"""


@dataclass(frozen=True, slots=True)
class Topology:
    """
    What the tests look at.
    """

    external_id: str
    group_id: str
    router: Any
    routed: Any
    routed_address: str
    translated: Any
    translated_address: str
    lonely: Any
    lonely_address: str


def _open(address: str, port: int = APPLICATION_PORT, seconds: float = 1) -> bool:
    """Whether HTTP is answered at an address, asked from the host."""
    return _answers(_curl(address, port, seconds))


def _curl(address: str, port: int, seconds: float) -> list[str]:
    url = f"http://{address}:{port}/"
    options = ("-s", "-f", "-o", "/dev/null", "--noproxy", "*")
    return ["curl", *options, "--max-time", str(seconds), url]


def _answers(argv: list[str]) -> bool:
    return subprocess.run(argv, capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="module")
def topology(member: Connection) -> Iterator[Topology]:
    """
    Three networks, one router, three servers; all removed afterwards.
    """
    name = f"network-{uuid.uuid4().hex[:6]}"
    external = member.network.find_network("public", ignore_missing=False)
    group = member.network.create_security_group(name=name)
    for protocol, low, high in (("icmp", None, None), ("tcp", 8080, 8080)):
        member.network.create_security_group_rule(
            security_group_id=group.id,
            direction="ingress",
            protocol=protocol,
            port_range_min=low,
            port_range_max=high,
        )
    networks = [
        member.network.create_network(name=f"{name}-{kind}")
        for kind in ("routed", "translated", "lonely")
    ]
    subnets = [
        member.network.create_subnet(
            name=name, network_id=network.id, ip_version=4, **choice
        )
        for network, choice in zip(
            networks,
            (
                {"use_default_subnet_pool": True},
                {"cidr": TRANSLATED},
                {"cidr": TRANSLATED},
            ),
            strict=True,
        )
    ]
    router = member.network.create_router(
        name=name, external_gateway_info={"network_id": external.id}
    )
    for subnet in subnets[:2]:
        member.network.add_interface_to_router(router, subnet_id=subnet.id)
    servers = _boot(member, name, [network.id for network in networks], group)
    yield Topology(
        external_id=external.id,
        group_id=group.id,
        router=router,
        routed=servers[0],
        routed_address=_address(servers[0]),
        translated=servers[1],
        translated_address=_address(servers[1]),
        lonely=servers[2],
        lonely_address=_address(servers[2]),
    )

    for server in servers:
        member.compute.delete_server(server)
    for server in servers:
        member.compute.wait_for_delete(server, interval=0.5)
    for subnet in subnets[:2]:
        member.network.remove_interface_from_router(router, subnet_id=subnet.id)
    member.network.delete_router(router)
    for network in networks:
        member.network.delete_network(network)
    member.network.delete_security_group(group)


def _boot(
    member: Connection, name: str, network_ids: list[str], group: Any
) -> list[Any]:
    image = member.image.find_image("debian-12", ignore_missing=False)
    flavor = member.compute.find_flavor("m1.tiny", ignore_missing=False)
    created = [
        member.compute.create_server(
            name=f"{name}-{number}",
            image_id=image.id,
            flavor_id=flavor.id,
            networks=[{"uuid": network_id}],
            security_groups=[{"name": group.name}],
            user_data=base64.b64encode(_USER_DATA.encode()).decode(),
        )
        for number, network_id in enumerate(network_ids)
    ]
    return [
        member.compute.wait_for_server(server, interval=0.5, wait=BOOT_SECONDS_MAX)
        for server in created
    ]


def _address(server: Any) -> str:
    (addresses,) = server.addresses.values()
    address: str = addresses[0]["addr"]
    return address


def _port(member: Connection, server: Any) -> Any:
    (port,) = member.network.ports(device_id=server.id)
    return port


@pytest.fixture
def floating(member: Connection, topology: Topology) -> Iterator[Any]:
    """
    A floating IP on the translated server.
    """
    address = member.network.create_ip(
        floating_network_id=topology.external_id,
        port_id=_port(member, topology.translated).id,
    )
    yield address
    member.network.delete_ip(address)


def test_routable_subnet_is_reached_directly(
    topology: Topology, eventually: Eventually
) -> None:
    """
    Probes of the host reach a member on a subnet of the routable pool by its own address.
    """
    assert eventually(lambda: _open(topology.routed_address), BOOT_SECONDS_MAX)


def test_floating_ip_carries_traffic(
    member: Connection, topology: Topology, floating: Any, eventually: Eventually
) -> None:
    """
    An application on a translated network answers at its floating IP, and only there.
    """
    address = floating.floating_ip_address

    assert eventually(lambda: _open(address), BOOT_SECONDS_MAX)
    assert not _open(topology.translated_address)
    assert member.network.get_ip(floating).status == "ACTIVE"


def test_floating_ip_moves(
    member: Connection, topology: Topology, floating: Any, eventually: Eventually
) -> None:
    """
    A floating IP given to another server leads to that one within two seconds.
    """
    address = floating.floating_ip_address
    assert eventually(lambda: _open(address), BOOT_SECONDS_MAX)
    rule = member.network.create_security_group_rule(
        security_group_id=topology.group_id,
        direction="ingress",
        protocol="tcp",
        port_range_min=OTHER_PORT,
        port_range_max=OTHER_PORT,
        remote_ip_prefix=f"{topology.routed_address}/32",
    )

    member.network.update_ip(floating, port_id=_port(member, topology.routed).id)

    assert eventually(lambda: _open(address), 2)
    member.network.update_ip(floating, port_id=None)
    assert eventually(lambda: not _open(address, seconds=0.3), 2)
    assert member.network.get_ip(floating).status == "DOWN"
    member.network.delete_security_group_rule(rule)


def test_security_group_blocks_what_has_no_rule(
    member: Connection, topology: Topology, eventually: Eventually
) -> None:
    """
    A port without a rule is silent; a rule opens it, its removal closes it again.
    """
    address = topology.routed_address
    assert eventually(lambda: _open(address), BOOT_SECONDS_MAX)
    assert not _open(address, OTHER_PORT)

    rule = member.network.create_security_group_rule(
        security_group_id=topology.group_id,
        direction="ingress",
        protocol="tcp",
        port_range_min=OTHER_PORT,
        port_range_max=OTHER_PORT,
    )

    assert eventually(lambda: _open(address, OTHER_PORT), 5)
    member.network.delete_security_group_rule(rule)
    assert eventually(lambda: not _open(address, OTHER_PORT, 0.3), 5)


def test_remote_group_admits_its_members_only(
    member: Connection, cloud: Any, topology: Topology, eventually: Eventually
) -> None:
    """
    A rule for a group lets the group's other servers in, and nobody else.
    """
    rule = member.network.create_security_group_rule(
        security_group_id=topology.group_id,
        direction="ingress",
        protocol="tcp",
        port_range_min=OTHER_PORT,
        port_range_max=OTHER_PORT,
        remote_group_id=topology.group_id,
    )
    argv = _curl(topology.routed_address, OTHER_PORT, 1)

    def member_passes() -> bool:
        return cloud.inside(topology.translated.id, *argv).returncode == 0

    assert eventually(member_passes, 5)
    assert not _open(topology.routed_address, OTHER_PORT)
    member.network.delete_security_group_rule(rule)


def test_unconnected_network_is_isolated(cloud: Any, topology: Topology) -> None:
    """
    A network without a router reaches nothing and is reached by nothing, though another
    network has the same prefix.
    """
    outward = _curl(topology.routed_address, APPLICATION_PORT, 1)
    twin = _curl(topology.translated_address, APPLICATION_PORT, 1)
    own = _curl(topology.lonely_address, APPLICATION_PORT, 1)

    assert cloud.inside(topology.lonely.id, *outward).returncode != 0
    assert not _open(topology.lonely_address)
    if topology.lonely_address != topology.translated_address:
        assert cloud.inside(topology.lonely.id, *twin).returncode != 0
    assert cloud.inside(topology.lonely.id, *own).returncode == 0


def test_translated_server_reaches_outside(cloud: Any, topology: Topology) -> None:
    """
    A server without a floating IP reaches the outside through its router's address.
    """
    ping = ("ping", "-c", "1", "-W", "2", cloud.gateway)

    assert cloud.inside(topology.translated.id, *ping).returncode == 0
    assert cloud.inside(topology.routed.id, *ping).returncode == 0


def test_sender_address_cannot_be_forged(
    member: Connection, cloud: Any, topology: Topology, eventually: Eventually
) -> None:
    """
    Packets from an address the port does not own are dropped, unless it is allowed by pair.
    """
    port = _port(member, topology.routed)
    subnet = member.network.get_subnet(port.fixed_ips[0]["subnet_id"])
    hosts = [str(item) for item in ipaddress.ip_network(subnet.cidr).hosts()]
    forged = next(item for item in hosts[1:] if item != topology.routed_address)
    ping = ("ping", "-c", "1", "-W", "1", "-I", forged, cloud.gateway)
    cloud.inside(topology.routed.id, "ip", "addr", "add", f"{forged}/32", "dev", "eth0")

    def passes() -> bool:
        return cloud.inside(topology.routed.id, *ping).returncode == 0

    assert not passes()
    member.network.update_port(port, allowed_address_pairs=[{"ip_address": forged}])
    assert eventually(passes, 5)
    member.network.update_port(port, allowed_address_pairs=[])
    cloud.inside(topology.routed.id, "ip", "addr", "del", f"{forged}/32", "dev", "eth0")
