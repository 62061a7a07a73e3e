"""
A switchover that somebody asks for: another member leads, the one that led follows it, and nothing that was acknowledged is lost.
"""

from __future__ import annotations

from fournines.model import names
from fournines.model.desired import Group, Platform, Service
from fournines.planning import plan as planning
from fournines.planning.costs import deadline_seconds
from fournines.planning.plan import Plan, Purpose
from fournines.planning.steps import AwaitMember, Step, SwitchOver
from tasks import deployment, leasing, membership, observe, sizing
from tasks.audience import NOBODY, Audience
from tasks.result import Result
from tasks.workshop import Workshop


class SwitchoverRefused(Exception):
    """
    There is nothing to switch over, or nobody to switch to; the message says what there is.
    """

    exit_code = 2


def switchover(
    workshop: Workshop,
    service: str,
    *,
    platform: str | None = None,
    to: str | None = None,
    audience: Audience = NOBODY,
) -> Result:
    """
    Have another member of a stateful service lead: `to` (a slot, an instance, or a slot's number), or whom the service would take.

    Raises:
        ServiceUnknown: No such service is deployed.
        SwitchoverRefused: It has no members that lead, or no member `to`.
        LeaseHeld: Somebody else is at it.
        CloudError: The cloud could not be read.
    """
    known = sizing.find(workshop.store.registry, service, platform)
    found = known.service(service)
    group = _group(workshop, found)
    slot = _slot(found, group, to)
    lease = leasing.of_service(known.name, service)
    what = f"switchover of {service}"
    with leasing.holding(workshop, [lease], purpose=what) as held:
        seen = observe.inventory(workshop, known.name)
        made = _plan(workshop, known, found, group, slot)
        return deployment.perform(workshop, made, seen, held, audience)


def _group(workshop: Workshop, service: Service) -> Group:
    for group in service.groups:
        if membership.ward(workshop, service, group) is not None:
            return group
    raise SwitchoverRefused(
        f"service {service.name} is of blueprint {service.blueprint}: its instances are all alike, none of them leads"
    )


def _slot(service: Service, group: Group, to: str | None) -> str | None:
    if to is None:
        return None
    slots = [
        names.slot(service.platform, service.name, group.name, number)
        for number in range(group.count)
    ]
    by_word = {
        **dict(zip(map(str, range(group.count)), slots, strict=True)),
        **{slot: slot for slot in slots},
    }
    found = by_word.get(to) or by_word.get(to.rpartition("-g")[0])
    if found is None:
        raise SwitchoverRefused(
            f"{service.name} has no member {to!r}; there is {', '.join(slots)}"
        )
    return found


def _plan(
    workshop: Workshop,
    platform: Platform,
    service: Service,
    group: Group,
    to: str | None,
) -> Plan:
    """
    The switchover, and every member whole again after it.
    """
    place = {"platform": platform.name, "service": service.name, "group": group.name}
    label = names.of_service(platform.name, service.name, group.name)
    switch = SwitchOver(
        id=f"switch-over/{label}",
        deadline_seconds=deadline_seconds("switch-over"),
        why="somebody asks for it",
        to=to,
        **place,
    )
    waits: list[Step] = [
        AwaitMember(
            id=f"await-member/{slot}/switched",
            needs=(switch.id,),
            deadline_seconds=deadline_seconds("await-member"),
            why="it follows the one that leads",
            slot=slot,
            **place,
        )
        for slot in (
            names.slot(platform.name, service.name, group.name, number)
            for number in range(group.count)
        )
    ]
    return planning.make(
        purpose=Purpose.ROLL,
        platform=platform.name,
        service=service.name,
        made_at=workshop.clock.now(),
        steps=(switch, *waits),
    )
