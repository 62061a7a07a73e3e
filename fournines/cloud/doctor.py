"""
Whether a cloud will serve: one finding per question, each with one sentence and one remedy. Changes nothing in the cloud.

Nothing is tried twice: a doctor who waits a minute for a dead Keystone is no help.
"""

from __future__ import annotations

import socket
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum

from fournines.clock import SystemClock
from fournines.cloud.errors import CloudError, CloudUnreachable
from fournines.cloud.openstack import OpenStackCloud, open_cloud
from fournines.cloud.openstack.base import Base
from fournines.cloud.openstack.lookups import Lookups
from fournines.cloud.openstack.networks import Networks
from fournines.model.value import Value
from fournines.settings import Settings

NOVA_MICROVERSION_MIN = (2, 15)
"""Soft anti-affinity; the other calls need less. Zed offers 2.93."""

OCTAVIA_VERSION_MIN = (2, 11)
"""Batch updates of members that leave the others alone."""

OCTAVIA_VERSION_METRICS = (2, 25)
"""PROMETHEUS listeners."""

CLOCK_SKEW_SECONDS_WARN = 2.0
"""Alerts, leases and tokens compare moments; two seconds are half of our detection time."""

CLOCK_SKEW_SECONDS_FAIL = 60.0

LATENCY_SECONDS_WARN = 1.0
"""A healing makes some ten calls one after the other and has ten seconds."""

LATENCY_SAMPLES = 5

REACH_SECONDS = 1.0

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

METRICLESS_PROVIDERS = {"ovn"}


class Verdict(StrEnum):
    """
    What a finding means: serves; serves with a limit; does not serve.
    """

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


class Finding(Value):
    """
    The answer to one question about a cloud.
    """

    name: str
    verdict: Verdict
    sentence: str
    remedy: str = ""


def examine(settings: Settings, cloud: str | None = None) -> tuple[Finding, ...]:
    """
    Every finding about the cloud named (or the settings' one). Never raises CloudError: that is a finding too.
    """
    once = settings.model_copy(update={"retry_attempts": 1})
    try:
        patient = open_cloud(once, cloud=cloud)
    except CloudError as error:
        return (_failed("entry", error),)
    try:
        found = [_asked("credentials", _credentials, patient)]
        if found[0].verdict is Verdict.FAIL:
            return tuple(found)
        found += [_asked(name, check, patient) for name, check in _CHECKS]
        return tuple(found)
    finally:
        patient.close()


def _asked(
    name: str, check: Callable[[OpenStackCloud], Finding], patient: OpenStackCloud
) -> Finding:
    try:
        return check(patient)
    except CloudError as error:
        return _failed(name, error)
    except (KeyError, TypeError, ValueError, StopIteration) as error:
        return Finding(
            name=name,
            verdict=Verdict.FAIL,
            sentence=f"the cloud's answer makes no sense: {error!r}",
            remedy="Is the catalogue's endpoint that of the service?",
        )


def _failed(name: str, error: CloudError) -> Finding:
    return Finding(
        name=name,
        verdict=Verdict.FAIL,
        sentence=f"{error.attempted}: {error.detail}",
        remedy=error.remedy or "Ask the cloud's operator",
    )


def _found(
    name: str,
    sentence: str,
    *,
    complaint: str = "",
    remedy: str = "",
    fatal: bool = False,
) -> Finding:
    """
    OK with the sentence, unless there is a complaint.
    """
    if not complaint:
        return Finding(name=name, verdict=Verdict.OK, sentence=sentence)
    verdict = Verdict.FAIL if fatal else Verdict.WARN
    return Finding(name=name, verdict=verdict, sentence=complaint, remedy=remedy)


def _credentials(patient: OpenStackCloud) -> Finding:
    access = patient.context.connection.access
    roles = sorted(set(access.role_names))
    sentence = f"{access.username} in project {access.project_name}: {', '.join(roles)}"
    complaint = ""
    if not access.project_id:
        complaint = "the token belongs to no project"
    elif not set(roles) & {"member", "admin", "Member", "_member_"}:
        complaint = f"{sentence}; `member` is missing"
    return _found(
        "credentials",
        sentence,
        complaint=complaint,
        remedy="Make an application credential of a member of one project",
        fatal=True,
    )


def _services(patient: OpenStackCloud) -> Finding:
    offers = patient.context.connection.offers
    needed = ("compute", "network", "image", "load_balancer")
    missing = [name for name in needed if not offers(name)]
    if missing:
        names = ", ".join(missing).replace("_", "-")
        return _found(
            "services",
            "",
            complaint=f"the catalogue lacks: {names}",
            remedy="Web services need Nova, Neutron, Glance and Octavia",
            fatal=True,
        )
    lacks = "" if offers("block_storage") else "no block-storage service"
    return _found(
        "services",
        "compute, network, image, load-balancer and block-storage are there",
        complaint=lacks,
        remedy="Services with volumes cannot be deployed here",
    )


def _microversions(patient: OpenStackCloud) -> Finding:
    nova = patient.context.connection.adapter("compute").get_endpoint_data()
    newest = tuple(nova.max_microversion or (2, 1))
    octavia = _octavia_version(patient)
    sentence = f"Nova {_dotted(newest)}, Octavia {_dotted(octavia)}"
    old = newest < NOVA_MICROVERSION_MIN or octavia < OCTAVIA_VERSION_MIN
    return _found(
        "versions",
        sentence,
        complaint=f"{sentence}: too old" if old else "",
        remedy=f"Needed: Nova {_dotted(NOVA_MICROVERSION_MIN)}, "
        f"Octavia {_dotted(OCTAVIA_VERSION_MIN)} (OpenStack Zed has both)",
        fatal=True,
    )


def _octavia_version(patient: OpenStackCloud) -> tuple[int, ...]:
    """
    The newest version of the API that Octavia's root names.
    """
    adapter = patient.context.connection.adapter("load_balancer")
    endpoint = adapter.get_endpoint().rstrip("/")
    for suffix in ("/v2.0", "/v2"):
        endpoint = endpoint.removesuffix(suffix)
    try:
        versions = adapter.get(f"{endpoint}/").json()["versions"]
    except Exception as error:
        raise CloudUnreachable("reading Octavia's versions", str(error)) from error
    return max(
        tuple(int(part) for part in one["id"].removeprefix("v").split("."))
        for one in versions
    )


def _providers(patient: OpenStackCloud) -> Finding:
    listed = patient.context.connection.listing(
        "load_balancer", "/lbaas/providers", "providers", "listing providers"
    )
    names = {one["name"] for one in listed}
    sentence = f"load-balancer providers: {', '.join(sorted(names))}"
    complaint = ""
    if not names - METRICLESS_PROVIDERS:
        complaint = f"{sentence}; they balance TCP only and export no metrics"
    elif _octavia_version(patient) < OCTAVIA_VERSION_METRICS:
        complaint = f"{sentence}; this Octavia has no PROMETHEUS listeners"
    return _found(
        "load balancer",
        sentence,
        complaint=complaint,
        remedy="Our own probes measure instead; grey faults are found more slowly",
    )


def _images(patient: OpenStackCloud) -> Finding:
    names = [i.name for i in Lookups(patient.context).images("listing images")]
    return _found(
        "images",
        f"{len(names)} images: {_some(names)}",
        complaint="" if names else "there is no image to boot from",
        remedy="Upload a Debian 12 cloud image and name it debian-12",
        fatal=True,
    )


def _flavors(patient: OpenStackCloud) -> Finding:
    flavors = Lookups(patient.context).flavors("listing flavors")
    fit = [flavor.name for flavor in flavors if flavor.disk_gb >= 1]
    return _found(
        "flavors",
        f"{len(fit)} flavors boot an image: {_some(fit)}",
        complaint="" if fit else "no flavor has a disk of 1 GB or more",
        remedy="Nova boots an image only on a flavor with a disk",
        fatal=True,
    )


def _zones(patient: OpenStackCloud) -> Finding:
    zones = Lookups(patient.context).zones("listing zones")
    return _found(
        "zones",
        f"{len(zones)} availability zones: {_some(list(zones))}",
        complaint="" if len(zones) > 1 else f"only one zone: {_some(list(zones))}",
        remedy="Instances spread over hosts, but the loss of the zone is an outage",
    )


def _quota(patient: OpenStackCloud) -> Finding:
    left = patient.quota().model_dump()
    scarce = [
        f"{what.replace('_', ' ')} {left[what]} of {wanted}"
        for what, wanted in ROOM_WANTED.items()
        if -1 < left[what] < wanted
    ]
    unlimited = [f"{left[what]} {what.replace('_', ' ')}" for what in ROOM_WANTED]
    room = ", ".join(unlimited).replace("-1 ", "unlimited ")
    return _found(
        "quotas",
        f"room for {room}",
        complaint=f"a small web service needs more: {', '.join(scarce)}"
        if scarce
        else "",
        remedy="Ask for more quota, or delete what is not needed",
    )


def _external_network(patient: OpenStackCloud) -> Finding:
    number = Networks(patient.context).external_network(
        None, "choosing the external network"
    )
    return _found("external network", f"floating IPs and routers use {number}")


def _subnet_pool(patient: OpenStackCloud) -> Finding:
    pools = patient.context.connection.listing(
        "network",
        "/subnetpools",
        "subnetpools",
        "listing subnet pools",
        params={"is_default": True, "ip_version": 4},
    )
    names = [pool["name"] for pool in pools]
    return _found(
        "subnet pool",
        f"networks take their subnets from {_some(names)}",
        complaint="" if names else "there is no default subnet pool",
        remedy="Name a `cidr` or a `subnet_pool` in the platform's network",
    )


def _reach(patient: OpenStackCloud) -> Finding:
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
    ][:LATENCY_SAMPLES]
    if not inside:
        return _found(
            "reach",
            "",
            complaint="the project has no address yet that could be tried",
            remedy="Deploy a platform and ask again",
        )
    reached = [address for address in inside if _answers(address)]
    return _found(
        "reach",
        f"{reached[0] if reached else ''} answers from inside the tenant network",
        complaint="" if reached else f"none of {_some(inside)} answers",
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


def _clock(patient: OpenStackCloud) -> Finding:
    adapter = patient.context.connection.adapter("compute")
    before = SystemClock().now()
    try:
        header = adapter.get("/").headers.get("Date")
    except Exception as error:
        raise CloudUnreachable("reading the cloud's clock", str(error)) from error
    if not header:
        return _found("clock", "the cloud does not tell its time")
    theirs = parsedate_to_datetime(header)
    middle = before + (datetime.now(UTC) - before) / 2
    # The header is cut to whole seconds: on average half a second too early.
    skew = abs((theirs - middle).total_seconds() + 0.5)
    sentence = f"this machine's clock and the cloud's differ by {skew:.1f} s"
    return _found(
        "clock",
        sentence,
        complaint=sentence if skew > CLOCK_SKEW_SECONDS_WARN else "",
        remedy="Run NTP on both",
        fatal=skew > CLOCK_SKEW_SECONDS_FAIL,
    )


def _latency(patient: OpenStackCloud) -> Finding:
    times = []
    for _ in range(LATENCY_SAMPLES):
        begin = time.monotonic()
        patient.context.connection.get(
            "compute", "/flavors", "measuring latency", params={"limit": 1}
        )
        times.append(time.monotonic() - begin)
    middle = statistics.median(times)
    sentence = f"Nova answers in {middle * 1000:.0f} ms"
    return _found(
        "latency",
        sentence,
        complaint=sentence if middle > LATENCY_SECONDS_WARN else "",
        remedy="Healing will take longer than its ten seconds",
    )


def _some(names: list[str], most: int = 4) -> str:
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(str(part) for part in version)


_CHECKS: tuple[tuple[str, Callable[[OpenStackCloud], Finding]], ...] = (
    ("services", _services),
    ("versions", _microversions),
    ("load balancer", _providers),
    ("images", _images),
    ("flavors", _flavors),
    ("zones", _zones),
    ("quotas", _quota),
    ("external network", _external_network),
    ("subnet pool", _subnet_pool),
    ("reach", _reach),
    ("clock", _clock),
    ("latency", _latency),
)
