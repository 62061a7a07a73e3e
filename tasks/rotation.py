"""
Rotating what instances hold: certificates before they end, credentials when somebody asks. The planner does the rest: a new edition makes
instances outdated, and outdated instances are rolled as any others are, with no member missing.
"""

from __future__ import annotations

from fournines import log
from fournines.model import names
from fournines.model.desired import Platform, Service
from fournines.model.validity import is_due
from fournines.model.value import Value
from tasks import certificates, credentials, deployment, sizing
from tasks.audience import NOBODY, Audience
from tasks.result import Result
from tasks.workshop import Workshop

_log = log.get("rotation")


class Rotated(Value):
    """
    What became of one service.
    """

    platform: str
    service: str
    result: Result

    def sentence(self) -> str:
        """
        For people.
        """
        return f"{self.platform}/{self.service}: {self.result.sentence()}"


def due(workshop: Workshop, platform: Platform) -> dict[str, tuple[str, ...]]:
    """
    The slots whose certificate is to be renewed, by service.
    """
    now = workshop.clock.now()
    held = certificates.validities(workshop, platform.name)
    found = {
        service.name: tuple(
            slot for slot in _slots(service) if slot in held and is_due(held[slot], now)
        )
        for service in platform.services
    }
    return {service: slots for service, slots in found.items() if slots}


def renew_certificates(
    workshop: Workshop, *, audience: Audience = NOBODY
) -> tuple[Rotated, ...]:
    """
    Renew whatever is due on every registered platform, one service after the other.

    Raises:
        LeaseHeld: Somebody else works on a service; its certificates have weeks left, and the next round comes tomorrow.
        CloudError: The cloud could not be read.
    """
    found = []
    for platform in workshop.store.registry.platforms():
        for service, slots in due(workshop, platform).items():
            _log.info("certificates_due", service=service, slots=slots)
            # What an earlier round asked for and could not finish is finished, not asked for anew.
            if not all(
                certificates.is_superseded(workshop, platform.name, service, slot)
                for slot in slots
            ):
                certificates.new_edition(workshop, platform.name, service)
            found.append(_roll(workshop, platform, service, audience))
    return tuple(found)


def rotate_credentials(
    workshop: Workshop,
    service: str,
    *,
    platform: str | None = None,
    audience: Audience = NOBODY,
) -> tuple[Rotated, ...]:
    """
    New secrets for what a service offers, then a roll of it and of all that use it.

    Raises:
        ServiceUnknown: No such service is deployed.
        NothingOffered: It offers no secret.
        LeaseHeld: Somebody else is at it.
        CloudError: The cloud could not be read.
    """
    known = sizing.find(workshop.store.registry, service, platform)
    renewed = credentials.renew(workshop, known, service)
    _log.info("credentials_renewed", service=service, names=renewed)
    holders = credentials.holders(known, renewed)
    return tuple(_roll(workshop, known, name, audience) for name in holders)


def _roll(
    workshop: Workshop, platform: Platform, service: str, audience: Audience
) -> Rotated:
    result = deployment.deploy(workshop, platform, only=service, audience=audience)
    return Rotated(platform=platform.name, service=service, result=result)


def _slots(service: Service) -> tuple[str, ...]:
    return tuple(
        names.slot(service.platform, service.name, group.name, number)
        for group in service.groups
        for number in range(group.count)
    )
