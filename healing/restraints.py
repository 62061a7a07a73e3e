"""
What people asked for: pauses and maintenance windows, as refusals. First moves and treatments ask the same.
"""

from __future__ import annotations

from datetime import datetime

from fournines.model import maintenance as windows
from fournines.model import pause as pausing
from fournines.model.case import Subject
from fournines.model.desired import Group, Platform, Service
from fournines.model.pause import Pause
from fournines.model.refusal import Reason, Refusal
from healing import damping


def pause(pauses: tuple[Pause, ...], subject: Subject, now: datetime) -> Refusal | None:
    """
    A person told us to keep our hands off this subject.
    """
    found = pausing.covering(pauses, subject, now)
    if found is None:
        return None
    return Refusal(reason=Reason.PAUSED, detail=found.sentence(), subject=subject.key)


def flapping(
    flaps: tuple[datetime, ...], group: Group, subject: Subject, now: datetime
) -> Refusal | None:
    """
    The slot has cried out too often, and was well each time.
    """
    found = damping.damping(flaps, now, group.healing)
    if not found.held:
        return None
    return Refusal(
        reason=Reason.FLAPPING,
        detail=f"{len(flaps)} false alarms lately ({found.points:.1f} points, held from "
        f"{group.healing.flaps_max}): nothing is moved on an alarm's word until it is calm",
        subject=subject.key,
    )


def maintenance(
    platform: Platform, service: Service, subject: Subject, now: datetime
) -> Refusal | None:
    """
    A window of the service or of the platform is open.
    """
    found = windows.open_window((*platform.maintenance, *service.maintenance), now)
    if found is None:
        return None
    window, end = found
    return Refusal(
        reason=Reason.MAINTENANCE,
        detail=f"a maintenance window is open until {end:%Y-%m-%d %H:%M:%S} UTC "
        f"({window.sentence()})",
        subject=subject.key,
    )
