"""
Which zone an instance goes to: the one that has fewest of its group; among equals the slot decides, so that the answer is
always the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence


def usable_zones(wanted: Sequence[str], available: Sequence[str]) -> tuple[str, ...]:
    """
    The wanted zones that take instances now. A cloud that names no zones is taken at its word.
    """
    if not available:
        return tuple(wanted)
    return tuple(zone for zone in wanted if zone in available)


def spread(
    slots: Iterable[int],
    zones: Sequence[str],
    taken: Iterable[str | None],
    bound: Mapping[int, str],
) -> dict[int, str | None]:
    """
    A zone for each slot.

    Args:
        slots: Slots that get an instance.
        zones: Zones to spread over; empty leaves the choice to the cloud.
        taken: Zones of the group's other instances.
        bound: Zones that are already decided, by slot: a volume cannot move.
    """
    wanted = list(slots)
    if not zones:
        return {slot: bound.get(slot) for slot in wanted}
    count = Counter(zone for zone in taken if zone in zones)
    count.update(bound[slot] for slot in wanted if slot in bound)
    chosen: dict[int, str | None] = {}
    for slot in wanted:
        if slot in bound:
            chosen[slot] = bound[slot]
            continue
        order = [zones[(slot + shift) % len(zones)] for shift in range(len(zones))]
        zone = min(order, key=count.__getitem__)
        count[zone] += 1
        chosen[slot] = zone
    return chosen
