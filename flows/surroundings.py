"""
The world around a subject: its peers' state, earlier healings, the switch, and who else acts.
"""

from __future__ import annotations

from datetime import timedelta

from flows import places, slot_history
from flows.places import Place
from flows.probe_rounds import Probes
from flows.ward import Ward
from fournines.model.case import Case, CaseState, Diagnosis, Subject
from fournines.model.desired import Group
from fournines.model.inventory import Inventory, Member
from fournines.model.probing import ProbeResult
from healing.diagnosis import blind, kinds
from healing.diagnosis.finding import Finding
from healing.diagnosis.gone import DEAD
from healing.evidence import MemberEvidence
from healing.pattern import Pattern
from healing.scene import Scene
from healing.situation import Attempt, MemberView, Situation


def views(
    group: Group,
    inventory: Inventory,
    evidence: MemberEvidence,
    finding: Finding,
    probes: Probes,
) -> tuple[MemberView, ...]:
    """
    Every member of the pool, and the subject even when it is in none.
    """
    asked = dict(probes.peers)
    found = []
    for member in places.members(group, inventory):
        if member.name == evidence.instance:
            well = finding.diagnosis is Diagnosis.NOTHING
            # The load balancer sends it requests: users would miss it, however badly it serves.
            answers = member.operating_status in blind.ALIVE
        else:
            well = answers = _peer_is_well(member, inventory, asked)
        found.append(
            MemberView(
                instance=member.name,
                weight=member.weight,
                well=well,
                serving=answers and member.weight > 0,
            )
        )
    return tuple(found)


def _peer_is_well(
    member: Member, inventory: Inventory, asked: dict[str, tuple[ProbeResult, ...]]
) -> bool:
    """
    Our own probes decide where there are some: one good answer of two is well enough for a bystander.
    """
    instance = inventory.instance(member.name)
    if instance is None or instance.status in DEAD:
        return False
    results = asked.get(member.name)
    if results:
        return any(result.good for result in results)
    return member.operating_status in blind.ALIVE


def situation(
    ward: Ward,
    case: Case,
    where: Place,
    *,
    subject: Subject,
    inventory: Inventory,
    members: tuple[MemberView, ...],
    pattern: Pattern,
    earlier: tuple[Case, ...],
    scene: Scene,
) -> Situation:
    """
    What brakes, ladder and planner are told.
    """
    store, now = ward.workshop.store, ward.workshop.clock.now()
    attempts = tuple(
        Attempt(past.opened_at, past.closed_at) for past in earlier if past.plan_id
    )
    return Situation(
        now=now,
        subject=subject,
        platform=where.platform,
        service=where.service,
        group=where.group,
        inventory=inventory,
        instance=inventory.instance(subject.instance or ""),
        members=members,
        healing_on=store.switches.is_on("healing"),
        switched_by=store.switches.why("healing"),
        acting=acting(ward, case),
        attempts=attempts,
        pattern=pattern,
        scene=scene,
        pauses=store.pauses.all(),
        registered={
            (kind, name): cloud_id
            for kind, name, cloud_id in store.registry.resources(subject.platform)
        },
        unsettled=unsettled(ward, case),
        cluster=scene.cluster,
        storm_at=slot_history.storm_at(store.cases, subject, where.platform, now),
        flaps=slot_history.flaps(store.cases, subject.key, where.group.healing, now),
        quarantines=store.quarantines.all(),
    )


def earlier_cases(
    ward: Ward, case: Case, where: Place, subject: Subject
) -> tuple[Case, ...]:
    """
    The slot's other cases within the group's cool-down window, oldest first.
    """
    now = ward.workshop.clock.now()
    since = now - timedelta(seconds=where.group.healing.cooldown_seconds)
    found = ward.workshop.store.cases.cases(
        service=subject.service, since=since, limit=1_000
    )
    return tuple(
        past
        for past in reversed(found)
        if past.id != case.id and past.subject.key == subject.key
    )


def acting(ward: Ward, case: Case) -> tuple[str, ...]:
    """
    Keys of the platform's other cases that perform a plan now.
    """
    return tuple(
        other.subject.key
        for other in ward.workshop.store.cases.cases(open_only=True, limit=1_000)
        if other.id != case.id
        and other.subject.platform == case.subject.platform
        and other.state is CaseState.ACTING
    )


def remedied_by(ward: Ward, case: Case) -> Case | None:
    """
    The case whose remedy for this case's whole service is under way, if there is one.
    """
    return next(
        (
            other
            for other in ward.workshop.store.cases.cases(
                service=case.subject.service, open_only=True, limit=1_000
            )
            if other.id != case.id
            and other.subject.platform == case.subject.platform
            and other.state in {CaseState.ACTING, CaseState.VERIFYING}
            and other.diagnosis in kinds.REMEDIED_AS_ONE
        ),
        None,
    )


def unsettled(ward: Ward, case: Case) -> tuple[str, ...]:
    """
    Keys of the service's other cases that perform a plan now, or watch what came of it.
    """
    mine = (case.subject.platform, case.subject.service)
    return tuple(
        other.subject.key
        for other in ward.workshop.store.cases.cases(open_only=True, limit=1_000)
        if other.id != case.id
        and (other.subject.platform, other.subject.service) == mine
        and other.state in {CaseState.ACTING, CaseState.VERIFYING}
    )
