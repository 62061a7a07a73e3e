"""
How long planning takes as a platform grows.
"""

import time

from blueprints.diff import floors, plan_platform
from fournines.planning import linter
from tests.decide.planned_world import World, a_platform, with_groups

SERVICES = 50
INSTANCES_EACH = 200


def test_planning_ten_thousand_instances(record):
    """An unchanged platform, a first deploy and a full roll of 10,000 instances."""
    many = {f"s{n}": {"count": INSTANCES_EACH} for n in range(SERVICES)}
    desired = a_platform(**many)
    world = World()
    rolled = with_groups(desired, image="debian-13", surge=10)

    first, made = _timed(desired, world)
    world.perform(made)
    unchanged, empty = _timed(desired, world)
    roll, _ = _timed(rolled, world)

    assert empty.empty
    record("scale", "plan first deploy, 10,000 instances", first, "s")
    record("scale", "plan unchanged, 10,000 instances", unchanged, "s")
    record("scale", "plan and lint a full roll, 10,000 instances", roll, "s")


def _timed(desired, world):
    inventory = world.inventory()
    began = time.perf_counter()
    plan = plan_platform(desired, inventory)
    linter.check(plan, inventory, floors(desired))
    return time.perf_counter() - began, plan
