"""
A batch service at hand: what was asked of it, its engine, and the shelf with its jobs.
"""

from __future__ import annotations

from dataclasses import dataclass

from blueprints.batch.scaling import Bounds
from blueprints.batch.specification import Limits
from fournines.model.desired import Service
from tasks import sizing, vaults
from tasks.batch.shelf import Shelf
from tasks.operators import Cluster
from tasks.operators.slurm import SlurmOperator
from tasks.operators.slurm_interface import CONTROLLER, Engine
from tasks.sizing import ServiceUnknown
from tasks.workshop import Workshop

BLUEPRINT = "batch"


@dataclass(frozen=True, slots=True)
class Desk:
    """
    One batch service.
    """

    workshop: Workshop
    service: Service
    engine: Engine
    shelf: Shelf

    @property
    def limits(self) -> Limits:
        """What it gives at most."""
        return Limits.of(self.service.parameters)

    @property
    def bounds(self) -> Bounds:
        """How many workers it may have."""
        return Bounds.of(self.service.parameters)


def at(workshop: Workshop, service: Service) -> Desk:
    """
    The desk of a batch service.

    Raises:
        CloudError: The cloud could not be read.
    """
    inventory = workshop.cloud.inventory(service.platform, service.name)
    cluster = Cluster(service, service.group(CONTROLLER), inventory)
    operator = workshop.operators[BLUEPRINT](workshop)
    assert isinstance(operator, SlurmOperator)
    vault = vaults.opened(workshop, service.platform, service.name)
    shelf = Shelf(vault.store, vault.bucket)
    return Desk(workshop, service, operator.interface(cluster), shelf)


def find(workshop: Workshop, name: str | None, platform: str | None) -> Desk:
    """
    The desk of the batch service of that name, or of the only one.

    Raises:
        ServiceUnknown: There is none, or it is not clear which.
        CloudError: The cloud could not be read.
    """
    every = [
        service
        for one in workshop.store.registry.platforms()
        if platform in {None, one.name}
        for service in one.services
        if service.blueprint == BLUEPRINT
    ]
    if name is not None:
        found = sizing.find(workshop.store.registry, name, platform).service(name)
        if found.blueprint != BLUEPRINT:
            raise ServiceUnknown(
                f"service {name} is of blueprint {found.blueprint}, which runs no jobs"
            )
        return at(workshop, found)
    if not every:
        raise ServiceUnknown(
            "no batch service is deployed; put one with `blueprint: batch` into the platform file and deploy it"
        )
    if len(every) > 1:
        there = ", ".join(f"{one.platform}/{one.name}" for one in every)
        raise ServiceUnknown(f"several batch services are deployed: {there}; name one")
    return at(workshop, every[0])
