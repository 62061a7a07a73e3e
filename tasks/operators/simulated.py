"""
A stateful service that exists only over a simulated cloud: who is up, who has caught up, who leads, and who is counted.

It follows from the cloud's own state at each look, with a little memory: who was ever taken in, who leads, who was asked to leave. It is as
strict as a real one: without a quorum nobody leads, and a member that was never taken in votes for nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from blueprints import lifecycles
from fournines.clock import Clock
from fournines.cloud.simulated import SimulatedCloud
from fournines.model.cluster import (
    ClusterMember,
    ClusterView,
    Role,
    Standing,
    majority,
)
from fournines.model.contents import ContentChange
from fournines.model.inventory import Instance
from tasks.operators import Cluster, ClusterRefused, ClusterSilent

CATCH_UP_SECONDS = 4.0
"""From the first answer of a new instance until it has everything."""

FAILOVER_SECONDS = 6.0
"""From the leader's last answer until another leads."""

_ANSWER_SECONDS = 0.8


@dataclass(slots=True)
class _Memory:
    """
    What the members themselves remember.

    Attributes:
        known: Who is counted.
        up_since: Per instance, when it first answered in a row.
        leader: The slot that leads.
        leader_missed_at: Since when it does not answer.
        leaving: Slots that were asked to leave, with the instance that was.
    """

    known: set[str] = field(default_factory=set)
    up_since: dict[str, datetime] = field(default_factory=dict)
    leader: str | None = None
    leader_missed_at: datetime | None = None
    leaving: dict[str, str | None] = field(default_factory=dict)


def _has_heirs(cluster: Cluster) -> bool:
    """
    Whether there is anything to hand over, and to whom: not where members know nothing of each other, nor where there is one alone.
    """
    rules = lifecycles.of(cluster.service, cluster.group)
    return len(cluster.slot_names) > 1 and not (rules and rules.independent)


class SimulatedOperator:
    """
    `Operator` over a simulated cloud. What it is asked to do stands in `asked`, for tests; what it lacks
    until it is applied, in `lacking`, and what stands in the way of all of it, in `opposed`.

    Args:
        cloud: Whose instances the members run in.
        clock: The cloud's.
        settled: Whoever runs at the first look has run for long: a copy of a living service begins so.
    """

    def __init__(
        self,
        cloud: SimulatedCloud,
        clock: Clock,
        *,
        catch_up_seconds: float = CATCH_UP_SECONDS,
        failover_seconds: float = FAILOVER_SECONDS,
        settled: bool = False,
    ) -> None:
        self._cloud = cloud
        self._clock = clock
        self._catch_up = timedelta(seconds=catch_up_seconds)
        self._failover = timedelta(seconds=failover_seconds)
        self._settled = settled
        self._memories: dict[str, _Memory] = {}
        self.silent = False
        self.opposed = ""
        self.lacking: tuple[ContentChange, ...] = ()
        self.waiting: set[str] = set()
        self._shut: dict[str, datetime | None] = {}
        self.asked: list[tuple[str, str]] = []

    def view(self, cluster: Cluster) -> ClusterView:
        now = self._clock.now()
        memory = self._look(cluster, now)
        slots = (*cluster.slot_names, *sorted(memory.known - set(cluster.slot_names)))
        members = tuple(self._member(cluster, memory, slot, now) for slot in slots)
        if self.silent or not any(m.running or m.votes for m in members):
            raise ClusterSilent(f"asking {cluster.label} how it is", "nobody answers")
        return ClusterView(
            platform=cluster.service.platform,
            service=cluster.service.name,
            group=cluster.group.name,
            at=now,
            members=members,
            voters=len(memory.known),
            quorum=majority(len(memory.known)),
            leader=memory.leader,
            problems=() if memory.leader else ("there is no leader",),
        )

    def leave(self, cluster: Cluster, slot: str, *, deadline_seconds: float) -> None:
        del deadline_seconds
        now = self._clock.now()
        memory = self._look(cluster, now)
        self.asked.append(("leave", slot))
        leads = memory.leader == slot and self._is_up(cluster, slot)
        if leads and _has_heirs(cluster):
            others = [s for s in sorted(memory.known) if s != slot]
            heirs = [s for s in others if self._has_all(cluster, memory, s, now)]
            if not heirs:
                raise ClusterRefused(f"handing {slot} over", "nobody could follow")
            memory.leader = heirs[0]
        instance = cluster.instance(slot)
        memory.leaving[slot] = instance.name if instance else None
        if not cluster.is_wanted(slot):
            memory.known.discard(slot)

    def stay(self, cluster: Cluster, slot: str) -> None:
        self.asked.append(("stay", slot))
        self._memory(cluster).leaving.pop(slot, None)

    def admitted(self, cluster: Cluster, slot: str) -> bool:
        now = self._clock.now()
        memory = self._look(cluster, now)
        instance = cluster.instance(slot)
        if instance and memory.leaving.get(slot) == instance.name:
            # It was restarted, not replaced: the same instance is back.
            del memory.leaving[slot]
        return slot in memory.known and self._has_all(cluster, memory, slot, now)

    def remove(self, cluster: Cluster, slot: str) -> None:
        self.asked.append(("remove", slot))
        memory = self._look(cluster, self._clock.now())
        memory.known.discard(slot)
        memory.leaving.pop(slot, None)
        if memory.leader == slot:
            memory.leader = None

    def apply(self, cluster: Cluster) -> tuple[str, ...]:
        self.asked.append(("apply", cluster.label))
        said = tuple(change.said for change in self.lacking)
        if any(change.restarts for change in self.lacking):
            self.waiting |= set(cluster.slot_names)
        self.lacking = ()
        return said

    def drift(self, cluster: Cluster) -> tuple[ContentChange, ...]:
        if self.silent:
            raise ClusterSilent(
                f"asking {cluster.label} what it holds", "nobody answers"
            )
        if self.opposed:
            attempted = f"declaring what {cluster.label} holds"
            raise ClusterRefused(attempted, self.opposed)
        return self.lacking

    def switchover(self, cluster: Cluster, to: str | None) -> str:
        now = self._clock.now()
        memory = self._look(cluster, now)
        self.asked.append(("switchover", to or ""))
        if to is not None and memory.leader == to:
            return to
        heirs = [
            slot
            for slot in sorted(memory.known - {memory.leader or ""})
            if to in {None, slot} and self._has_all(cluster, memory, slot, now)
        ]
        if not heirs:
            raise ClusterRefused(
                f"switching {cluster.label} over",
                f"{to or 'no other member'} has not everything",
            )
        memory.leader = heirs[0]
        return heirs[0]

    def restart(self, cluster: Cluster, slot: str) -> None:
        self.asked.append(("restart", slot))
        if not self._is_up(cluster, slot):
            raise ClusterSilent(f"restarting {slot}", "it does not answer")
        self.waiting.discard(slot)

    def shut(self, instance: str) -> None:
        """
        From now until it starts anew an instance lets no client in, though its server runs.
        """
        self._shut[instance] = self._cloud.world.instances[instance].serves_at

    # -- how it comes to be what it is

    def _memory(self, cluster: Cluster) -> _Memory:
        return self._memories.setdefault(cluster.label, _Memory())

    def _look(self, cluster: Cluster, now: datetime) -> _Memory:
        """
        Bring the members' memory up to this moment.
        """
        first = cluster.label not in self._memories
        memory = self._memory(cluster)
        up = {s: i for s in cluster.slot_names if (i := self._up_instance(cluster, s))}
        begin = now - self._catch_up if first and self._settled else now
        memory.up_since = {
            instance: memory.up_since.get(instance, begin) for instance in up.values()
        }
        for slot, instance in list(memory.leaving.items()):
            if instance != up.get(slot, instance):
                del memory.leaving[slot]
        # An empty cluster forms of all that are there; later ones are taken in by a quorum.
        voting = [slot for slot in up if slot in memory.known]
        if not memory.known or len(voting) >= majority(len(memory.known)):
            memory.known |= {s for s in up if s not in memory.leaving}
        self._lead(cluster, memory, now)
        return memory

    def _lead(self, cluster: Cluster, memory: _Memory, now: datetime) -> None:
        voting = [s for s in memory.known if self._is_up(cluster, s)]
        quorate = bool(voting) and len(voting) >= majority(len(memory.known))
        if memory.leader in voting and quorate:
            memory.leader_missed_at = None
            return
        if memory.leader is not None and memory.leader_missed_at is None:
            memory.leader_missed_at = now
        missed = memory.leader_missed_at
        waited = missed is None or now - missed >= self._failover
        heirs = [
            s
            for s in sorted(memory.known)
            if self._has_all(cluster, memory, s, now) and s not in memory.leaving
        ]
        if quorate and waited and heirs:
            memory.leader, memory.leader_missed_at = heirs[0], None

    def _member(
        self, cluster: Cluster, memory: _Memory, slot: str, now: datetime
    ) -> ClusterMember:
        instance = cluster.instance(slot)
        up = self._is_up(cluster, slot)
        known = slot in memory.known
        whole = self._has_all(cluster, memory, slot, now)
        if not known:
            state = Standing.ABSENT
        elif not up:
            state = Standing.STOPPED
        else:
            state = Standing.RUNNING if whole else Standing.STARTING
        leads = memory.leader == slot and up
        return ClusterMember(
            slot_name=slot,
            instance=instance.name if instance else None,
            address=instance.address if instance else None,
            role=Role.PRIMARY if leads else Role.REPLICA if known else Role.UNKNOWN,
            state=state,
            lag_bytes=None if not up else 0 if whole else 1 << 20,
            in_sync=whole,
            is_heir=whole and not leads,
            is_voter=known,
            votes=known and up,
            waits_for_restart=slot in self.waiting,
            shut="its pooler refuses connections" if self._is_shut(instance) else "",
        )

    def _has_all(
        self, cluster: Cluster, memory: _Memory, slot: str, now: datetime
    ) -> bool:
        instance = self._up_instance(cluster, slot)
        since = memory.up_since.get(instance or "")
        return since is not None and now - since >= self._catch_up

    def _is_shut(self, instance: Instance | None) -> bool:
        if instance is None or instance.name not in self._shut:
            return False
        begun = self._cloud.world.instances[instance.name].serves_at
        return begun == self._shut[instance.name]

    def _is_up(self, cluster: Cluster, slot: str) -> bool:
        return self._up_instance(cluster, slot) is not None

    def _up_instance(self, cluster: Cluster, slot: str) -> str | None:
        """
        The instance of a slot that answers; of two on their way past each other the younger.
        """
        instance = cluster.instance(slot)
        if instance is None:
            return None
        said = self._cloud.probe(
            instance.name, health_path=True, timeout_seconds=_ANSWER_SECONDS
        )
        return instance.name if said.good else None
