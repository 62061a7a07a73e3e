"""
What is to be baked, in which order, and why; on what, in what size of builder. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from blueprints import recipe as recipes_
from blueprints.baked import Baked, current
from blueprints.recipe import Recipe
from fournines.model.inventory import Flavor
from fournines.model.refusal import Reason, Refusal
from fournines.model.value import Value


class Work(Value):
    """
    An image that is to be baked.
    """

    recipe: str
    why: str


def chosen(
    wanted: Collection[str],
    recipes: Mapping[str, Recipe],
    baked: Iterable[Baked],
    *,
    again: bool = False,
) -> tuple[Work, ...]:
    """
    What must be baked so that all wanted images are current: parents first, what is unchanged not at all unless asked for `again`.
    """
    known = tuple(baked)
    names = [one.image for name in sorted(wanted) for one in _line(name, recipes)]
    work: dict[str, Work] = {}
    for name in dict.fromkeys(names):
        why = _why(name, recipes, known, work)
        if not why and again and name in wanted:
            why = "asked for again"
        if why:
            work[name] = Work(recipe=name, why=why)
    return tuple(work.values())


def _line(name: str, recipes: Mapping[str, Recipe]) -> tuple[Recipe, ...]:
    return recipes_.lineage(name, recipes)


def _why(
    name: str,
    recipes: Mapping[str, Recipe],
    baked: tuple[Baked, ...],
    work: Mapping[str, Work],
) -> str:
    """
    Why an image is missing or outdated; empty when it is neither.
    """
    present = current(baked, name)
    parent = recipes[name].parent
    if present is None:
        return "there is none yet"
    if present.digest != recipes_.digest(name, recipes):
        return "its recipe has changed"
    if parent in work:
        return f"its parent {parent} is baked anew"
    above = current(baked, parent) if parent in recipes else None
    if above is not None and above.name != present.parent:
        return f"its parent {parent} has been baked anew"
    return ""


def flavor_for(
    recipe: Recipe, min_disk_gb: int, flavors: Iterable[Flavor]
) -> Flavor | Refusal:
    """
    The smallest flavor that a builder fits into.
    """
    disk = max(recipe.disk_gb, min_disk_gb)
    fitting = [f for f in flavors if f.ram_mb >= recipe.ram_mb and f.disk_gb >= disk]
    if not fitting:
        return Refusal(
            reason=Reason.CAPACITY,
            subject=recipe.image,
            detail=f"no flavor has the {recipe.ram_mb} MB of memory and {disk} GB of disk that baking "
            f"{recipe.image} needs; make one, or lower ram_mb or disk_gb in its recipe",
        )
    return min(fitting, key=lambda f: (f.ram_mb, f.disk_gb, f.vcpus, f.name))
