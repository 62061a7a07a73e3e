"""
Rotating what instances hold: certificates before they end, credentials when somebody asks. The planner does the rest: a new edition makes
instances outdated, and outdated instances are rolled as any others are, with no member missing.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from blueprints import drafting, editions
from fournines import log
from fournines.model import names
from fournines.model.desired import Platform, Service
from fournines.model.validity import is_due
from fournines.model.value import Value
from fournines.planning import plan as planning
from fournines.planning.plan import Purpose
from tasks import (
    certificates,
    contents,
    credentials,
    deployment,
    leasing,
    observe,
    sizing,
)
from tasks.audience import NOBODY, Audience
from tasks.result import Result
from tasks.workshop import Workshop

OUTSIDE = timedelta(days=90)
"""So long clients outside of the platform have for learning of the next authority; it has years."""

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


def first_ends(workshop: Workshop, platform: Platform) -> dict[str, datetime]:
    """
    When the first certificate of each service ends; services without are not in it.
    """
    held = certificates.validities(workshop, platform.name)
    ends = {
        service.name: [held[slot].ends_at for slot in _slots(service) if slot in held]
        for service in platform.services
    }
    return {service: min(every) for service, every in ends.items() if every}


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


def renew_authorities(
    workshop: Workshop, *, audience: Audience = NOBODY
) -> tuple[Rotated, ...]:
    """
    Replace the authority of every registered platform of whose time a third is left: everybody is told of its successor, and once all know it, and
    clients outside had their time, it signs. What was done and what could not be; nothing for platforms whose authority has time.

    Raises:
        LeaseHeld: Somebody else works on a service; there are years left, and the next round comes tomorrow.
        CloudError: The cloud could not be read.
    """
    found: list[Rotated] = []
    for platform in workshop.store.registry.platforms():
        name = platform.name
        if not certificates.authority_is_due(workshop, name):
            continue
        coming = certificates.announce_successor(workshop, name)
        told = [
            _roll(workshop, platform, service.name, audience)
            for service in platform.services
            if any(editions.trusting(group) for group in service.groups)
        ]
        found += [one for one in told if not (one.result.ok and one.result.plan.empty)]
        age = workshop.clock.now() - coming.made_at
        if not all(one.result.ok for one in told) or age < OUTSIDE:
            continue
        _log.info("authority_replaced", platform=name)
        certificates.promote_successor(workshop, name)
        for service in platform.services:
            if any(editions.certified(group) for group in service.groups):
                certificates.new_edition(workshop, name, service.name)
                found.append(_roll(workshop, platform, service.name, audience))
    return tuple(found)


def rotate_credentials(
    workshop: Workshop,
    service: str,
    *,
    platform: str | None = None,
    audience: Audience = NOBODY,
) -> tuple[Rotated, ...]:
    """
    New secrets for what a service offers: its running servers let in with them, too, then all that use it are rolled, then whichever of its own
    instances hold one. Only then are the former ones refused: nobody is who uses them meanwhile. One that was cut short is finished first.

    Raises:
        ServiceUnknown: No such service is deployed.
        NothingOffered: It offers no secret.
        LeaseHeld: Somebody else is at it.
        ClusterSilent: It cannot be asked what it holds. Nothing was made.
        ClusterRefused: It takes nothing, as long as something in it conflicts with its declaration. Nothing was made.
        CloudError: The cloud could not be read.
    """
    known = sizing.find(workshop.store.registry, service, platform)
    # Asked before there are new ones: whoever is healed meanwhile would get what no server takes.
    seen = observe.inventory(workshop, known.name)
    there = contents.read(workshop, known, seen, service)
    contents.require(workshop, known.service(service), seen, there)
    offered = credentials.secrets_of(known.service(service))
    finished: tuple[Rotated, ...] = ()
    if credentials.has_former(workshop, known, offered):
        finished = _into_force(workshop, known, service, offered, audience)
        if not all(one.result.ok for one in finished):
            return finished
    renewed = credentials.renew(workshop, known, service)
    _log.info("credentials_renewed", service=service, names=renewed)
    return (*finished, *_into_force(workshop, known, service, renewed, audience))


def _into_force(
    workshop: Workshop,
    platform: Platform,
    service: str,
    secrets: tuple[str, ...],
    audience: Audience,
) -> tuple[Rotated, ...]:
    """
    Have everybody use the versions in force, the servers first, and then have the servers refuse the former ones.
    """
    versions = workshop.store.secrets.versions(platform.name)
    wanted = {name: versions[name] for name in secrets}
    taken = _take(workshop, platform, platform.service(service), audience)
    found = [taken] if taken else []
    if taken is not None and not taken.result.ok:
        return tuple(found)
    holders = credentials.holders(platform, secrets)
    users_first = sorted(holders, key=lambda name: name == service)
    found += [_roll(workshop, platform, name, audience) for name in users_first]
    if not all(one.result.ok for one in found):
        return tuple(found)
    retired = credentials.retire(workshop, platform, wanted)
    if retired:
        _log.info("credentials_retired", service=service, users=retired)
        refused = _take(workshop, platform, platform.service(service), audience)
        found += [refused] if refused else []
    return tuple(found)


def _take(
    workshop: Workshop, platform: Platform, service: Service, audience: Audience
) -> Rotated | None:
    """
    Have the servers that run take what is new; None: nothing of the service takes anything while it runs.
    """
    lease = leasing.of_service(platform.name, service.name)
    with leasing.holding(workshop, [lease], purpose="rotation") as held:
        seen = observe.inventory(workshop, platform.name)
        lacking = contents.read(workshop, platform, seen, service.name)
        contents.require(workshop, service, seen, lacking)
        steps = [
            drafting.apply_contents(
                service,
                group,
                (change.sentence() for change in one.changes),
                needs=(),
                why="; ".join(change.said for change in one.changes),
            )
            for (_, group), one in lacking.items()
            if one.changes
        ]
        if not steps:
            return None
        made = planning.make(
            purpose=Purpose.ROLL,
            platform=platform.name,
            service=service.name,
            made_at=seen.at,
            steps=steps,
        )
        result = deployment.perform(workshop, made, seen, held, audience)
    return Rotated(platform=platform.name, service=service.name, result=result)


def _roll(
    workshop: Workshop, platform: Platform, service: str, audience: Audience
) -> Rotated:
    # Minutes passed since the platform was read: nobody's change of it is taken back.
    asked = workshop.store.registry.platform(platform.name) or platform
    result = deployment.deploy(
        workshop, asked, only=service, audience=audience, made_from=asked
    )
    return Rotated(platform=platform.name, service=service, result=result)


def _slots(service: Service) -> tuple[str, ...]:
    return tuple(
        names.slot(service.platform, service.name, group.name, number)
        for group in service.groups
        for number in range(group.count)
    )
