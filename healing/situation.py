"""
Everything a decision about one slot may look at, besides the evidence: a dated value, put together at the edge.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from fournines.model.case import Subject
from fournines.model.desired import Group, Platform, Service
from fournines.model.inventory import Instance, Inventory, Member
from fournines.model.pause import Pause
from fournines.model.quarantine import Quarantine
from healing.pattern import Pattern


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
        attempts: Earlier healings of this slot, oldest first.
        spoiled: Replacements of this case that never served: not to be counted on again.
        pauses: What people told us to keep our hands off, ended ones too.
        flaps: When alarms about this slot turned out to be nothing, since its last healing.
        quarantines: Builds whose replacements never served.
        lease_holder: Who else holds the service's lease (a deploy, usually), in words.
        pattern: The whole platform's members; None where nobody put it together.
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
    attempts: tuple[Attempt, ...] = field(default=())
    spoiled: frozenset[str] = frozenset()
    pauses: tuple[Pause, ...] = ()
    flaps: tuple[datetime, ...] = ()
    quarantines: tuple[Quarantine, ...] = ()
    lease_holder: str | None = None
    pattern: Pattern | None = None

    @property
    def member(self) -> MemberView | None:
        """
        The subject's own member.
        """
        name = self.subject.instance
        return next((m for m in self.members if m.instance == name), None)

    @property
    def others_serving(self) -> int:
        """
        How many other members serve.
        """
        name = self.subject.instance
        return sum(m.serving for m in self.members if m.instance != name)

    @property
    def unwell(self) -> tuple[MemberView, ...]:
        """
        Members that do not answer well, the subject's included.
        """
        return tuple(m for m in self.members if not m.well)


def pool_member(
    inventory: Inventory, group: Group, instance: str
) -> tuple[str, str, Member] | None:
    """
    Load balancer, pool and member of an instance, or None when it is in no pool of its group.
    """
    for place in group.memberships:
        balancer = inventory.load_balancer(place.load_balancer)
        pool = balancer.pool(place.pool) if balancer else None
        member = pool.member(instance) if pool else None
        if member is not None:
            return place.load_balancer, place.pool, member
    return None
