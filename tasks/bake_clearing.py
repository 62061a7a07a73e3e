"""
Clearing after bakes: what one left that failed or died, and images that nobody uses any more.

Everything a bake makes has a name that follows from the recipe, and one lease says whose it is.
"""

from __future__ import annotations

from blueprints import baked as catalogue
from fournines import log
from fournines.cloud.errors import CloudError
from fournines.model import names
from fournines.planning.plan import Purpose
from tasks import leftovers
from tasks.workshop import Workshop

PLATFORM = names.BAKE

STEP_SECONDS = 300.0
"""Of a cloud's part: a boot, a shutdown, a delete."""

_log = log.get("baking")


def lease_of(recipe: str) -> str:
    """
    The lease on baking one recipe.
    """
    return f"bake/{recipe}"


def sweep(workshop: Workshop) -> tuple[str, ...]:
    """
    Clear what bakes left whose worker died; the names of their recipes. Those that somebody works on are left alone.
    """
    return leftovers.sweep(workshop, Purpose.BAKE, lease_of, clear)


def clear(workshop: Workshop, name: str) -> None:
    """
    Delete whatever an unfinished bake of a recipe has in the cloud. The caller holds its lease.
    """
    cloud = workshop.cloud
    for instance in (builder(name), prover(name)):
        cloud.delete_instance(instance, deadline_seconds=STEP_SECONDS)
    cloud.delete_network(network(name), deadline_seconds=STEP_SECONDS)
    for image in catalogue.unfinished(cloud.images(), name):
        cloud.delete_image(image, deadline_seconds=STEP_SECONDS)


def prune(workshop: Workshop) -> tuple[str, ...]:
    """
    Set right what is current and previous, and delete what is deprecated and used by nobody; the names of what was deleted.
    """
    cloud = workshop.cloud
    known = catalogue.read(cloud.images())
    for name, state in catalogue.settled(known).items():
        told = {catalogue.STATE_PROPERTY: str(state)}
        cloud.describe_image(name, told, deadline_seconds=STEP_SECONDS)
    # Read anew, in this order: an instance made meanwhile is seen, and one asked for meanwhile is made from the current image.
    known = catalogue.read(cloud.images())
    wanted = catalogue.wanted_images(workshop.store.registry.platforms())
    gone = []
    for name in catalogue.prunable(known, in_use=cloud.images_in_use(), wanted=wanted):
        try:
            cloud.delete_image(name, deadline_seconds=STEP_SECONDS)
        except CloudError as error:
            # Some stores keep what volumes grew from: it stays deprecated.
            _log.warning("image_kept", image=name, error=str(error))
            continue
        gone.append(name)
    return tuple(gone)


def builder(name: str) -> str:
    """
    The instance that the image is made of.
    """
    return f"{PLATFORM}-{name}-builder"


def prover(name: str) -> str:
    """
    The instance made from the image.
    """
    return f"{PLATFORM}-{name}-prover"


def network(name: str) -> str:
    """
    The network of both.
    """
    return f"{PLATFORM}-{name}-network"
