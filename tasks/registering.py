"""
Bringing the registry's list of what we made in line with what carries our mark in the cloud.

A process may die between a call and its record; the next one to look sets that right.
"""

from __future__ import annotations

from fournines.model import names
from fournines.model.inventory import Inventory
from tasks.workshop import Workshop


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
