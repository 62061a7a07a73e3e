"""
The images of a deploy that nobody has baked yet: baked first, unless the deploy would be refused whatever is baked.
"""

from __future__ import annotations

from fournines.model.desired import Platform
from tasks import bakery, baking, deployment
from tasks.baking import Perform, Tell
from tasks.result import NotDone
from tasks.workshop import Workshop


def images_first(
    workshop: Workshop,
    desired: Platform,
    *,
    only: str | None = None,
    insist: bool = False,
    perform: Perform = baking.at_once,
    tell: Tell = baking.unheard,
) -> None:
    """
    Bake what is lacking; some minutes each, so what stands in the deploy's way is said before.

    Raises:
        NotDone: Something does; nothing was touched.
        BlueprintError: A recipe breaks a rule.
        CloudError: The cloud could not be read.
    """
    if not bakery.lacking(workshop, desired, only):
        return
    found = deployment.obstacles(workshop, desired, only=only, insist=insist)
    if not found.ok:
        raise NotDone(found)
    bakery.bake_lacking(workshop, desired, only=only, perform=perform, tell=tell)
