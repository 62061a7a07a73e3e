"""
The registry's list of what we made: kept step by step, and brought in line with what carries our mark in the cloud.

A process may die between a call and its record; the next one to look sets that right.
"""

from __future__ import annotations

from datetime import datetime

from fournines.model import names
from fournines.model.inventory import Inventory
from fournines.planning.steps import Step
from tasks import perform
from tasks.workshop import Workshop


def record(
    platform: str, step: Step, facts: perform.Facts, workshop: Workshop, at: datetime
) -> None:
    """
    What a step made is ours; what it took away is forgotten.
    """
    if step.kind.startswith("ensure-"):
        workshop.store.registry.record_resource(
            platform,
            perform.resource_kind(step),
            str(facts["name"]),
            str(facts["id"]),
            at=at,
        )
    elif perform.resource_kind(step):
        forget(platform, step, workshop)


def forget(platform: str, step: Step, workshop: Workshop) -> None:
    """
    What a step is about is there no more.
    """
    workshop.store.registry.forget_resource(
        platform, perform.resource_kind(step), perform.resource_name(step)
    )


def take_stock(workshop: Workshop, seen: Inventory, only: str | None = None) -> None:
    """
    Record what is there and forget what is gone; with `only`, nothing is forgotten but of that service.
    """
    registry, now = workshop.store.registry, workshop.clock.now()
    marked = _marked(seen)
    known = {
        (kind, name): cloud_id
        for kind, name, cloud_id in registry.resources(seen.platform)
    }
    for (kind, name), cloud_id in marked.items():
        if known.get((kind, name)) != cloud_id:
            registry.record_resource(seen.platform, kind, name, cloud_id, at=now)
    prefix = names.of_service(seen.platform, only, "") if only else ""
    for kind, name in known.keys() - marked.keys():
        if name.startswith(prefix):
            registry.forget_resource(seen.platform, kind, name)


def _marked(seen: Inventory) -> dict[tuple[str, str], str]:
    kinds = {
        "network": seen.networks,
        "security-group": seen.security_groups,
        "server-group": seen.server_groups,
        "volume": seen.volumes,
        "port": seen.ports,
        "instance": seen.instances,
        "load-balancer": seen.load_balancers,
        "floating-ip": seen.floating_ips,
    }
    return {
        (kind, resource.name): resource.id
        for kind, resources in kinds.items()
        for resource in resources
        if resource.owner is not None
    }
