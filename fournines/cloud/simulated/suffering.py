"""
What an instance suffers from its surroundings.
"""

from __future__ import annotations

from datetime import datetime

from fournines.cloud.simulated import health
from fournines.cloud.simulated.health import Hardship
from fournines.cloud.simulated.records import InstanceRecord
from fournines.cloud.simulated.world import World


def hardship(world: World, record: InstanceRecord | None, now: datetime) -> Hardship:
    """
    Its hardship now.
    """
    if record is None or record.owner is None:
        return Hardship.NONE
    if not (world.needs or world.pressure):
        return Hardship.NONE
    me = f"{record.owner.platform}-{record.owner.service}"
    below = world.needs.get(me)
    if below is not None and not any(
        health.ask(other, now, health_path=False, timeout_seconds=1).good
        for other in world.instances.values()
        if other.owner and f"{other.owner.platform}-{other.owner.service}" == below
    ):
        return Hardship.STARVED
    capacity = world.scenario.capacity_per_instance
    if capacity is None or not world.pressure:
        return Hardship.NONE
    for load_balancer, pool in world.memberships.get(record.name, ()):
        asked = world.pressure.get((load_balancer, pool), 0.0)
        members = world.load_balancers[load_balancer].pools[pool].members.values()
        taking = sum(m.weight > 0 and m.up is not False for m in members)
        if asked > capacity * max(taking, 1):
            return Hardship.PRESSED
    return Hardship.NONE
