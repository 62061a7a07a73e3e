"""
Where a subject stands: its platform, service and group in the registry, its instances in the cloud.
"""

from __future__ import annotations

from dataclasses import dataclass

from fournines.model.case import Subject
from fournines.model.desired import Group, Platform, Service
from fournines.model.inventory import Instance, Inventory, Member
from fournines.planning.pools import as_judged
from fournines.store.protocol import Registry


class SubjectUnknown(Exception):
    """
    The subject's platform, service or group is in no registry: nothing of it is ours to heal.
    """


@dataclass(frozen=True, slots=True)
class Place:
    """
    What was asked for at a subject's place.
    """

    platform: Platform
    service: Service
    group: Group


def find(registry: Registry, subject: Subject) -> Place:
    """
    The subject's place.

    Raises:
        SubjectUnknown: Nothing of ours bears that name.
    """
    platform = registry.platform(subject.platform)
    if platform is None or subject.group is None or subject.slot is None:
        raise SubjectUnknown(f"{subject.key} is no slot of a registered platform")
    try:
        service = platform.service(subject.service)
        return Place(platform, service, service.group(subject.group))
    except KeyError as error:
        raise SubjectUnknown(
            f"{subject.key}: the registry knows no {error.args[0]}"
        ) from error


def is_as_seen(registry: Registry, subject: Subject, service: Service) -> bool:
    """
    Whether what is asked for at the subject's service is still what somebody saw: ask with its lease in hand, for whoever held it before may have
    changed it.

    Raises:
        SubjectUnknown: Nothing of ours bears that name any more.
    """
    return find(registry, subject).service == service


def in_slot(inventory: Inventory, subject: Subject) -> tuple[Instance, ...]:
    """
    The instances of a slot, oldest generation first.
    """
    found = inventory.of_group(subject.service, subject.group or "")
    return tuple(i for i in found if i.owner and i.owner.slot == subject.slot)


def meet(subject: Subject, inventory: Inventory) -> Subject:
    """
    The instance to look at. One that is gone while a younger one holds its slot was replaced: the younger one is looked at.
    """
    here = in_slot(inventory, subject)
    if subject.instance is not None and inventory.instance(subject.instance):
        return subject
    if here:
        return subject.model_copy(update={"instance": here[-1].name})
    return subject


def instance(inventory: Inventory, subject: Subject) -> Instance | None:
    """
    The subject's instance, or None.
    """
    return inventory.instance(subject.instance) if subject.instance else None


def members(group: Group, inventory: Inventory) -> tuple[Member, ...]:
    """
    The members of the group's first pool, as its word may be taken; empty when it has none.
    """
    for place in group.memberships:
        balancer = inventory.load_balancer(place.load_balancer)
        pool = balancer.pool(place.pool) if balancer else None
        if pool is not None:
            return tuple(
                as_judged(member, group.memberships) for member in pool.members
            )
    return ()
