"""
A plan taken up again whose repeating would cost users: a failover that was asked for before the crash is asked for twice only if it did not help.
"""

from __future__ import annotations

from flows import examination
from flows.case_book import CaseBook
from flows.ward import Ward
from fournines.model.case import Diagnosis
from fournines.planning.plan import Plan
from fournines.store.protocol import StepState
from healing import plan as planning
from healing.rungs import Rung
from healing.service_plans import FAILOVER_DEADLINE_SECONDS
from tasks.leasing import Holding

LOOK_SECONDS = 1.0
"""From look to look at a load balancer that is being failed over."""


def has_helped(ward: Ward, book: CaseBook, plan: Plan, held: Holding) -> bool:
    """
    Whether users get through after a failover that may have been asked for before; one under way is waited for. Its steps are done then.

    Raises:
        CloudUnreachable: Nothing could be looked at.
    """
    if planning.rung_of(plan) is not Rung.FAIL_OVER:
        return False
    journal, clock = ward.workshop.store.journal, ward.workshop.clock
    begun = [
        entry.step_id
        for entry in journal.entries(plan.id)
        if entry.state is StepState.INTENDED
    ]
    if not begun or _is_still_broken(ward, book):
        return False
    rights = (*held.rights(), *book.rights())
    for step in begun:
        journal.finish(
            plan.id, step, StepState.DONE, at=clock.now(), result={}, rights=rights
        )
    said = "asked for before the crash: users get through"
    journal.close_plan(plan.id, outcome=said, at=clock.now(), rights=rights)
    book.note("helped_before", said)
    return True


def _is_still_broken(ward: Ward, book: CaseBook) -> bool:
    clock = ward.workshop.clock
    begin = clock.monotonic()
    while True:
        seen = examination.examine(ward, book.case)
        scene = seen.situation.scene
        front = scene.balancer if scene else None
        pending = front is not None and front.pending
        late = clock.monotonic() - begin > FAILOVER_DEADLINE_SECONDS
        if not pending or late:
            return seen.finding.diagnosis is Diagnosis.BALANCER
        clock.sleep(LOOK_SECONDS)
