"""
What works outside of any platform (bakes, drills) leave when their worker dies: a journal that is open, and parts in the cloud under names that follow
from their subject. One lease says whose they are; whoever holds it clears them and closes the journal.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from fournines import log
from fournines.cloud import permit
from fournines.planning import plan as plans
from fournines.planning.plan import Purpose
from fournines.store.protocol import LeaseHeld
from tasks import leasing
from tasks.leasing import Holding
from tasks.workshop import Workshop

_log = log.get("leftovers")

Clear = Callable[[Workshop, str], None]
"""Deletes whatever the work on a subject has in the cloud. The caller holds its lease."""


def open_journal(
    workshop: Workshop,
    purpose: Purpose,
    platform: str,
    subject: str,
    *,
    held: Holding,
    at: datetime,
) -> str:
    """
    Write down that the work on a subject begins; the journal's id.
    """
    made = plans.make(
        purpose=purpose, platform=platform, service=subject, made_at=at, steps=()
    )
    workshop.store.journal.open_plan(
        made, holder=held.holder, at=at, rights=held.rights()
    )
    return made.id


def close(workshop: Workshop, purpose: Purpose, subject: str) -> None:
    """
    Close the journals of work that died. The caller holds the subject's lease, and has cleared.
    """
    for left in workshop.store.journal.unfinished():
        if left.purpose is purpose and left.service == subject:
            workshop.store.journal.close_plan(
                left.id,
                outcome="its worker died; what it left was cleared",
                at=workshop.clock.now(),
            )
            _log.warning("cleared", purpose=purpose, plan=left.id, subject=subject)


def sweep(
    workshop: Workshop, purpose: Purpose, lease_of: Callable[[str], str], clear: Clear
) -> tuple[str, ...]:
    """
    Clear what was left; the subjects it was about. Those that somebody works on are left alone.
    """
    found = []
    for left in workshop.store.journal.unfinished():
        subject = left.service
        if left.purpose is not purpose or subject is None:
            continue
        try:
            with (
                leasing.holding(
                    workshop,
                    [lease_of(subject)],
                    purpose=f"clearing {purpose} of {subject}",
                ) as held,
                permit.granted(held.check),
            ):
                clear(workshop, subject)
                close(workshop, purpose, subject)
        except LeaseHeld:
            continue
        found.append(subject)
    return tuple(dict.fromkeys(found))
