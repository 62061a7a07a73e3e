"""
The doctor's questions about the cloud's services: who we are there, what they offer, how they answer.
"""

from __future__ import annotations

import statistics
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from fournines.clock import SystemClock
from fournines.cloud.doctor.finding import Finding, found
from fournines.cloud.errors import CloudError, CloudUnreachable
from fournines.cloud.openstack import OpenStackCloud

NOVA_MICROVERSION_MIN = (2, 16)
"""How a host is (for those who may know); soft anti-affinity needs 2.15, the other calls less. Zed offers 2.93."""

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

METRICLESS_PROVIDERS = {"ovn"}


def credentials(patient: OpenStackCloud) -> Finding:
    """
    Who we are, and whether we may.
    """
    access = patient.context.connection.access
    roles = sorted(set(access.role_names))
    sentence = f"{access.username} in project {access.project_name}: {', '.join(roles)}"
    complaint = ""
    if not access.project_id:
        complaint = "the token belongs to no project"
    elif not set(roles) & {"member", "admin", "Member", "_member_"}:
        complaint = f"{sentence}; `member` is missing"
    return found(
        "credentials",
        sentence,
        complaint=complaint,
        remedy="Make an application credential of a member of one project",
        fatal=True,
    )


def services(patient: OpenStackCloud) -> Finding:
    """
    Whether the catalogue has what we need.
    """
    offers = patient.context.connection.offers
    needed = ("compute", "network", "image", "load_balancer")
    missing = [name for name in needed if not offers(name)]
    if missing:
        names = ", ".join(missing).replace("_", "-")
        return found(
            "services",
            "",
            complaint=f"the catalogue lacks: {names}",
            remedy="Web services need Nova, Neutron, Glance and Octavia",
            fatal=True,
        )
    lacks = "" if offers("block_storage") else "no block-storage service"
    return found(
        "services",
        "compute, network, image, load-balancer and block-storage are there",
        complaint=lacks,
        remedy="Services with volumes cannot be deployed here",
    )


def object_store(patient: OpenStackCloud) -> Finding:
    """
    Whether backups and logs have a place.
    """
    connection = patient.context.connection
    complaint = ""
    if not connection.offers("object_store"):
        complaint = "the catalogue has no object store"
    else:
        try:
            connection.get(
                "object_store",
                "/",
                "listing containers",
                params={"format": "json", "limit": 1},
            )
        except CloudError as error:
            complaint = f"the object store does not serve us: {error.detail}"
    return found(
        "object store",
        "the object store shows us our containers",
        complaint=complaint,
        remedy="Without one there are no backups: have Swift (or Ceph's gateway) in the catalogue, and a role in it "
        "that may make containers",
    )


def microversions(patient: OpenStackCloud) -> Finding:
    """
    Whether the APIs are new enough.
    """
    nova = patient.context.connection.adapter("compute").get_endpoint_data()
    newest = tuple(nova.max_microversion or (2, 1))
    octavia = _octavia_version(patient)
    sentence = f"Nova {_dotted(newest)}, Octavia {_dotted(octavia)}"
    old = newest < NOVA_MICROVERSION_MIN or octavia < OCTAVIA_VERSION_MIN
    return found(
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


def providers(patient: OpenStackCloud) -> Finding:
    """
    What the load-balancer providers can do.
    """
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
    return found(
        "load balancer",
        sentence,
        complaint=complaint,
        remedy="Our own probes measure instead; grey faults are found more slowly",
    )


def clock(patient: OpenStackCloud) -> Finding:
    """
    Whether both clocks agree.
    """
    adapter = patient.context.connection.adapter("compute")
    before = SystemClock().now()
    try:
        header = adapter.get("/").headers.get("Date")
    except Exception as error:
        raise CloudUnreachable("reading the cloud's clock", str(error)) from error
    if not header:
        return found("clock", "the cloud does not tell its time")
    theirs = parsedate_to_datetime(header)
    middle = before + (datetime.now(UTC) - before) / 2
    # The header is cut to whole seconds: on average half a second too early.
    skew = abs((theirs - middle).total_seconds() + 0.5)
    sentence = f"this machine's clock and the cloud's differ by {skew:.1f} s"
    return found(
        "clock",
        sentence,
        complaint=sentence if skew > CLOCK_SKEW_SECONDS_WARN else "",
        remedy="Run NTP on both",
        fatal=skew > CLOCK_SKEW_SECONDS_FAIL,
    )


def latency(patient: OpenStackCloud) -> Finding:
    """
    How quickly the API answers.
    """
    times = []
    for _ in range(LATENCY_SAMPLES):
        begin = time.monotonic()
        patient.context.connection.get(
            "compute", "/flavors", "measuring latency", params={"limit": 1}
        )
        times.append(time.monotonic() - begin)
    middle = statistics.median(times)
    sentence = f"Nova answers in {middle * 1000:.0f} ms"
    return found(
        "latency",
        sentence,
        complaint=sentence if middle > LATENCY_SECONDS_WARN else "",
        remedy="Healing will take longer than its ten seconds",
    )


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(str(part) for part in version)
