"""
The healer's picture of the clouds' resources, some seconds old: for addresses, ids and names, and to notice what no alert tells.

Decisions about anything irreversible never come from here; they read the cloud afresh.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from fournines import log
from fournines.cloud.errors import CloudError
from fournines.model import names
from fournines.model.case import Subject
from fournines.model.desired import Group, Platform, Service
from fournines.model.inventory import Instance, Inventory, Pool
from fournines.planning.pools import as_judged, asks_for_one_role
from healing.diagnosis.blind import ALIVE
from healing.diagnosis.gone import DEAD
from tasks.workshop import Workshop

BIRTH = timedelta(seconds=60)
"""An instance that never served is not watched before this age: it boots, and whoever made it waits for it."""

_log = log.get("healer")


@dataclass(frozen=True, slots=True)
class Sighting:
    """
    A slot that looks wrong in the inventory alone.

    Attributes:
        left_out: It is well as far as the load balancer says, and gets no requests.
    """

    subject: Subject
    saw: str
    left_out: bool = False


class View:
    """
    The last inventory of every registered platform. Thread-safe.
    """

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
        self._lock = workshop.crew.lock()
        self._inventories: dict[str, Inventory] = {}
        self._platforms: tuple[Platform, ...] = ()
        self._weights: dict[str, tuple[int, datetime]] = {}
        self._seen_before: frozenset[tuple[str, bool]] = frozenset()
        self._served: frozenset[str] = frozenset()
        self._readings: dict[str, tuple[float, float]] = {}
        self.read_at: datetime | None = None

    @property
    def platforms(self) -> tuple[Platform, ...]:
        """
        What was asked for, as of the last reading.
        """
        return self._platforms

    @property
    def complete(self) -> bool:
        """
        Whether every registered platform was read at least once.
        """
        return self.read_at is not None and all(
            platform.name in self._inventories for platform in self._platforms
        )

    def inventory(self, platform: str) -> Inventory | None:
        """
        The last inventory of a platform; None before the first.
        """
        return self._inventories.get(platform)

    def age_seconds(self, platform: str) -> float:
        """
        How long ago a platform was last read, beyond what that reading took: slow readings come less often.
        """
        begin, took = self._readings.get(platform, (-math.inf, 0.0))
        return self._workshop.clock.monotonic() - begin - took

    def refresh(self) -> None:
        """
        Read the registry and every platform's inventory. What cannot be read stays as it was.
        """
        platforms = self._workshop.store.registry.platforms()
        found: dict[str, Inventory] = {}
        monotonic = self._workshop.clock.monotonic
        for platform in platforms:
            begin = monotonic()
            try:
                found[platform.name] = self._workshop.cloud.inventory(platform.name)
                self._readings[platform.name] = begin, monotonic() - begin
            except CloudError as error:
                _log.warning("inventory_not_read", error=str(error))
                if before := self._inventories.get(platform.name):
                    found[platform.name] = before
        with self._lock:
            self._platforms = platforms
            self._inventories = found
            self.read_at = self._workshop.clock.now()
            read = min((i.at for i in found.values()), default=self.read_at)
            self._weights = {k: w for k, w in self._weights.items() if w[1] > read}
            here = {i.name for seen in found.values() for i in seen.instances}
            alive = {
                member.name
                for seen in found.values()
                for balancer in seen.load_balancers
                for pool in balancer.pools
                for member in pool.members
                if member.operating_status in ALIVE
            }
            self._served = frozenset((self._served | alive) & here)

    def is_watched(self, instance: Instance) -> bool:
        """
        Whether an instance has served since we look, or is old enough that it should.
        """
        if instance.name in self._served or instance.created_at is None:
            return True
        return self._workshop.clock.now() - instance.created_at > BIRTH

    def has_served(self, instance: str) -> bool | None:
        """
        Whether an instance has served in some reading; None before the first reading.
        """
        return instance in self._served if self.read_at is not None else None

    def remember_weight(self, instance: str, weight: int) -> None:
        """
        A weight we have set since the last reading.
        """
        with self._lock:
            self._weights[instance] = (weight, self._workshop.clock.now())

    def group(self, subject: Subject) -> tuple[Service, Group] | None:
        """
        What was asked for at a subject's place.
        """
        for platform in self._platforms:
            if platform.name != subject.platform:
                continue
            for service in platform.services:
                for group in service.groups:
                    if (service.name, group.name) == (subject.service, subject.group):
                        return service, group
        return None

    def pool(self, platform: str, group: Group) -> tuple[str, Pool] | None:
        """
        A group's load balancer and pool, with the weights that we have set since the last reading; of several the first.
        """
        return next(iter(self.pools(platform, group)), None)

    def pools(self, platform: str, group: Group) -> tuple[tuple[str, Pool], ...]:
        """
        As `pool`, each of them.
        """
        inventory = self._inventories.get(platform)
        found = []
        for place in group.memberships if inventory else ():
            assert inventory is not None
            balancer = inventory.load_balancer(place.load_balancer)
            pool = balancer.pool(place.pool) if balancer else None
            if pool is not None:
                shown = _by_role(self._as_set(pool), group)
                found.append((place.load_balancer, shown))
        return tuple(found)

    def _as_set(self, pool: Pool) -> Pool:
        set_since = self._weights
        if not any(member.name in set_since for member in pool.members):
            return pool
        members = tuple(
            member.model_copy(update={"weight": set_since[member.name][0]})
            if member.name in set_since
            else member
            for member in pool.members
        )
        return pool.model_copy(update={"members": members})

    def sightings(self) -> tuple[Sighting, ...]:
        """
        Slots that look wrong in this reading and looked so in the one before: a change under way must not be mistaken for a fault.
        """
        found = [
            sighting
            for platform in self._platforms
            for service in platform.services
            for group in service.groups
            for sighting in self._wrong(platform.name, service, group)
        ]
        before, self._seen_before = (
            self._seen_before,
            frozenset((s.subject.key, s.left_out) for s in found),
        )
        return tuple(s for s in found if (s.subject.key, s.left_out) in before)

    def _wrong(self, platform: str, service: Service, group: Group) -> list[Sighting]:
        inventory = self._inventories.get(platform)
        if inventory is None:
            return []
        by_slot: dict[int, list[Instance]] = {}
        for instance in inventory.of_group(service.name, group.name):
            assert instance.owner is not None
            by_slot.setdefault(instance.owner.slot or 0, []).append(instance)
        pools = tuple(pool for _, pool in self.pools(platform, group))
        found = []
        for slot in range(group.count):
            here = by_slot.get(slot, [])
            latest = here[-1] if here else None
            if latest is not None and not self.is_watched(latest):
                continue
            saw = _complaint(latest, pools)
            left_out = saw is None and any(_is_left_out(latest, pool) for pool in pools)
            if left_out:
                saw = f"{latest.name if latest else ''} gets no requests, and the load balancer calls it well"
            if saw:
                place = names.slot(platform, service.name, group.name, slot)
                subject = Subject(
                    platform=platform,
                    service=service.name,
                    group=group.name,
                    slot=slot,
                    instance=latest.name if latest else _orphan(place, pools),
                )
                found.append(Sighting(subject, saw, left_out))
        return found or self._front(service, group, by_slot, inventory)

    def _front(
        self,
        service: Service,
        group: Group,
        by_slot: dict[int, list[Instance]],
        inventory: Inventory,
    ) -> list[Sighting]:
        """
        A load balancer in ERROR, told by the first member behind it.
        """
        if not by_slot:
            return []
        slot, here = min(by_slot.items())
        for place in group.memberships:
            balancer = inventory.load_balancer(place.load_balancer)
            if balancer is not None and balancer.provisioning_status == "ERROR":
                subject = Subject(
                    platform=service.platform,
                    service=service.name,
                    group=group.name,
                    slot=slot,
                    instance=here[-1].name,
                )
                return [Sighting(subject, f"{balancer.name} is in ERROR")]
        return []


def _by_role(pool: Pool, group: Group) -> Pool:
    """
    A pool's word as it may be taken.
    """
    if not asks_for_one_role(group.memberships):
        return pool
    members = tuple(as_judged(member, group.memberships) for member in pool.members)
    return pool.model_copy(update={"members": members})


def _complaint(instance: Instance | None, pools: tuple[Pool, ...]) -> str | None:
    if instance is None:
        return "the slot has no instance"
    if instance.status in DEAD:
        return f"{instance.name} is {instance.status}"
    for pool in pools:
        member = pool.member(instance.name)
        if member is None:
            return f"{instance.name} is not in {pool.name}"
        if member.operating_status == "ERROR":
            return f"the load balancer calls {instance.name} ERROR"
    return None


def _is_left_out(instance: Instance | None, pool: Pool) -> bool:
    member = pool.member(instance.name) if instance else None
    return (
        member is not None
        and member.weight == 0
        and member.operating_status in ALIVE
        and instance is not None
        and instance.status == "ACTIVE"
    )


def _orphan(slot_name: str, pools: tuple[Pool, ...]) -> str | None:
    """
    The member that an instance left behind in its pools when it vanished.
    """
    left = [m.name for pool in pools for m in pool.members]
    return next((n for n in left if n.rpartition("-g")[0] == slot_name), None)
