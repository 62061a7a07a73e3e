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
from fournines.model.desired import Group, Probe
from fournines.model.inventory import Inventory
from fournines.model.probing import ProbeResult

ROUND_SECONDS = 0.3
"""From one round of probes to the next: two samples of one moment would be one sample."""

ROUNDS = 2
"""Rounds in one examination."""

PEERS_MAX = 12
"""Peers asked in one examination: enough for a median and a storm; the load balancer speaks for the others."""


@dataclass(frozen=True, slots=True)
class Probes:
    """
    Results, oldest first; `peers` by instance name.
    """

    user: tuple[ProbeResult, ...] = ()
    health: tuple[ProbeResult, ...] = ()
    peers: tuple[tuple[str, tuple[ProbeResult, ...]], ...] = ()


def take(
    ward: Ward,
    group: Group,
    inventory: Inventory | None,
    subject: Subject,
    threads: Executor,
    *,
    rounds: int = ROUNDS,
) -> Probes:
    """
    Rounds begin ROUND_SECONDS apart, however long the answers take.
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

    user: list[Future[ProbeResult]] = []
    health: list[Future[ProbeResult]] = []
    theirs: dict[str, list[Future[ProbeResult]]] = {peer.name: [] for peer in peers}
    for number in range(rounds):
        if number:
            ward.workshop.clock.sleep(ROUND_SECONDS)
        if address:
            user.append(ask(address, probe.path))
            health.append(ask(address, probe.health_path))
        for peer in peers:
            theirs[peer.name].append(ask(peer.address, probe.path))
    return Probes(
        _results(user),
        _results(health),
        tuple((name, _results(asked)) for name, asked in theirs.items()),
    )


def _ask(ward: Ward, probe: Probe, address: str, path: str) -> ProbeResult:
    return ward.workshop.prober.probe(
        address, probe.port, path, timeout_ms=probe.timeout_ms
    )


def _results(asked: Iterable[Future[ProbeResult]]) -> tuple[ProbeResult, ...]:
    return tuple(future.result() for future in asked)
