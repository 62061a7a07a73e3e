"""
What one RabbitMQ node sees of its cluster, and what follows of each member. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fournines.model.cluster import ClusterMember, Role, Standing, majority
from tasks.operators import Cluster

REPLICAS_WANTED = 3
NODE = "rabbit@"
"""What a node's name begins with; its slot's address follows."""


@dataclass(frozen=True, slots=True)
class Sight:
    """
    What one node sees: the nodes by address, and the queues; None: it does not tell of them.
    """

    nodes: Mapping[str, Mapping[str, Any]]
    queues: tuple[Mapping[str, Any], ...] | None

    @property
    def running(self) -> frozenset[str]:
        """Addresses of nodes that run."""
        return frozenset(a for a, node in self.nodes.items() if node.get("running"))

    @property
    def quorum_queues(self) -> tuple[Mapping[str, Any], ...]:
        """Those with replicas."""
        return tuple(q for q in self.queues or () if q.get("type") == "quorum")


def address_of(node: Any) -> str:
    """
    The address in a node's name.
    """
    return str(node or "").removeprefix(NODE)


def member(
    sight: Sight, slot: str, cluster: Cluster, address: str | None
) -> ClusterMember:
    """
    The member in a slot.
    """
    instance = cluster.instance(slot)
    node = sight.nodes.get(address or "")
    running = bool(node and node.get("running"))
    if node is None:
        state = Standing.STARTING if instance else Standing.ABSENT
    else:
        state = Standing.RUNNING if running else Standing.STOPPED
    lacking = _why_not_in_sync(sight, address or "")
    return ClusterMember(
        slot_name=slot,
        instance=instance.name if instance else None,
        address=address,
        role=Role.PEER,
        state=state,
        in_sync=running and not lacking,
        votes=running and not (node or {}).get("partitions"),
        detail=lacking if running else "",
    )


def _why_not_in_sync(sight: Sight, address: str) -> str:
    """
    What a running node lacks to count in full; empty when nothing.
    """
    if sight.queues is None:
        return "RabbitMQ does not tell of its queues"
    lacking = lacking_here(sight, address)
    if lacking:
        return f"{len(lacking)} queues want a replica here, {lacking[0]['name']} first"
    behind = [
        str(queue["name"])
        for queue in sight.quorum_queues
        if address in map(address_of, queue.get("members") or ())
        and address not in map(address_of, queue.get("online") or ())
    ]
    if behind:
        return f"{len(behind)} queues wait for it, {behind[0]} first"
    return ""


def lacking_here(sight: Sight, address: str) -> list[Mapping[str, Any]]:
    """
    Queues with fewer replicas than there could be, which this node has to take: the first running one that has none.
    """
    found = []
    for queue in sight.quorum_queues:
        members = {address_of(name) for name in queue.get("members") or ()}
        free = sight.running - members
        short = len(members) % 2 == 0 or len(members) < min(
            REPLICAS_WANTED, len(sight.running)
        )
        if short and free and min(free) == address:
            found.append(queue)
    return found


def split(sight: Sight, slots: Mapping[str, str]) -> str:
    """
    Nodes that run and have gone on without others that run as well.
    """
    apart = [
        slots.get(address, address)
        for address, node in sight.nodes.items()
        if node.get("running") and node.get("partitions")
    ]
    return f"{' and '.join(apart)} went on apart from others" if apart else ""


def problems(sight: Sight, slots: Mapping[str, str]) -> list[str]:
    """
    What a person should know of it.
    """
    found = []
    for address, node in sight.nodes.items():
        name = slots.get(address, address)
        if node.get("mem_alarm"):
            found.append(f"{name} is out of memory: publishers are blocked")
        if node.get("disk_free_alarm"):
            found.append(f"{name} is out of disk: publishers are blocked")
        if node.get("partitions"):
            found.append(f"{name} was cut off from others")
    for queue in sight.quorum_queues:
        members, online = queue.get("members") or (), queue.get("online") or ()
        if len(online) < majority(len(members)):
            found.append(
                f"queue {queue['name']} of vhost {queue['vhost']} has {len(online)} of "
                f"{len(members)} replicas: it takes nothing"
            )
    return found
