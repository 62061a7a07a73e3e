"""
Reading the cloud: dated snapshots, with one log event each.
"""

from __future__ import annotations

from fournines import log
from fournines.model.inventory import Inventory, Quota
from tasks.workshop import Workshop

_log = log.get("observe")


def inventory(
    workshop: Workshop, platform: str, service: str | None = None
) -> Inventory:
    """
    What is ours, now, and what it is set to.

    Raises:
        CloudError: The cloud could not be read.
    """
    begin = workshop.clock.now()
    seen = workshop.cloud.inventory(platform, service, closely=True)
    _log.info(
        "inventory_read",
        platform=platform,
        service=service,
        instances=len(seen.instances),
        load_balancers=len(seen.load_balancers),
        seconds=round((workshop.clock.now() - begin).total_seconds(), 3),
    )
    return seen


def quota(workshop: Workshop) -> Quota:
    """
    What the project may still make.

    Raises:
        CloudError: The cloud could not be read.
    """
    return workshop.cloud.quota()
