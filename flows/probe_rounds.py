"""
Rounds of our own probes: the subject on the users' path and the health check's, its peers on the users' path, all at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Executor, Future
from dataclasses import dataclass

from flows import places
from flows.ward import Ward
from fournines.model.case import Subject
from fournines.model.desired import Group, Platform, Probe
from fournines.model.inventory import Instance, Inventory
from fournines.model.probing import Answer, ProbeResult

ROUND_SECONDS = 0.3
"""From one round of probes to the next: two samples of one moment would be one sample."""

ROUNDS = 2
"""Rounds in one examination."""

PEERS_MAX = 12
"""Peers asked in one examination: enough for a median and a storm; the load balancer speaks for the others."""

NEIGHBOURS_MAX = 12
"""Others on the subject's host and in its zone, asked once: do they fall together?"""


FRONT_PATIENCE = 3
"""A request through the load balancer may meet a hung member first and be tried elsewhere: so many times a member's time-out."""


@dataclass(frozen=True, slots=True)
class Probes:
    """
    Results, oldest first; `peers` by instance name, and so are `neighbours`: what shares the subject's host or zone;
    `front`: through the load balancer, as users ask.
    """

    user: tuple[ProbeResult, ...] = ()
    health: tuple[ProbeResult, ...] = ()
    peers: tuple[tuple[str, tuple[ProbeResult, ...]], ...] = ()
    neighbours: tuple[tuple[str, tuple[ProbeResult, ...]], ...] = ()
    front: tuple[ProbeResult, ...] = ()

    @property
    def of_others(self) -> dict[str, tuple[ProbeResult, ...]]:
        """
        All that was asked of anybody but the subject.
        """
        return dict((*self.neighbours, *self.peers))

    @property
    def peer_answered(self) -> bool:
        """
        Whether any peer did.
        """
        return any(r.answer is Answer.STATUS for _, asked in self.peers for r in asked)


def take(
    ward: Ward,
    group: Group,
    inventory: Inventory | None,
    subject: Subject,
    threads: Executor,
    *,
    rounds: int = ROUNDS,
    neighbours: Iterable[tuple[Instance, Probe]] = (),
) -> Probes:
    """
    Rounds begin ROUND_SECONDS apart, however long the answers take. Neighbours are asked in the first only.
    """
    if inventory is None or group.probe is None:
        return Probes()
    probe = group.probe
    met = places.instance(inventory, places.meet(subject, inventory))
    address = met.address if met else None
    peers = [
        member
        for member in places.members(group, inventory)
        if member.name != (met.name if met else subject.instance) and member.weight > 0
    ][:PEERS_MAX]

    def ask(where: str, path: str) -> Future[ProbeResult]:
        return threads.submit(_ask, ward, probe, where, path)

    door = _front(group, inventory)
    front: list[Future[ProbeResult]] = []
    user: list[Future[ProbeResult]] = []
    health: list[Future[ProbeResult]] = []
    theirs: dict[str, list[Future[ProbeResult]]] = {peer.name: [] for peer in peers}
    near = {
        instance.name: [
            threads.submit(_ask, ward, how, instance.address, how.path),
            threads.submit(_ask, ward, how, instance.address, how.health_path),
        ]
        for instance, how in neighbours
        if instance.address and instance.name not in theirs
    }
    for number in range(rounds):
        if number:
            ward.workshop.clock.sleep(ROUND_SECONDS)
        if address:
            user.append(ask(address, probe.path))
            health.append(ask(address, probe.health_path))
        if door:
            front.append(threads.submit(_knock, ward, probe, *door))
        for peer in peers:
            theirs[peer.name].append(ask(peer.address, probe.path))
    return Probes(
        _results(user),
        _results(health),
        tuple((name, _results(asked)) for name, asked in theirs.items()),
        tuple((name, _results(asked)) for name, asked in near.items()),
        _results(front),
    )


def neighbours(
    inventory: Inventory | None, platform: Platform, subject: Subject
) -> tuple[tuple[Instance, Probe], ...]:
    """
    Whoever shares the subject's host, then its zone, of any service; with how to ask it.
    """
    met = inventory.instance(subject.instance or "") if inventory else None
    if inventory is None or met is None:
        return ()
    how = {
        (service.name, group.name): group.probe
        for service in platform.services
        for group in service.groups
    }
    found: list[tuple[bool, Instance, Probe]] = []
    for one in inventory.instances:
        near = met.host is not None and one.host == met.host
        if one.name == met.name or not (near or (met.zone and one.zone == met.zone)):
            continue
        owner = one.owner
        probe = how.get((owner.service or "", owner.group or "")) if owner else None
        if probe is not None:
            found.append((not near, one, probe))
    found.sort(key=lambda entry: (entry[0], entry[1].name))
    return tuple((one, probe) for _, one, probe in found[:NEIGHBOURS_MAX])


def _front(group: Group, inventory: Inventory) -> tuple[str, int] | None:
    """
    Address and port at which users reach the group over HTTP; None when there is none.
    """
    for place in group.memberships:
        balancer = inventory.load_balancer(place.load_balancer)
        pool = balancer.pool(place.pool) if balancer else None
        address = balancer.floating_address or balancer.vip_address if balancer else ""
        if balancer is None or pool is None or not address:
            continue
        for listener in balancer.listeners:
            if listener.protocol == "HTTP" and listener.pool_id == pool.id:
                return address, listener.port
    return None


def _knock(ward: Ward, probe: Probe, address: str, port: int) -> ProbeResult:
    """
    A user's request. It may be tried at several members, so it gets as long as a second member needs.
    """
    return ward.workshop.prober.probe(
        address, port, probe.path, timeout_ms=FRONT_PATIENCE * probe.timeout_ms
    )


def _ask(ward: Ward, probe: Probe, address: str, path: str) -> ProbeResult:
    return ward.workshop.prober.probe(
        address,
        probe.port,
        path,
        timeout_ms=probe.timeout_ms,
        scheme=probe.scheme,
    )


def _results(asked: Iterable[Future[ProbeResult]]) -> tuple[ProbeResult, ...]:
    return tuple(future.result() for future in asked)
