"""
The doctor's questions about what the project may use: images, sizes, room, networks, and whether we reach them.
"""

from __future__ import annotations

import socket

from fournines.cloud.doctor.finding import Finding, found, some
from fournines.cloud.openstack import OpenStackCloud
from fournines.cloud.openstack.base import Base
from fournines.cloud.openstack.lookups import Lookups
from fournines.cloud.openstack.networks import Networks

REACH_SECONDS = 1.0

ADDRESSES_MAX = 5
"""Addresses tried; each that does not answer costs a second."""

ROOM_WANTED = {
    "instances": 5,
    "load_balancers": 1,
    "floating_ips": 1,
    "networks": 1,
    "routers": 1,
    "security_groups": 1,
    "server_groups": 1,
}
"""A web service of four, and the one more that a replacement needs for a while."""


def images(patient: OpenStackCloud) -> Finding:
    """
    Whether there is something to boot.
    """
    names = [i.name for i in Lookups(patient.context).images("listing images")]
    return found(
        "images",
        f"{len(names)} images: {some(names)}",
        complaint="" if names else "there is no image to boot from",
        remedy="Upload a Debian 12 cloud image and name it debian-12",
        fatal=True,
    )


def flavors(patient: OpenStackCloud) -> Finding:
    """
    Whether there is a size that boots it.
    """
    flavors = Lookups(patient.context).flavors("listing flavors")
    fit = [flavor.name for flavor in flavors if flavor.disk_gb >= 1]
    return found(
        "flavors",
        f"{len(fit)} flavors boot an image: {some(fit)}",
        complaint="" if fit else "no flavor has a disk of 1 GB or more",
        remedy="Nova boots an image only on a flavor with a disk",
        fatal=True,
    )


def zones(patient: OpenStackCloud) -> Finding:
    """
    Whether zones can fail apart.
    """
    zones = Lookups(patient.context).zones("listing zones")
    return found(
        "zones",
        f"{len(zones)} availability zones: {some(list(zones))}",
        complaint="" if len(zones) > 1 else f"only one zone: {some(list(zones))}",
        remedy="Instances spread over hosts, but the loss of the zone is an outage",
    )


def quota(patient: OpenStackCloud) -> Finding:
    """
    Whether a small web service fits.
    """
    left = patient.quota().model_dump()
    scarce = [
        f"{what.replace('_', ' ')} {left[what]} of {wanted}"
        for what, wanted in ROOM_WANTED.items()
        if -1 < left[what] < wanted
    ]
    unlimited = [f"{left[what]} {what.replace('_', ' ')}" for what in ROOM_WANTED]
    room = ", ".join(unlimited).replace("-1 ", "unlimited ")
    return found(
        "quotas",
        f"room for {room}",
        complaint=f"a small web service needs more: {', '.join(scarce)}"
        if scarce
        else "",
        remedy="Ask for more quota, or delete what is not needed",
    )


def external_network(patient: OpenStackCloud) -> Finding:
    """
    Where floating IPs and gateways come from.
    """
    number = Networks(patient.context).external_network(
        None, "choosing the external network"
    )
    return found("external network", f"floating IPs and routers use {number}")


def subnet_pool(patient: OpenStackCloud) -> Finding:
    """
    Where subnets come from.
    """
    pools = patient.context.connection.listing(
        "network",
        "/subnetpools",
        "subnetpools",
        "listing subnet pools",
        params={"is_default": True, "ip_version": 4},
    )
    names = [pool["name"] for pool in pools]
    return found(
        "subnet pool",
        f"networks take their subnets from {some(names)}",
        complaint="" if names else "there is no default subnet pool",
        remedy="Name a `cidr` or a `subnet_pool` in the platform's network",
    )


def reach(patient: OpenStackCloud) -> Finding:
    """
    Whether this machine reaches addresses inside the cloud. A refused connection has reached somebody, too.
    """
    door = Base(patient.context)
    ports = door.connection.listing(
        "network",
        "/ports",
        "ports",
        "listing ports",
        params={"project_id": door.connection.project_id, "status": "ACTIVE"},
    )
    owners = ("network:router_interface", "Octavia", "compute:")
    inside = [
        fixed["ip_address"]
        for port in ports
        if port["device_owner"].startswith(owners)
        for fixed in port["fixed_ips"]
    ][:ADDRESSES_MAX]
    if not inside:
        return found(
            "reach",
            "",
            complaint="the project has no address yet that could be tried",
            remedy="Deploy a platform and ask again",
        )
    reached = [address for address in inside if _answers(address)]
    return found(
        "reach",
        f"{reached[0] if reached else ''} answers from inside the tenant network",
        complaint="" if reached else f"none of {some(inside)} answers",
        remedy="Route the tenant networks to this machine, or run the healer inside: "
        "probes and metrics go to the instances' own addresses",
    )


def _answers(address: str) -> bool:
    try:
        with socket.create_connection((address, 8080), timeout=REACH_SECONDS):
            return True
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
