"""
What the cloud and the quarantines say against a plan, asked before its first create: half a platform helps nobody.
"""

from __future__ import annotations

from blueprints import preflight, quarantined
from fournines.model.desired import Platform
from fournines.model.inventory import Inventory, Quota
from fournines.model.refusal import Reason, Refusal
from fournines.planning.plan import Plan, Purpose
from tasks import bakery, observe, vaults
from tasks.workshop import Workshop

STOPPING = frozenset({Reason.NAME_TAKEN, Reason.SIZE, Reason.LOGIN})
"""Refusals of one part for which nothing of the whole is begun."""

_OF_TIMER = STOPPING - {Reason.LOGIN}
"""What a person may not ask for is not written down, lest a healer makes it; what the timer finds is: it brings back the rest."""

_NOT_SCALED = frozenset({*STOPPING, Reason.QUORUM, Reason.EVIDENCE_MISSING})
"""And of another size: whoever must not leave now must not be asked for no more either."""


def raised(  # noqa: PLR0917  everything that can be known beforehand
    workshop: Workshop,
    desired: Platform,
    seen: Inventory,
    made: Plan,
    only: str | None,
    quota: Quota | None,
) -> tuple[Refusal, ...]:
    """
    A sentence for each thing that is missing, unknown or held; nothing for a plan that makes nothing (`quota` None).
    """
    if quota is None:
        return ()
    wanted = (
        desired.model_copy(update={"services": (desired.service(only),)})
        if only
        else desired
    )
    held = quarantined.check(made, seen, workshop.store.quarantines.all())
    recipes = bakery.recipe_names()
    return (
        *preflight.check(wanted, seen, quota, recipes),
        *held,
        *vaults.objections(workshop, wanted, made),
    )


def room(workshop: Workshop, made: Plan) -> Quota | None:
    """
    What the project may still make, asked for a plan that makes something.

    Raises:
        CloudError: The cloud could not be read.
    """
    if any(step.kind.startswith("ensure-") for step in made.steps):
        return observe.quota(workshop)
    return None


def stop(made: Plan, purpose: Purpose) -> bool:
    """
    Whether what the planner refused keeps the rest from being done, too.
    """
    stopping = {Purpose.SCALE: _NOT_SCALED, Purpose.RECONCILE: _OF_TIMER}.get(
        purpose, STOPPING
    )
    return any(refusal.reason in stopping for refusal in made.refusals)
