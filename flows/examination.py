"""
Looking at one slot with fresh eyes: the cloud's inventory, our own probes of the member and its peers, Prometheus' measures.

Reading only. What it returns is what every decision of a healing is made from; the alert that woke us is only a hint.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flows import (
    heal_measures,
    picture,
    places,
    probe_rounds,
    scenery,
    surroundings,
)
from flows.places import Place
from flows.probe_rounds import PEERS_MAX, Probes
from flows.ward import Ward
from fournines import log
from fournines.cloud.errors import CloudError, CloudUnreachable
from fournines.model.case import Case, Subject
from fournines.model.cluster import ClusterView
from fournines.model.desired import Group
from fournines.model.inventory import Inventory
from fournines.model.probing import ProbeResult
from healing.diagnosis import diagnose, explain
from healing.diagnosis.finding import Finding
from healing.evidence import Measures, MemberEvidence
from healing.situation import Situation, pool_member, pool_members

PROBES_KEPT = 6
"""Rounds that count when an examination is repeated: older ones are history."""

_log = log.get("healing")


@dataclass(frozen=True, slots=True)
class Examination:
    """
    What one look gave.
    """

    situation: Situation
    evidence: MemberEvidence
    finding: Finding


@dataclass(frozen=True, slots=True)
class _Gathered:
    """
    What one look brought home: the subject as met, the inventory it was met in, and what was asked.
    """

    subject: Subject
    inventory: Inventory
    cloud_read: bool
    probes: Probes
    measures: Measures | None
    cluster: ClusterView | None


def examine(
    ward: Ward, case: Case, *, earlier: MemberEvidence | None = None
) -> Examination:
    """
    One look. `earlier` probes of the same instance count too, the latest of them.

    Raises:
        SubjectUnknown: Nothing of ours bears that name.
        CloudUnreachable: Neither the cloud nor the instance could be looked at.
    """
    place = places.find(ward.workshop.store.registry, case.subject)
    found = _gather(ward, place, case.subject)
    subject, inventory = found.subject, found.inventory
    evidence = _evidence(
        ward,
        place,
        subject,
        inventory,
        probes=found.probes,
        measures=found.measures,
        cloud_read=found.cloud_read,
    )
    if earlier is not None and earlier.instance == evidence.instance:
        evidence = _together(earlier, evidence)
    member = diagnose(evidence)
    pattern = picture.paint(
        ward,
        place.platform,
        inventory,
        picture.Seen(
            service=subject.service,
            asked=found.probes.of_others,
            evidence=evidence,
            verdict=picture.verdict(member.diagnosis),
            troubled=picture.troubled(ward, subject.platform),
        ),
    )
    past = surroundings.earlier_cases(ward, case, place, subject)
    scene = scenery.build(
        ward,
        place,
        subject,
        inventory,
        pattern,
        front=found.probes.front,
        load=scenery.measure(ward, subject, member.diagnosis, found.probes.front),
        cluster=found.cluster,
    )
    finding = explain(member, evidence, scene)
    members = surroundings.views(place.group, inventory, evidence, member, found.probes)
    situation = surroundings.situation(
        ward,
        case,
        place,
        subject=subject,
        inventory=inventory,
        members=members,
        pattern=pattern,
        earlier=past,
        scene=scene,
    )
    return Examination(situation, evidence, finding)


def _gather(ward: Ward, place: Place, subject: Subject) -> _Gathered:
    """
    Read the cloud, ask everybody and Prometheus, all at once; again where the cloud knows another instance than we thought.
    """
    with ward.workshop.crew.hands(2 * (PEERS_MAX + 2), "look") as threads:
        known = ward.known(subject.platform)
        reading = threads.submit(_read, ward, subject)
        if known is None or places.instance(known, subject) is None:
            known = reading.result()
        measuring = threads.submit(_measure, ward, place, known, subject)
        viewing = threads.submit(_view, ward, place, known)
        near = probe_rounds.neighbours(known, place.platform, subject)
        probes = probe_rounds.take(
            ward, place.group, known, subject, threads, neighbours=near
        )
        inventory = reading.result()
        measures = measuring.result()
        if inventory is None and known is None:
            raise CloudUnreachable(
                f"examining {subject.key}", "no inventory could be read"
            )
        fresh = inventory or known
        assert fresh is not None
        met = places.meet(subject, fresh)
        if known is not None and _is_another(place, subject, known, fresh, probes):
            probes = probe_rounds.take(ward, place.group, fresh, met, threads)
            measures = _measure(ward, place, fresh, met)
        cluster = viewing.result()
    return _Gathered(met, fresh, inventory is not None, probes, measures, cluster)


def _is_another(
    place: Place, subject: Subject, known: Inventory, fresh: Inventory, asked: Probes
) -> bool:
    """
    Whether those who were asked are not those who are there: another instance in the slot; or other peers, where no peer answered.
    """
    if places.meet(subject, fresh).instance != places.meet(subject, known).instance:
        return True
    then, now = (
        {member.name for member in places.members(place.group, inventory)}
        for inventory in (known, fresh)
    )
    return then != now and not asked.peer_answered


def look_once(ward: Ward, subject: Subject) -> MemberEvidence:
    """
    One round of fresh evidence about an instance that was just remedied.
    """
    place = places.find(ward.workshop.store.registry, subject)
    service = ward.workshop.cloud.serving(subject.platform, subject.service)
    with ward.workshop.crew.hands(PEERS_MAX + 2, "look") as threads:
        measuring = threads.submit(_measure, ward, place, service, subject)
        probes = probe_rounds.take(
            ward, place.group, service, subject, threads, rounds=1
        )
        measures = measuring.result()
    return _evidence(ward, place, subject, service, probes=probes, measures=measures)


def _view(ward: Ward, place: Place, known: Inventory | None) -> ClusterView | None:
    return scenery.cluster_of(ward, place, known) if known is not None else None


def _read(ward: Ward, subject: Subject) -> Inventory | None:
    try:
        return ward.workshop.cloud.inventory(subject.platform, subject.service)
    except CloudError as error:
        _log.warning("cloud_not_read", error=str(error))
        return None


def _measure(
    ward: Ward, place: Place, inventory: Inventory | None, subject: Subject
) -> Measures | None:
    """
    What Prometheus says of the member; None when it is in no pool.
    """
    if inventory is None:
        return None
    name = places.meet(subject, inventory).instance or ""
    found = pool_member(inventory, place.group, name)
    if found is None:
        return None
    balancer, pool, member = found
    return heal_measures.of_member(
        ward.metrics,
        crew=ward.workshop.crew,
        pool_id=_pool_id(inventory, balancer, pool),
        member_id=member.id,
        instance=name,
        at=ward.workshop.clock.now(),
    )


def _evidence(
    ward: Ward,
    place: Place,
    subject: Subject,
    inventory: Inventory,
    *,
    probes: Probes,
    measures: Measures | None,
    cloud_read: bool = True,
) -> MemberEvidence:
    name = subject.instance or ""
    instance = inventory.instance(name)
    found = pool_members(inventory, place.group, name)
    firing = ward.workshop.store.inbox.firing(subject.platform, subject.service)
    return MemberEvidence(
        at=ward.workshop.clock.now(),
        instance=name,
        instance_status=instance.status if instance else None,
        cloud_read=cloud_read,
        fault=instance.fault if instance else None,
        operating_status=found[0][2].operating_status if found else None,
        weight=min((member.weight for _, _, member in found), default=None),
        pooled=bool(place.group.memberships),
        users_wait=_is_asked_where_users_go(place.group),
        user_probes=probes.user,
        health_probes=probes.health,
        peer_probes=tuple(result for _, asked in probes.peers for result in asked),
        front_probes=probes.front,
        peer_statuses=tuple(
            member.operating_status
            for member in places.members(place.group, inventory)
            if member.name != name and member.weight > 0
        ),
        measures=measures,
        firing=tuple(
            sorted({a.name for a in firing if a.labels.get("instance_name") == name})
        ),
    )


def _is_asked_where_users_go(group: Group) -> bool:
    return group.probe is None or any(
        place.port == group.probe.port for place in group.memberships
    )


def _pool_id(inventory: Inventory, balancer: str, pool: str) -> str:
    found = inventory.load_balancer(balancer)
    there = found.pool(pool) if found else None
    return there.id if there else ""


def _together(earlier: MemberEvidence, now: MemberEvidence) -> MemberEvidence:
    def last(
        before: Sequence[ProbeResult], after: Sequence[ProbeResult]
    ) -> tuple[ProbeResult, ...]:
        return tuple((*before, *after)[-PROBES_KEPT:])

    return now.model_copy(
        update={
            "user_probes": last(earlier.user_probes, now.user_probes),
            "health_probes": last(earlier.health_probes, now.health_probes),
        }
    )
