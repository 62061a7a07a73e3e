"""
The platform-wide picture, put together from what is at hand: the fresh inventory of the subject's service, the healer's view of the
others, our own probes, the load balancers' words and the diagnoses of open cases.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from flows.ward import Ward
from fournines.model import names
from fournines.model.case import Case, Diagnosis
from fournines.model.desired import Group, Platform, Service, instance_digest
from fournines.model.inventory import Instance, Inventory, Member
from fournines.model.probing import Answer, ProbeResult
from fournines.model.standby import STANDBY
from fournines.planning.pools import as_judged
from healing.diagnosis.gone import DEAD
from healing.diagnosis.kinds import SICK
from healing.evidence import MemberEvidence
from healing.pattern import MemberState, Pattern

_ALIVE = frozenset({"ONLINE", "DRAINING", STANDBY})
"""Octavia's words for a member that its monitor found well."""

_BEING_MADE = frozenset({"BUILD", "REBOOT", "HARD_REBOOT", "DELETING"})
"""Nova's words for an instance that is not expected to answer."""


RECALLED = timedelta(minutes=10)
"""So long a host or zone that was found down is not trusted, unless somebody is well there."""


@dataclass(frozen=True, slots=True)
class Seen:
    """
    What is known besides the inventories.

    Attributes:
        service: The one that the fresh inventory is about.
        asked: Our own probes of the subject's peers and neighbours, by instance.
        evidence: About the subject; `verdict` is whether it is well.
        troubled: Open cases by their subject's instance.
    """

    service: str
    asked: Mapping[str, tuple[ProbeResult, ...]] = field(default_factory=dict)
    evidence: MemberEvidence | None = None
    verdict: bool | None = None
    troubled: Mapping[str, Case] = field(default_factory=dict)


def paint(ward: Ward, platform: Platform, fresh: Inventory, seen: Seen) -> Pattern:
    """
    The picture. `fresh` may be of one service; the others come from the view, some seconds old.
    """
    known = ward.known(platform.name)
    states: list[MemberState] = []
    for service in platform.services:
        here = fresh if known is None or service.name == seen.service else known
        for group in service.groups:
            states += _of_group(ward, here, service, group, seen)
    down = {
        instance.host
        for inventory in (fresh, known)
        if inventory is not None
        for instance in inventory.instances
        if instance.host and instance.host_status == "DOWN"
    }
    return Pattern(
        at=fresh.at,
        platform=platform.name,
        members=tuple(states),
        hosts_down=frozenset(down),
        recalled=_recalled(ward, platform.name),
    )


def _recalled(ward: Ward, platform: str) -> frozenset[str]:
    """
    Hosts and zones that cases found down lately.
    """
    since = ward.workshop.clock.now() - RECALLED
    return frozenset(
        case.cause
        for case in ward.workshop.store.cases.cases(since=since, limit=1_000)
        if case.cause is not None
        and case.subject.platform == platform
        and case.diagnosis in {Diagnosis.HOST_DOWN, Diagnosis.ZONE_DOWN}
    )


def troubled(ward: Ward, platform: str) -> dict[str, Case]:
    """
    Open cases of a platform by the instance they are about.
    """
    return {
        case.subject.instance: case
        for case in ward.workshop.store.cases.cases(open_only=True, limit=1_000)
        if case.subject.platform == platform and case.subject.instance
    }


def verdict(diagnosis: Diagnosis) -> bool | None:
    """
    Whether a diagnosis calls the member well.
    """
    if diagnosis is Diagnosis.NOTHING:
        return True
    return False if diagnosis in SICK else None


def _of_group(
    ward: Ward, inventory: Inventory, service: Service, group: Group, seen: Seen
) -> Iterator[MemberState]:
    members = {
        member.name: as_judged(member, group.memberships)
        for place in group.memberships
        if (balancer := inventory.load_balancer(place.load_balancer)) is not None
        if (pool := balancer.pool(place.pool)) is not None
        for member in pool.members
    }
    digest = instance_digest(group)
    filled: set[int] = set()
    for instance in inventory.of_group(service.name, group.name):
        owner = instance.owner
        assert owner is not None
        slot = owner.slot or 0
        filled.add(slot)
        member = members.get(instance.name)
        well, silent = _judge(instance, member, seen)
        case = seen.troubled.get(instance.name)
        since = (case.fault_at or case.opened_at) if case else instance.created_at
        yield MemberState(
            instance=instance.name,
            service=service.name,
            group=group.name,
            slot=slot,
            generation=owner.generation or 0,
            host=instance.host,
            zone=instance.zone,
            image=instance.image or group.image,
            digest=owner.digest,
            current=owner.digest == digest,
            weight=member.weight if member else None,
            well=well,
            silent=silent,
            balancer_alive=_alive(member),
            served=ward.served(instance.name),
            created_at=instance.created_at,
            since=since,
        )
    for slot in range(group.count):
        if slot not in filled:
            yield _empty(service, group, slot)


def _empty(service: Service, group: Group, slot: int) -> MemberState:
    """
    A slot without an instance: it is unwell, and on no host.
    """
    return MemberState(
        instance=names.slot(service.platform, service.name, group.name, slot),
        service=service.name,
        group=group.name,
        slot=slot,
        generation=0,
        well=False,
    )


def _judge(
    instance: Instance, member: Member | None, seen: Seen
) -> tuple[bool | None, bool | None]:
    """
    Whether it is well, and whether it is unwell without a word, as far as it was asked. Our own eyes go before the load balancer's word.
    """
    evidence = seen.evidence
    if evidence is not None and evidence.instance == instance.name:
        asked, well = evidence.probes, seen.verdict
    else:
        asked = seen.asked.get(instance.name, ())
        well = any(probe.good for probe in asked) if asked else None
    mute = not any(probe.answer is Answer.STATUS for probe in asked)
    if instance.status in DEAD and well is not True:
        return False, mute
    if not asked:
        return _by_others(instance, member, seen), None
    return well, well is False and mute and _alive(member) is not True


def _by_others(instance: Instance, member: Member | None, seen: Seen) -> bool | None:
    """
    Where we have not looked ourselves: an open case's diagnosis, then the load balancer.
    """
    case = seen.troubled.get(instance.name)
    if case is not None and case.diagnosis is not None:
        told = verdict(case.diagnosis)
        if told is not None:
            return told
    if instance.status in _BEING_MADE:
        return None
    return _alive(member)


def _alive(member: Member | None) -> bool | None:
    if member is None or member.operating_status in {"NO_MONITOR", "OFFLINE"}:
        return None
    return member.operating_status in _ALIVE
