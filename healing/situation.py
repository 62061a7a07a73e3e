"""
Everything a decision about one slot may look at, besides the evidence: a dated value, put together at the edge.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from fournines.model import names
from fournines.model.case import Subject
from fournines.model.cluster import ClusterView
from fournines.model.desired import Group, Platform, Service
from fournines.model.inventory import Instance, Inventory, Member
from fournines.model.pause import Pause
from fournines.model.quarantine import Quarantine
from fournines.model.refusal import Reason, Refusal
from fournines.planning.pools import as_judged
from healing.pattern import Pattern
from healing.scene import Scene


@dataclass(frozen=True, slots=True)
class MemberView:
    """
    A member of the group as last seen.

    Attributes:
        serving: It gets requests (weight above 0) and answers them, as far as the load balancer and our probes say.
        well: It answers, whatever its weight. A member nobody could look at is neither well nor unwell: it is not listed.
    """

    instance: str
    weight: int
    serving: bool
    well: bool


@dataclass(frozen=True, slots=True)
class Attempt:
    """
    An earlier healing of the same slot that performed a plan.
    """

    opened_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Situation:
    """
    The world around one subject.

    Attributes:
        instance: The subject's instance, or None when the cloud has none.
        members: Every member of the group's pool, the subject's included.
        healing_on: The master switch; `switched_by` says who switched it and why.
        acting: Keys of other cases that are performing a plan now, platform-wide.
        unsettled: Keys of the service's other cases that perform a plan or watch what came of it.
        storm_at: When a storm over this group, or over the whole platform, was last seen.
        attempts: Earlier healings of this slot, oldest first.
        spoiled: Replacements of this case that never served: not to be counted on again.
        pauses: What people told us to keep our hands off, ended ones too.
        flaps: When alarms about this slot turned out to be nothing, since its last healing.
        quarantines: Builds whose replacements never served.
        registered: Ids of what the registry remembers, by kind and name.
        lease_holder: Who else holds the service's lease (a deploy, usually), in words.
        scene: What the engines looked at; None where nobody put it together.
        pattern: The whole platform's members; None where nobody put it together.
        cluster: What the group says of itself, if it is stateful; None where nobody could say.
    """

    now: datetime
    subject: Subject
    platform: Platform
    service: Service
    group: Group
    inventory: Inventory
    instance: Instance | None
    members: tuple[MemberView, ...] = ()
    healing_on: bool = True
    switched_by: str = ""
    acting: tuple[str, ...] = ()
    unsettled: tuple[str, ...] = ()
    storm_at: datetime | None = None
    attempts: tuple[Attempt, ...] = field(default=())
    spoiled: frozenset[str] = frozenset()
    pauses: tuple[Pause, ...] = ()
    flaps: tuple[datetime, ...] = ()
    quarantines: tuple[Quarantine, ...] = ()
    registered: Mapping[tuple[str, str], str] = field(default_factory=dict)
    lease_holder: str | None = None
    pattern: Pattern | None = None
    scene: Scene | None = None
    cluster: ClusterView | None = None

    @property
    def member(self) -> MemberView | None:
        """
        The subject's own member.
        """
        name = self.subject.instance
        return next((m for m in self.members if m.instance == name), None)

    @property
    def own_members(self) -> tuple[MemberView, ...]:
        """
        The members of the subject's group; a pool may hold other groups' too.
        """
        return tuple(m for m in self.members if is_of_group(m.instance, self.subject))

    @property
    def others_serving(self) -> int:
        """
        How many other members of the group serve.
        """
        name = self.subject.instance
        return sum(m.serving for m in self.own_members if m.instance != name)

    @property
    def others_at_endpoint(self) -> int:
        """
        How many other members of the pool serve, whatever their group.
        """
        name = self.subject.instance
        return sum(m.serving for m in self.members if m.instance != name)

    @property
    def zone(self) -> str | None:
        """
        Where the subject's instance stands, as the cloud says.
        """
        return self.instance.zone if self.instance else None

    def refuse(self, reason: Reason, detail: str) -> Refusal:
        """
        A refusal about the subject.
        """
        return Refusal(reason=reason, detail=detail, subject=self.subject.key)

    @property
    def unwell(self) -> tuple[MemberView, ...]:
        """
        Members that do not answer well, the subject's included.
        """
        return tuple(m for m in self.members if not m.well)


def is_of_group(instance: str, subject: Subject) -> bool:
    """
    Whether an instance's name is of the subject's group; one that the cloud has forgotten has no other mark.
    """
    group = names.of_service(subject.platform, subject.service, subject.group or "")
    if not instance.startswith(f"{group}-"):
        return False
    slot, _, generation = instance.removeprefix(f"{group}-").partition("-g")
    return slot.isdigit() and generation.isdigit()


def endpoint_floor(service: Service, group: Group) -> int:
    """
    How many members must serve at the endpoint of a group: what all groups in its pool promise together, at least one.
    """
    pools = {(place.load_balancer, place.pool) for place in group.memberships[:1]}
    together = sum(
        one.healing.min_healthy
        for one in service.groups
        if pools & {(place.load_balancer, place.pool) for place in one.memberships}
    )
    return max(together, 1)


def pool_member(
    inventory: Inventory, group: Group, instance: str
) -> tuple[str, str, Member] | None:
    """
    Load balancer, pool and member of an instance, or None when it is in no pool of its group; of several the first.
    """
    return next(iter(pool_members(inventory, group, instance)), None)


def pool_members(
    inventory: Inventory, group: Group, instance: str
) -> tuple[tuple[str, str, Member], ...]:
    """
    An instance in each of its group's pools that has it: one way in for writes and one for reads, for instance.
    """
    found = []
    for place in group.memberships:
        balancer = inventory.load_balancer(place.load_balancer)
        pool = balancer.pool(place.pool) if balancer else None
        member = pool.member(instance) if pool else None
        if member is not None:
            judged = as_judged(member, group.memberships)
            found.append((place.load_balancer, place.pool, judged))
    return tuple(found)
