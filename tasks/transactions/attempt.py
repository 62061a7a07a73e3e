"""
One try at a service's load balancer, timed: what every engine's transactor does around its own words.
"""

from __future__ import annotations

from collections.abc import Callable

from fournines.clock import Clock
from fournines.model import names
from fournines.model.desired import Service
from fournines.model.inventory import Inventory
from fournines.model.transaction import Transaction


def attempt(
    service: Service,
    inventory: Inventory,
    clock: Clock,
    try_at: Callable[[str], str],
) -> Transaction:
    """
    Try once. `try_at` takes the load balancer's address and returns what went wrong, empty when nothing did.
    """
    at, begin = clock.now(), clock.monotonic()
    name = names.of_service(service.platform, service.name, "lb")
    balancer = inventory.load_balancer(name)
    if balancer is None or balancer.vip_address is None:
        error = "there is no load balancer"
    else:
        error = try_at(balancer.vip_address)
    seconds = clock.monotonic() - begin
    return Transaction(at=at, ok=not error, seconds=seconds, error=error)
