"""
Taking over what dead workers left.
"""

from __future__ import annotations

from fournines import log
from fournines.model.inventory import Inventory
from fournines.planning.plan import Purpose
from tasks import registering
from tasks.workshop import Workshop

_log = log.get("adoption")


def adopt(workshop: Workshop, seen: Inventory, only: str | None) -> None:
    """
    Take over from dead workers: we hold their leases, so their journals are closed and what they left is planned from.

    Healing's plans are left to the healer, who takes up its open cases itself.
    """
    registering.take_stock(workshop, seen, only)
    journal, platform = workshop.store.journal, seen.platform
    for left in journal.unfinished():
        ours = left.platform == platform and (only is None or left.service == only)
        if ours and left.purpose is not Purpose.HEAL:
            journal.close_plan(
                left.id,
                outcome="its worker died; what it left was planned anew",
                at=workshop.clock.now(),
            )
            _log.warning("plan_adopted", plan=left.id, service=left.service)
