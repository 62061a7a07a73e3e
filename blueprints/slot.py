"""
A slot as it is: which of its instances stays, which are left over, and what is missing.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from blueprints.observed import Observed
from fournines.model import names
from fournines.model.desired import Group, Service, instance_digest
from fournines.model.inventory import DEAD_STATUSES, Instance, Volume
from fournines.planning.pools import Place, gets_requests

_HALF_BUILT = "BUILD"


class Condition(Enum):
    """
    What a slot asks for.
    """

    VACANT = "has no instance that can serve"
    UNFINISHED = "has an instance that was never finished, or is without its volume"
    OUTDATED = "has an instance of an older specification"
    FILLED = "has its instance"


@dataclass(frozen=True, slots=True)
class Slot:
    """
    One place of a group.

    Attributes:
        keeper: The instance that stays (or, when outdated, the one to be followed by a new generation). Where data is kept, whoever has it.
        leftovers: Every other instance in the slot, dead ones included.
        next_generation: The number of the next instance made here.
    """

    number: int
    condition: Condition
    keeper: Instance | None
    leftovers: tuple[Instance, ...]
    next_generation: int

    @property
    def instances(self) -> tuple[Instance, ...]:
        """
        All that is in the slot.
        """
        return (self.keeper, *self.leftovers) if self.keeper else self.leftovers


def places_of(group: Group) -> tuple[Place, ...]:
    """
    The pools a group serves in.
    """
    return tuple(Place(m.load_balancer, m.pool) for m in group.memberships)


def serves(instance: Instance, places: Collection[Place], observed: Observed) -> bool:
    """
    Whether users' requests reach the instance; without a pool, whether it is up. A pool that asks for a role says nothing of who is in another.
    """
    if instance.status in DEAD_STATUSES or instance.status == _HALF_BUILT:
        return False
    judging = (place for place in places if place not in observed.by_role)
    members = (observed.members(place).get(instance.name) for place in judging)
    return all(member is not None and gets_requests(member) for member in members)


def is_dead(instance: Instance) -> bool:
    """
    Whether it cannot serve and will not by waiting.
    """
    return instance.status in DEAD_STATUSES


def slots(
    service: Service, group: Group, observed: Observed
) -> tuple[tuple[Slot, ...], tuple[Instance, ...]]:
    """
    The group's slots as they are, and the instances that have no slot any more.
    """
    by_slot: dict[int, list[Instance]] = {n: [] for n in range(group.count)}
    surplus: list[Instance] = []
    for instance in observed.instances(service.name, group.name):
        number = instance.owner.slot if instance.owner else None
        home = by_slot.get(number) if number is not None else None
        (surplus if home is None else home).append(instance)
    used = _generations_in_pools(service, group, observed)
    digest = instance_digest(group)
    found = tuple(
        _slot(
            number,
            here,
            digest=digest,
            generation_in_pools=used.get(number, 0),
            places=places_of(group),
            observed=observed,
            volume=_volume(service, group, number, observed),
        )
        for number, here in by_slot.items()
    )
    return found, tuple(sorted(surplus, key=lambda i: i.name))


def _slot(
    number: int,
    here: Sequence[Instance],
    *,
    digest: str,
    generation_in_pools: int,
    places: Collection[Place],
    observed: Observed,
    volume: Volume | None,
) -> Slot:
    def has_data(instance: Instance) -> bool:
        return volume is None or volume.attached_to == instance.id

    def rank(instance: Instance) -> tuple[bool, bool, bool, int]:
        return (
            _digest(instance) == digest,
            has_data(instance),
            serves(instance, places, observed),
            _generation(instance),
        )

    live = [i for i in here if not is_dead(i)]
    # A half-built instance of an older specification is nobody's future.
    worthy = [i for i in live if i.status != _HALF_BUILT or _digest(i) == digest]
    keeper = max(worthy, key=rank, default=None)
    if keeper is None:
        condition = Condition.VACANT
    elif _digest(keeper) != digest:
        condition = Condition.OUTDATED
    elif keeper.status == _HALF_BUILT or not has_data(keeper):
        condition = Condition.UNFINISHED
    else:
        condition = Condition.FILLED
    last = max((_generation(i) for i in here), default=0)
    others = sorted((i for i in here if i is not keeper), key=_generation)
    return Slot(
        number, condition, keeper, tuple(others), max(last, generation_in_pools) + 1
    )


def _volume(
    service: Service, group: Group, number: int, observed: Observed
) -> Volume | None:
    """
    The slot's volume, in a group that keeps data.
    """
    if group.volume_size_gb is None:
        return None
    slot = names.slot(service.platform, service.name, group.name, number)
    return observed.volumes.get(slot)


def by_condition(
    every: Iterable[Slot],
) -> tuple[list[Slot], list[Slot], list[Slot]]:
    """
    Slots that lack an instance, that have the right one, and whose instance is of an older specification.
    """
    empty: list[Slot] = []
    filled: list[Slot] = []
    outdated: list[Slot] = []
    for slot in every:
        match slot.condition:
            case Condition.VACANT | Condition.UNFINISHED:
                empty.append(slot)
            case Condition.FILLED:
                filled.append(slot)
            case Condition.OUTDATED:
                outdated.append(slot)
    return empty, filled, outdated


def dangling(
    service: Service, group: Group, place: Place, observed: Observed
) -> tuple[str, ...]:
    """
    Members of a pool that bear a name of this group and have no instance any more.
    """
    pattern = _member_pattern(service, group)
    known = {i.name for i in observed.instances(service.name, group.name)}
    return tuple(
        sorted(
            name
            for name in observed.members(place)
            if name not in known and pattern.fullmatch(name)
        )
    )


def _generations_in_pools(
    service: Service, group: Group, observed: Observed
) -> dict[int, int]:
    """
    The highest generation that a member in any pool still bears, by slot: its name is not given again before it left.
    """
    pattern = _member_pattern(service, group)
    highest: dict[int, int] = {}
    for place in places_of(group):
        for name in observed.members(place):
            match = pattern.fullmatch(name)
            if match:
                number, generation = int(match[1]), int(match[2])
                highest[number] = max(highest.get(number, 0), generation)
    return highest


def _member_pattern(service: Service, group: Group) -> re.Pattern[str]:
    stem = names.of_service(service.platform, service.name, group.name)
    return re.compile(rf"{re.escape(stem)}-(\d+)-g(\d+)")


def _digest(instance: Instance) -> str | None:
    return instance.owner.digest if instance.owner else None


def _generation(instance: Instance) -> int:
    return (instance.owner.generation or 0) if instance.owner else 0


def any_named(instances: Iterable[Instance], wanted: Collection[str]) -> bool:
    """
    Whether one of the instances bears one of the names.
    """
    return any(i.name in wanted for i in instances)
