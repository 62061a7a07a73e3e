"""
Clearing after drills: what one left that failed or died. Names follow from the service, and one lease says whose they are.
"""

from __future__ import annotations

from fournines.planning.plan import Purpose
from tasks import leftovers
from tasks.workshop import Workshop

PLATFORM = "fournines-drill"
"""Whose a drill's guest, volume, network and guard are: no service of ours is in it, and nobody reaches it."""

STEP_SECONDS = 300.0


def lease_of(subject: str) -> str:
    """
    The lease on the drills of one service, `platform-service`.
    """
    return f"drill/{subject}"


def name(subject: str, noun: str) -> str:
    """
    What a part of a drill is called.
    """
    return f"{PLATFORM}-{subject}-{noun}"


def clear(workshop: Workshop, subject: str) -> None:
    """
    Delete whatever a drill has in the cloud. The caller holds its lease.
    """
    cloud = workshop.cloud
    cloud.delete_instance(name(subject, "guest"), deadline_seconds=STEP_SECONDS)
    cloud.delete_volume(name(subject, "volume"), deadline_seconds=STEP_SECONDS)
    cloud.delete_security_group(name(subject, "guard"), deadline_seconds=STEP_SECONDS)
    cloud.delete_network(name(subject, "net"), deadline_seconds=STEP_SECONDS)


def sweep(workshop: Workshop) -> tuple[str, ...]:
    """
    Clear what drills left whose worker died; whose they were. Those that somebody works on are left alone.
    """
    return leftovers.sweep(workshop, Purpose.DRILL, lease_of, clear)
