"""
Where the members of a stateful service are, also while a slot has no instance: its port keeps the address.
"""

from __future__ import annotations

from tasks.operators import Cluster


def addresses(cluster: Cluster) -> dict[str, str]:
    """
    The address of every slot that has one, by the slot's name.
    """
    ports = {port.name: port.address for port in cluster.inventory.ports}
    kept = {slot: ports.get(slot) for slot in cluster.slot_names}
    found = {slot: address for slot, address in kept.items() if address}
    return {**found, **cluster.addresses()}
