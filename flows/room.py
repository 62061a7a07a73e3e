"""
Whether the cloud has room for what a plan makes: asked before its first create, along the deploy's own arithmetic.
"""

from __future__ import annotations

from blueprints import preflight
from fournines.cloud.errors import CloudError
from fournines.model.inventory import Inventory
from fournines.model.refusal import Refusal
from fournines.planning.plan import Plan
from tasks import observe
from tasks.workshop import Workshop


def missing(
    workshop: Workshop, plan: Plan, inventory: Inventory
) -> tuple[Refusal, ...]:
    """
    Why the project's quota would refuse a create of the plan. Where quotas cannot be read, the create itself will say.
    """
    if not any(step.kind == "ensure-instance" for step in plan.steps):
        return ()
    try:
        quota = observe.quota(workshop)
    except CloudError:
        return ()
    return preflight.room_for(plan, inventory, quota)
