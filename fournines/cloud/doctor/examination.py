"""
Asking a cloud everything, one question after the other. Changes nothing in it.

Nothing is tried twice: a doctor who waits a minute for a dead Keystone is no help.
"""

from __future__ import annotations

from collections.abc import Callable

from fournines.cloud.doctor import resources, services
from fournines.cloud.doctor.finding import Finding, Verdict, failed
from fournines.cloud.errors import CloudError
from fournines.cloud.openstack import OpenStackCloud, open_cloud
from fournines.settings import Settings


def examine(settings: Settings, cloud: str | None = None) -> tuple[Finding, ...]:
    """
    Every finding about the cloud named (or the settings' one). Never raises CloudError: that is a finding too.
    """
    once = settings.model_copy(update={"retry_attempts": 1})
    try:
        patient = open_cloud(once, cloud=cloud)
    except CloudError as error:
        return (failed("entry", error),)
    try:
        found = [_asked("credentials", services.credentials, patient)]
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
        return failed(name, error)
    except (KeyError, TypeError, ValueError, StopIteration) as error:
        return Finding(
            name=name,
            verdict=Verdict.FAIL,
            sentence=f"the cloud's answer makes no sense: {error!r}",
            remedy="Is the catalogue's endpoint that of the service?",
        )


_CHECKS: tuple[tuple[str, Callable[[OpenStackCloud], Finding]], ...] = (
    ("services", services.services),
    ("versions", services.microversions),
    ("load balancer", services.providers),
    ("object store", services.object_store),
    ("images", resources.images),
    ("flavors", resources.flavors),
    ("zones", resources.zones),
    ("quotas", resources.quota),
    ("external network", resources.external_network),
    ("subnet pool", resources.subnet_pool),
    ("reach", resources.reach),
    ("clock", services.clock),
    ("latency", services.latency),
)
