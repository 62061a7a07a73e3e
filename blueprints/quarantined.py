"""
What a plan would make of builds that are in quarantine. Pure.
"""

from __future__ import annotations

from fournines.model import names, quarantine
from fournines.model.inventory import Inventory
from fournines.model.quarantine import Quarantine
from fournines.model.refusal import Reason, Refusal
from fournines.planning.plan import Plan
from fournines.planning.steps import EnsureInstance


def check(
    plan: Plan, inventory: Inventory, known: tuple[Quarantine, ...]
) -> tuple[Refusal, ...]:
    """
    A refusal for each group whose new instances would be of a build in quarantine.
    """
    ids = {image.name: image.id for image in inventory.images}
    found: dict[str, Refusal] = {}
    for step in plan.steps:
        if not isinstance(step, EnsureInstance):
            continue
        spec, owner = step.spec, step.spec.owner
        held = quarantine.holding(
            known,
            digest=owner.digest or "",
            image=spec.image,
            image_id=ids.get(spec.image, ""),
        )
        if held is None:
            continue
        subject = names.of_service(
            owner.platform, owner.service or "", owner.group or ""
        )
        found[subject] = Refusal(
            reason=Reason.QUARANTINE, subject=subject, detail=held.sentence()
        )
    return tuple(found.values())
