"""
Only what registry and tags say is ours is touched: instances, their load balancer, their volume; and never what somebody else holds.

The tags must name this very place. Where the registry remembers a resource under that name, it must be the same one: a copy of a name and its tags
is somebody else's. What the registry does not remember (it was made in the moment of a crash) is judged by its tags.
"""

from __future__ import annotations

from fournines.model import names
from fournines.model.inventory import Instance, LoadBalancer, Volume
from fournines.model.ownership import Owner
from fournines.model.refusal import Reason, Refusal
from healing.situation import Situation

HELD_STATUSES = frozenset(
    {"awaiting-transfer", "maintenance", "reserved", "retyping", "restoring-backup"}
)
"""Cinder's words for a volume that somebody else works on."""


def not_ours(situation: Situation) -> Refusal | None:
    """
    Something that a remedy would touch does not carry our mark of this place, or is not what the registry knows under that name.
    """
    why = next(
        (
            said
            for said in (
                _instance(situation),
                _load_balancer(situation),
                _volume(situation),
            )
            if said
        ),
        None,
    )
    return situation.refuse(Reason.NOT_OURS, why) if why else None


def locked(situation: Situation) -> Refusal | None:
    """
    Somebody locked an instance of the slot, or works on its volume.
    """
    for instance in _in_slot(situation):
        if instance.locked:
            return situation.refuse(
                Reason.LOCKED,
                f"{instance.name} is locked; unlock it to let it be healed",
            )
    volume = _slot_volume(situation)
    if volume is not None and volume.status.lower() in HELD_STATUSES:
        return situation.refuse(
            Reason.LOCKED,
            f"somebody works on the volume {volume.name}: it is {volume.status}",
        )
    return None


def _in_slot(situation: Situation) -> tuple[Instance, ...]:
    """
    The subject's instance, and leftovers of its slot: a replacement deletes them all.
    """
    subject = situation.subject
    found = {
        instance.id: instance
        for instance in situation.inventory.of_group(
            subject.service, subject.group or ""
        )
        if instance.owner and instance.owner.slot == subject.slot
    }
    if situation.instance is not None:
        found[situation.instance.id] = situation.instance
    return tuple(found.values())


def _instance(situation: Situation) -> str | None:
    subject = situation.subject
    place = (subject.platform, subject.service, subject.group, subject.slot)
    for instance in _in_slot(situation):
        if instance.owner is None or _place(instance.owner) != place:
            return f"{instance.name} ({instance.id}) does not carry the mark of {subject.key}"
        if said := _stranger(situation, "instance", instance):
            return said
    return None


def _place(owner: Owner) -> tuple[str, str | None, str | None, int | None]:
    return (owner.platform, owner.service, owner.group, owner.slot)


def _load_balancer(situation: Situation) -> str | None:
    subject = situation.subject
    for place in situation.group.memberships:
        balancer = situation.inventory.load_balancer(place.load_balancer)
        if balancer is None:
            continue
        owner = balancer.owner
        ours = owner and owner.platform == subject.platform
        if not (owner and ours and owner.service in {None, subject.service}):
            return (
                f"the load balancer {balancer.name} ({balancer.id}) does not carry "
                f"the mark of {subject.platform}/{subject.service}"
            )
        if said := _stranger(situation, "load-balancer", balancer):
            return said
    return None


def _volume(situation: Situation) -> str | None:
    volume = _slot_volume(situation)
    if volume is None:
        return None
    subject = situation.subject
    place = (subject.platform, subject.service, subject.group, subject.slot)
    if volume.owner is None or _place(volume.owner) != place:
        return f"the volume {volume.name} ({volume.id}) does not carry the mark of {subject.key}"
    mine = {instance.id for instance in _in_slot(situation)}
    known = {instance.id for instance in situation.inventory.instances}
    if volume.attached_to in known - mine:
        return f"the volume {volume.name} is attached to {volume.attached_to}, which is not of its slot"
    return _stranger(situation, "volume", volume)


def _slot_volume(situation: Situation) -> Volume | None:
    subject = situation.subject
    if situation.group.volume_size_gb is None or subject.slot is None:
        return None
    name = names.slot(
        subject.platform, subject.service, subject.group or "", subject.slot
    )
    return next((v for v in situation.inventory.volumes if v.name == name), None)


def _stranger(
    situation: Situation, kind: str, resource: Instance | LoadBalancer | Volume
) -> str | None:
    """
    A resource that is not the one which the registry remembers under its name.
    """
    known = situation.registered.get((kind, resource.name))
    if known is None or known == resource.id:
        return None
    return (
        f"{kind} {resource.name} is {resource.id}, and the registry knows {known} under that "
        "name; deploy again if it is ours"
    )
