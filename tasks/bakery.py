"""
Baking what is wanted: the recipes of this checkout, in order, parents first; what descends from a failed one waits.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from blueprints import baked as catalogue
from blueprints import baking as choosing
from blueprints import recipe as recipes_
from blueprints.baked import Baked
from fournines import log
from fournines.cloud.errors import CloudError
from fournines.model.desired import Platform
from fournines.model.inventory import Image, Inventory
from fournines.settings import ROOT
from fournines.store.protocol import LeaseHeld
from tasks import baking
from tasks.bake_listening import BakeFailed
from tasks.baking import Bench, Perform, Result
from tasks.workshop import Workshop

FOLDER = ROOT / "deployments" / "images"

_log = log.get("bakery")


@dataclass(frozen=True, slots=True)
class Batch:
    """
    What came of baking several images.

    Attributes:
        failed: Why, by recipe.
        unchanged: What is current and was left alone.
    """

    baked: tuple[Result, ...] = ()
    failed: dict[str, str] = field(default_factory=dict)
    unchanged: tuple[Baked, ...] = ()

    @property
    def ok(self) -> bool:
        """
        Everything wanted is current.
        """
        return not self.failed

    def lines(self) -> list[str]:
        """
        For people, one line an image.
        """
        said = [
            f"{one.name} is current and unchanged; bake it anyway with --again"
            for one in self.unchanged
        ]
        for result in self.baked:
            seconds = sum(result.seconds.values())
            said.append(
                f"{result.image.name} is the current image of {result.image.recipe} ({seconds:.0f} s, "
                f"{result.image.size_bytes / 1e6:.0f} MB)"
            )
        return said + [f"{name}: {why}" for name, why in self.failed.items()]


def recipe_names() -> frozenset[str]:
    """
    The names that mean "the current image of that recipe", without reading the recipes.
    """
    return frozenset(file.parent.name for file in FOLDER.glob(f"*/{recipes_.FILE}"))


def as_if_baked(
    desired: Platform, seen: Inventory, only: str | None = None
) -> Inventory:
    """
    The inventory as it will be once what a platform names and nobody has baked yet is there.
    """
    names = catalogue.lacking(desired, seen.images, recipe_names(), only)
    coming = tuple(Image(id=name, name=name) for name in names)
    return seen.model_copy(update={"images": (*seen.images, *coming)})


def lacking(
    workshop: Workshop, desired: Platform, only: str | None = None
) -> tuple[str, ...]:
    """
    The recipes that a platform, or one service of it, names and nobody has baked yet.

    Raises:
        CloudError: The images could not be read.
    """
    images = workshop.cloud.images()
    return catalogue.lacking(desired, images, recipe_names(), only)


def bake_lacking(
    workshop: Workshop,
    desired: Platform,
    *,
    only: str | None = None,
    perform: Perform = baking.at_once,
    tell: baking.Tell = baking.unheard,
) -> None:
    """
    Bake what a platform, or one service of it, names and nobody has baked yet: one button makes all. What fails is told, and the deploy that
    follows is refused for want of the image.

    Raises:
        BlueprintError: A recipe breaks a rule.
        CloudError: The images could not be read.
    """
    names = lacking(workshop, desired, only)
    if not names:
        return
    tell(f"to be baked first, some minutes each: {', '.join(names)}")
    batch = bake(workshop, names, perform=perform, tell=tell)
    for line in batch.lines():
        tell(line)


def bake(
    workshop: Workshop,
    names: Collection[str],
    *,
    again: bool = False,
    perform: Perform = baking.at_once,
    tell: baking.Tell = baking.unheard,
) -> Batch:
    """
    Bake what is wanted and what it grows from; all there are when no name is given. What is unchanged only when asked for `again`.

    Raises:
        BlueprintError: A recipe breaks a rule, or there is none of that name.
        CloudError: The images could not be read.
    """
    recipes = recipes_.all_recipes(FOLDER)
    for name in names:
        recipes_.find(name, recipes, FOLDER)
    wanted = tuple(names) or tuple(recipes)
    known = catalogue.read(workshop.cloud.images())
    work = choosing.chosen(wanted, recipes, known, again=again)
    settings = workshop.settings
    bench = Bench(
        recipes=recipes,
        base_image=settings.base_image or "",
        package_source=settings.package_source or "",
        perform=perform,
        tell=tell,
    )
    done: list[Result] = []
    failed: dict[str, str] = {}
    for one in work:
        parent = recipes[one.recipe].parent
        if parent in failed:
            failed[one.recipe] = f"not baked: its parent {parent} failed"
            continue
        tell(f"baking {one.recipe}: {one.why}")
        try:
            done.append(baking.bake(workshop, one.recipe, bench))
        except (BakeFailed, CloudError, LeaseHeld) as error:
            failed[one.recipe] = str(error)
            _log.error("bake_failed", recipe=one.recipe, error=str(error))
    due = {one.recipe for one in work}
    unchanged = (catalogue.current(known, name) for name in wanted if name not in due)
    return Batch(tuple(done), failed, tuple(one for one in unchanged if one))
