"""
What tests of the planner share: a shop, a world where it is deployed, and words about plans.
"""

from blueprints.diff import floors, plan_platform
from fournines.planning import linter
from tests.decide.planned_world import World, a_platform

POOL = "demo-shop-web"


SHOP = a_platform(shop={"count": 3})


def kinds(plan):
    """The kinds of a plan's steps, in order."""
    return [step.kind for step in plan.steps]


def reasons(plan):
    """Why what was refused was refused."""
    return [refusal.reason for refusal in plan.refusals]


def named(plan, kind):
    """The steps of one kind."""
    return [step for step in plan.steps if step.kind == kind]


def planned(desired, world, **options):
    """A plan, judged by the linter."""
    plan = plan_platform(desired, world.inventory(), **options)
    linter.check(plan, world.inventory(), floors(desired))
    return plan


def deployed(desired=SHOP):
    """A world in which a platform is as desired."""
    world = World()
    world.perform(planned(desired, world))
    assert planned(desired, world).empty
    return world
