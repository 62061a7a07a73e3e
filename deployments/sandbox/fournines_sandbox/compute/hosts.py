"""
The simulated compute hosts: two in each of three availability zones.

They share this machine, so their capacity is a promise: modest enough for a flavor to be too big, generous enough for
forty small instances.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

_NAMESPACE = uuid.UUID("5f6a1d5e-0c1b-5c55-9d0e-6f6f75726e39")
_ZONES = 3
_HOSTS_PER_ZONE = 2


@dataclass(frozen=True, slots=True)
class Host:
    """
    One compute host.

    Args:
        vcpu_ratio: Virtual processors promised for each one there is.
    """

    name: str
    zone: str
    vcpus: int = 8
    vcpu_ratio: float = 4.0
    memory_mb: int = 8192
    disk_gb: int = 200

    @property
    def node_uuid(self) -> str:
        """Identity of its compute node; the same in every cloud, because every cloud has its own Nova."""
        return str(uuid.uuid5(_NAMESPACE, self.name))


HOSTS = tuple(
    Host(name=f"az{zone}-host{number}", zone=f"az{zone}")
    for zone in range(1, _ZONES + 1)
    for number in range(1, _HOSTS_PER_ZONE + 1)
)

BY_NAME = {host.name: host for host in HOSTS}

ZONES = tuple(dict.fromkeys(host.zone for host in HOSTS))
