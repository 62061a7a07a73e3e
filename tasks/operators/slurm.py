"""
Slurm as an operator sees it: a controller, whose state is on its volume, and workers that it is told of by themselves.

A worker leaves once its tasks have ended; what still runs when its time is over goes back to the queue and begins again elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable

from blueprints.batch.reading import Node
from fournines.clock import Clock
from fournines.cloud.errors import CloudError
from fournines.model.cluster import ClusterMember, ClusterView, Role, Standing
from fournines.model.contents import ContentChange
from fournines.model.desired import Service
from tasks.operators import Cluster, ClusterRefused, ClusterSilent, places
from tasks.operators.access import Access
from tasks.operators.slurm_interface import (
    CONTROLLER,
    Engine,
    SlurmInterface,
    controller_slot,
)

POLL_SECONDS = 1.0
_MARGIN_SECONDS = 15.0
"""Of the time to leave, what is kept for giving tasks back."""

_LEAVING = "leaves the platform"


class SlurmOperator:
    """
    `Operator` for both groups of a batch service.
    """

    def __init__(self, access: Callable[[Service], Access], clock: Clock) -> None:
        self._access = access
        self._clock = clock

    def interface(self, cluster: Cluster) -> Engine:
        """
        The service's interface.
        """
        slot = controller_slot(cluster.service)
        there = _controller(cluster)
        return SlurmInterface(
            self._access(cluster.service),
            self._clock,
            lambda: places.addresses(there).get(slot),
        )

    def view(self, cluster: Cluster) -> ClusterView:
        slurm = self.interface(cluster)
        if cluster.group.name == CONTROLLER:
            return self._controller_view(cluster, slurm)
        known = {one.name: one for one in slurm.nodes()}
        members = tuple(
            _worker(cluster, slot, known.get(slot))
            for slot in dict.fromkeys((*cluster.slot_names, *sorted(known)))
        )
        return ClusterView(
            platform=cluster.service.platform,
            service=cluster.service.name,
            group=cluster.group.name,
            at=self._clock.now(),
            members=members,
        )

    def leave(self, cluster: Cluster, slot: str, *, deadline_seconds: float) -> None:
        if cluster.group.name == CONTROLLER:
            # What it knows is on its volume, and tasks run on without it.
            return
        slurm = self.interface(cluster)
        if _find(slurm, slot) is None:
            return
        slurm.change_node(slot, "DRAIN", _LEAVING)
        patience = float(str(cluster.service.parameters.get("drain_seconds", 0)))
        patience = min(patience, max(deadline_seconds - _MARGIN_SECONDS, 0.0))
        while (node := _find(slurm, slot)) is not None and node.works:
            if patience <= 0:
                # Slurm gives the tasks of a worker that is down back to the queue.
                slurm.change_node(slot, "DOWN", _LEAVING)
                return
            self._clock.sleep(POLL_SECONDS)
            patience -= POLL_SECONDS

    def stay(self, cluster: Cluster, slot: str) -> None:
        if cluster.group.name == CONTROLLER:
            return
        slurm = self.interface(cluster)
        node = _find(slurm, slot)
        if node is not None and (node.leaving or node.gone):
            slurm.change_node(slot, "RESUME", "stays")

    def admitted(self, cluster: Cluster, slot: str) -> bool:
        slurm = self.interface(cluster)
        if cluster.group.name == CONTROLLER:
            return slurm.ping()
        node = _find(slurm, slot)
        if node is None:
            return False
        if node.leaving and "NOT_RESPONDING" not in node.flags:
            # It was drained so that its instance could be replaced; this is the next one.
            slurm.change_node(slot, "RESUME", "is back")
            return False
        return not node.gone

    def remove(self, cluster: Cluster, slot: str) -> None:
        if cluster.group.name == CONTROLLER:
            return
        slurm = self.interface(cluster)
        node = _find(slurm, slot)
        if node is None:
            return
        if node.works:
            # Its instance is gone: its tasks go back to the queue.
            slurm.change_node(slot, "DOWN", _LEAVING)
        slurm.forget_node(slot)

    def apply(self, cluster: Cluster) -> tuple[str, ...]:
        del cluster
        return ()

    def drift(self, cluster: Cluster) -> tuple[ContentChange, ...]:
        del cluster
        return ()

    def switchover(self, cluster: Cluster, to: str | None) -> str:
        raise ClusterRefused(
            f"switching {cluster.label} over to {to or 'another'}",
            "it has one controller; replacing it costs no running task",
        )

    def restart(self, cluster: Cluster, slot: str) -> None:
        raise ClusterRefused(
            f"restarting {slot} of {cluster.label}",
            "a controller or worker is replaced, not restarted",
        )

    def _controller_view(self, cluster: Cluster, slurm: Engine) -> ClusterView:
        slot = controller_slot(cluster.service)
        try:
            up = slurm.ping()
        except CloudError as error:
            raise ClusterSilent(f"asking {cluster.label} how it is", str(error)) from (
                error
            )
        instance = cluster.instance(slot)
        member = ClusterMember(
            slot_name=slot,
            instance=instance.name if instance else None,
            address=instance.address if instance else None,
            role=Role.PRIMARY,
            state=Standing.RUNNING if up else Standing.STARTING,
            in_sync=up,
            votes=up,
        )
        return ClusterView(
            platform=cluster.service.platform,
            service=cluster.service.name,
            group=cluster.group.name,
            at=self._clock.now(),
            members=(member,),
            voters=1,
            quorum=1,
            leader=slot if up else None,
        )


def _controller(cluster: Cluster) -> Cluster:
    group = cluster.service.group(CONTROLLER)
    return Cluster(cluster.service, group, cluster.inventory)


def _worker(cluster: Cluster, slot: str, node: Node | None) -> ClusterMember:
    instance = cluster.instance(slot)
    state = Standing.ABSENT
    if node is not None:
        state = Standing.STOPPED if node.gone else Standing.RUNNING
    return ClusterMember(
        slot_name=slot,
        instance=instance.name if instance else None,
        address=instance.address if instance else None,
        role=Role.PEER,
        state=state,
        in_sync=state is Standing.RUNNING,
        is_voter=False,
        detail="+".join(sorted(node.flags)).lower() if node else "",
    )


def _find(slurm: Engine, slot: str) -> Node | None:
    return next((one for one in slurm.nodes() if one.name == slot), None)
