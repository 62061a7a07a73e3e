"""
Who goes and who comes when a slot's instance is replaced: generation and zone.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from fournines.model import names
from fournines.model.desired import instance_digest
from fournines.model.inventory import Instance
from healing.situation import Situation

FIT = frozenset({"ACTIVE", "BUILD"})
"""Nova's words for an instance that serves or is about to."""


@dataclass(frozen=True, slots=True)
class Replacement:
    """
    One change of generation. `leaving` holds leftovers of earlier generations too, oldest first.
    """

    arriving: str
    generation: int
    zone: str | None
    leaving: tuple[str, ...]


def of_slot(situation: Situation) -> Replacement:
    """
    The next generation of the subject's slot.

    A younger instance than the sick one is a replacement that was cut short: it is finished, not doubled. An older one that
    serves users makes the sick one a leftover: it stays, and the leftover goes.
    """
    subject = situation.subject
    assert subject.group is not None
    assert subject.slot is not None
    here = tuple(
        instance
        for instance in situation.inventory.of_group(subject.service, subject.group)
        if instance.owner and instance.owner.slot == subject.slot
    )
    sick = max(
        (_generation(i) for i in here if i.name == subject.instance),
        default=_named_generation(subject.instance),
    )
    begun = [i for i in here if _generation(i) > sick and _is_fit(i, situation)]
    kept = begun or [i for i in here if _serves(i, situation)]
    if kept:
        chosen = kept[-1]
        number, zone = _generation(chosen), chosen.zone
    else:
        number = max([sick, *(_generation(i) for i in here)]) + 1
        zone = _emptiest_zone(situation)
    arriving = names.instance(
        subject.platform, subject.service, subject.group, subject.slot, number
    )
    return Replacement(
        arriving=arriving,
        generation=number,
        zone=zone,
        leaving=_leaving(here, subject.instance, arriving),
    )


def _leaving(
    here: tuple[Instance, ...], sick: str | None, arriving: str
) -> tuple[str, ...]:
    """
    All earlier instances of the slot, and the sick one even when the cloud has forgotten it: its member may still be there.
    """
    found = [instance.name for instance in here if instance.name != arriving]
    if sick and sick not in found and sick != arriving:
        found.insert(0, sick)
    return tuple(found)


def _emptiest_zone(situation: Situation) -> str | None:
    """
    The zone with the fewest of the group's other slots; on a tie the one the sick instance had, then the first. Never one that looks down.
    """
    down = situation.pattern.zones_down() if situation.pattern else ()
    zones = [
        zone
        for zone in situation.group.zones
        if zone not in down
        and (not situation.inventory.zones or zone in situation.inventory.zones)
    ]
    zones = _off_the_host(zones, situation)
    if not zones:
        return None
    subject = situation.subject
    assert subject.group is not None
    others = Counter(
        instance.zone
        for instance in situation.inventory.of_group(subject.service, subject.group)
        if instance.owner and instance.owner.slot != subject.slot
    )
    had = situation.instance.zone if situation.instance else None
    return min(zones, key=lambda zone: (others[zone], zone != had, zones.index(zone)))


def _off_the_host(zones: list[str], situation: Situation) -> list[str]:
    """
    Without the zone of a host that is down, where there is another: the cloud may not know yet not to build on that host.
    """
    pattern = situation.pattern
    me = pattern.member(situation.subject.instance) if pattern else None
    if pattern is None or me is None or not pattern.host_is_down(me.host):
        return zones
    return [zone for zone in zones if zone != me.zone] or zones


def _is_fit(instance: Instance, situation: Situation) -> bool:
    if instance.name in situation.spoiled:
        return False
    if situation.pattern and situation.pattern.zone_is_down(instance.zone):
        return False
    digest = instance.owner.digest if instance.owner else None
    return instance.status in FIT and digest == instance_digest(situation.group)


def _serves(instance: Instance, situation: Situation) -> bool:
    """
    Whether another instance than the subject's gets the slot's requests, and answers them.
    """
    return (
        instance.name != situation.subject.instance
        and _is_fit(instance, situation)
        and any(
            member.instance == instance.name and member.serving and member.well
            for member in situation.members
        )
    )


def _generation(instance: Instance) -> int:
    return (instance.owner.generation or 0) if instance.owner else 0


def _named_generation(name: str | None) -> int:
    """
    The generation in an instance's name, for one that the cloud has forgotten.
    """
    tail = (name or "").rpartition("-g")[2]
    return int(tail) if tail.isdigit() else 0
