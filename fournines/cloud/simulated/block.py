"""
How volumes of the simulated cloud come to an instance and leave it: at once, late when something is stuck, or never when one is in error.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from fournines.cloud.simulated.records import VolumeRecord
from fournines.cloud.simulated.world import World

ERROR = "error"


def free_at(world: World, names: Sequence[str], now: datetime) -> datetime | None:
    """
    When to try attaching these volumes again; None: now. One that another instance holds is taken from it, as the cloud's door has it.
    """
    later: list[datetime] = []
    for name in names:
        volume = world.volumes[name]
        if volume.status == ERROR:
            continue
        if volume.stuck_until is not None and volume.stuck_until > now:
            later.append(volume.stuck_until)
    return max(later, default=None)


def attach(world: World, names: Sequence[str], instance_id: str) -> str | None:
    """
    All of them, or none and why.
    """
    for name in names:
        if world.volumes[name].status == ERROR:
            return f"Block device {name} cannot be attached: its status is error."
    for name in names:
        volume = world.volumes[name]
        volume.attached_to, volume.status = instance_id, "in-use"
        volume.stuck_until = None
    return None


def detach(world: World, instance_id: str, now: datetime) -> None:
    """
    The instance is gone: its volumes are free, those that are stuck some time later.
    """
    for volume in world.volumes.values():
        if volume.attached_to != instance_id:
            continue
        volume.attached_to = None
        if volume.status == ERROR:
            continue
        volume.status = "available"
        if volume.stuck_until is not None and volume.stuck_until > now:
            volume.status = "detaching"
            world.agenda.book(volume.stuck_until, partial(_freed, volume))


def _freed(volume: VolumeRecord, _due: datetime) -> None:
    if volume.status == "detaching":
        volume.status = "available"
