"""
Who is in which pool: the linter's view of an inventory and of a plan's joins.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from fournines.model.desired import Membership
from fournines.model.inventory import DEAD_STATUSES, Inventory, Member
from fournines.model.standby import STANDBY
from fournines.planning.steps import JoinPool, Step

SERVING_STATUSES = frozenset({"ONLINE", "NO_MONITOR", STANDBY})
"""What is said of a member that gets requests, or would get them in its role."""


@dataclass(frozen=True, slots=True)
class Place:
    """
    A pool in a load balancer.
    """

    load_balancer: str
    pool: str


@dataclass(frozen=True, slots=True)
class Pools:
    """
    Memberships by instance's name, and who serves by pool's name.
    """

    places: Mapping[str, frozenset[Place]]
    serving_by_pool: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, inventory: Inventory | None) -> Self:
        """
        As they are; nothing known without an inventory.
        """
        places: dict[str, set[Place]] = {}
        serving: dict[str, frozenset[str]] = {}
        if inventory is None:
            return cls({}, {})
        live = frozenset(
            i.name for i in inventory.instances if i.status not in DEAD_STATUSES
        )
        for balancer in inventory.load_balancers:
            for pool in balancer.pools:
                for member in pool.members:
                    place = Place(balancer.name, pool.name)
                    places.setdefault(member.name, set()).add(place)
                serving[pool.name] = live.intersection(
                    m.name for m in pool.members if gets_requests(m)
                )
        return cls({name: frozenset(found) for name, found in places.items()}, serving)

    def with_joins(self, steps: Iterable[Step]) -> Pools:
        """
        Also the memberships that these steps make.
        """
        places = {name: set(found) for name, found in self.places.items()}
        for step in steps:
            if isinstance(step, JoinPool):
                for member in step.members:
                    place = Place(step.load_balancer, step.pool)
                    places.setdefault(member.instance, set()).add(place)
        frozen = {name: frozenset(found) for name, found in places.items()}
        return Pools(frozen, self.serving_by_pool)

    def of_instance(self, name: str) -> tuple[Place, ...]:
        """
        The pools an instance is in, by name.
        """
        return tuple(sorted(self.places.get(name, ()), key=lambda p: p.pool))

    def serves(self, pool: str, instance: str) -> bool:
        """
        Whether the instance gets requests from this pool.
        """
        return instance in self.serving(pool)

    def serving(self, pool: str) -> frozenset[str]:
        """
        The instances that get requests from this pool.
        """
        return self.serving_by_pool.get(pool, frozenset())


def gets_requests(member: Member) -> bool:
    """
    Whether the load balancer sends this member requests.
    """
    return (
        member.admin_up
        and member.weight > 0
        and member.operating_status in SERVING_STATUSES
    )


def asks_for_one_role(places: Sequence[Membership]) -> bool:
    """
    Whether a group serves in pools of one role alone. Where there are several, a well member answers in one of them.
    """
    roles = {place.role for place in places}
    return len(roles) == 1 and None not in roles


def as_judged(member: Member, places: Sequence[Membership]) -> Member:
    """
    A member as its pool's word may be taken: where all pools of a group ask for one role, they say nothing of who fails their check.
    """
    good = member.operating_status in SERVING_STATUSES | {"DRAINING"}
    if good or not asks_for_one_role(places):
        return member
    return member.model_copy(update={"operating_status": "NO_MONITOR"})
