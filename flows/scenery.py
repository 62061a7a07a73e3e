"""
The scene around one member, for the engines: load, load balancer, dependencies, earlier cases, the age of its release.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from alerts import conventions as c
from blueprints import lifecycles
from flows import heal_measures, slot_history
from flows.places import Place
from flows.ward import Ward
from fournines.model.case import Diagnosis, Subject
from fournines.model.cluster import ClusterView
from fournines.model.desired import Group, Platform, Service, instance_digest
from fournines.model.inventory import Inventory
from fournines.model.probing import ProbeResult
from fournines.model.transaction import failed_lately
from fournines.store.protocol import PastService
from healing.pattern import Pattern
from healing.scene import BalancerState, Dependency, Load, Scene
from tasks import membership

ROLLED_BACK_LATELY = timedelta(hours=1)
"""A second roll-back within this time would bring back what was rolled away."""


def build(
    ward: Ward,
    place: Place,
    subject: Subject,
    inventory: Inventory,
    pattern: Pattern,
    *,
    front: tuple[ProbeResult, ...],
    load: Load,
    cluster: ClusterView | None,
) -> Scene:
    """
    The scene. `front` holds our requests through the load balancer; `cluster` is what a stateful group says of itself.
    """
    past = ward.workshop.store.registry.past(subject.platform, subject.service)
    before = previous_release(past, place.group)
    return Scene(
        now=ward.workshop.clock.now(),
        subject=subject,
        pattern=pattern,
        load=load,
        balancer=_balancer(place.group, inventory, front),
        dependencies=tuple(_below(ward, place, pattern)),
        burning=_burns(ward, subject.platform, subject.service),
        flaps=slot_history.flaps(
            ward.workshop.store.cases,
            subject.key,
            place.group.healing,
            ward.workshop.clock.now(),
        ),
        limits=place.group.healing,
        released_at=before.until if before else None,
        previous=before.service if before else None,
        rolled_back=_rolled_back(ward, subject),
        stateful=lifecycles.of(place.service, place.group) is not None,
        cluster=cluster,
        tried=ward.tried(subject.platform, subject.service),
    )


def cluster_of(ward: Ward, place: Place, inventory: Inventory) -> ClusterView | None:
    """
    What a stateful group says of itself; None: it is none, or nobody there can be asked.
    """
    found = membership.ward(ward.workshop, place.service, place.group)
    return membership.view(found, inventory) if found else None


def measure(
    ward: Ward,
    subject: Subject,
    diagnosis: Diagnosis,
    front: tuple[ProbeResult, ...],
) -> Load:
    """
    How much is asked of the service; only asked where load could explain what is seen, or say whether others than we get through.
    """
    locked_out = bool(front) and not any(probe.good for probe in front)
    unasked = {Diagnosis.NOTHING, Diagnosis.GONE, Diagnosis.BLIND}
    if diagnosis in unasked and not locked_out:
        return Load()
    return heal_measures.of_service(
        ward.metrics, platform=subject.platform, service=subject.service
    )


def previous_release(past: tuple[PastService, ...], group: Group) -> PastService | None:
    """
    The last state of a service in which this group was made from something else; None when there is none.
    """
    digest = instance_digest(group)
    for before in past:
        for one in before.service.groups:
            if one.name == group.name and instance_digest(one) != digest:
                return before
    return None


def _rolled_back(ward: Ward, subject: Subject) -> bool:
    """
    Whether a case of the group has rolled it back lately: what is behind it now is what was rolled away.
    """
    since = ward.workshop.clock.now() - ROLLED_BACK_LATELY
    return any(
        case.diagnosis is Diagnosis.BAD_RELEASE
        and case.plan_id is not None
        and case.subject.group == subject.group
        and case.subject.platform == subject.platform
        for case in ward.workshop.store.cases.cases(
            service=subject.service, since=since, limit=1_000
        )
    )


def _balancer(
    group: Group, inventory: Inventory, probes: tuple[ProbeResult, ...]
) -> BalancerState | None:
    for place in group.memberships:
        found = inventory.load_balancer(place.load_balancer)
        if found is not None:
            return BalancerState(
                name=found.name,
                provisioning_status=found.provisioning_status,
                operating_status=found.operating_status,
                failover_stopped=found.failover_stopped,
                probes=probes,
            )
    return None


def _below(ward: Ward, place: Place, pattern: Pattern) -> Iterator[Dependency]:
    """
    Everything the service depends on, nearest first.
    """
    depths = _depths(place.platform, place.service)
    if not depths:
        return
    store = ward.workshop.store
    open_cases = store.cases.cases(open_only=True, limit=1_000)
    for name, depth in depths.items():
        yield Dependency(
            service=name,
            depth=depth,
            share=pattern.of_service(name).share,
            burning=_burns(ward, place.platform.name, name),
            failing=bool(
                failed_lately(
                    ward.tried(place.platform.name, name), ward.workshop.clock.now()
                )
            ),
            case_id=next(
                (
                    case.id
                    for case in open_cases
                    if (case.subject.platform, case.subject.service)
                    == (place.platform.name, name)
                ),
                None,
            ),
        )


def _burns(ward: Ward, platform: str, service: str) -> bool:
    firing = ward.workshop.store.inbox.firing(platform, service)
    return any(alert.labels.get(c.TIER) == c.Tier.BURN for alert in firing)


def _depths(platform: Platform, service: Service) -> dict[str, int]:
    """
    Names of what a service depends on, directly or not, with the longest way there; circles end where they close.
    """
    known = {one.name: one for one in platform.services}
    depths: dict[str, int] = {}

    def descend(one: Service, depth: int, way: frozenset[str]) -> None:
        for name in one.depends_on:
            if name in way:
                continue
            depths[name] = max(depth, depths.get(name, 0))
            if name in known:
                descend(known[name], depth + 1, way | {name})

    descend(service, 1, frozenset({service.name}))
    return depths
