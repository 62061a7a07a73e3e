"""
Clearing after drills: what one left that failed or died. Names follow from the service, and one lease says whose they are.
"""

from __future__ import annotations

from fournines import log
from fournines.cloud import permit
from fournines.planning.plan import Purpose
from fournines.store.protocol import LeaseHeld
from tasks import leasing
from tasks.workshop import Workshop

PLATFORM = "fournines-drill"
"""Whose a drill's guest, volume, network and guard are: no service of ours is in it, and nobody reaches it."""

STEP_SECONDS = 300.0

_log = log.get("drilling")


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


def close_left(workshop: Workshop, subject: str) -> None:
    """
    Close the journals of drills that died. The caller holds the lease, and has cleared.
    """
    for left in workshop.store.journal.unfinished():
        if left.purpose is Purpose.DRILL and left.service == subject:
            workshop.store.journal.close_plan(
                left.id,
                outcome="its worker died; what it left was cleared",
                at=workshop.clock.now(),
            )
            _log.warning("drill_cleared", plan=left.id, service=subject)


def sweep(workshop: Workshop) -> tuple[str, ...]:
    """
    Clear what drills left whose worker died; whose they were. Those that somebody works on are left alone.
    """
    found = []
    for left in workshop.store.journal.unfinished():
        if left.purpose is not Purpose.DRILL or left.service is None:
            continue
        subject = left.service
        try:
            with (
                leasing.holding(
                    workshop,
                    [lease_of(subject)],
                    purpose=f"clearing drill of {subject}",
                ) as held,
                permit.granted(held.check),
            ):
                clear(workshop, subject)
                close_left(workshop, subject)
        except LeaseHeld:
            continue
        found.append(subject)
    return tuple(dict.fromkeys(found))
