"""
Leave to act: every brake asked, the service's lease in hand, and the case marked as acting, all in one moment.
"""

from __future__ import annotations

import dataclasses
from contextlib import ExitStack

from flows import examination, surroundings
from flows.case_book import CaseBook
from flows.examination import Examination
from flows.ward import Ward
from fournines.model.case import CaseState, Diagnosis, Subject
from fournines.model.refusal import Reason
from fournines.store.protocol import LeaseHeld
from healing import brakes
from tasks.leasing import Holding

WAIT_SECONDS_MAX = 120.0
"""How long a case waits for a deploy, other healings or its cool-down."""

WAIT_SECONDS = 1.0
"""Pause before the brakes are asked again."""


_WATCH_ASKS = frozenset(
    {
        Reason.SWITCHED_OFF,
        Reason.PAUSED,
        Reason.NOT_OURS,
        Reason.BUSY,
        Reason.STALE,
    }
)
"""Giving a weight back needs no more than these brakes' leave."""


def obtain(
    ward: Ward,
    book: CaseBook,
    seen: Examination,
    stack: ExitStack,
    *,
    spoiled: frozenset[str],
) -> tuple[Examination, Holding] | None:
    """
    Wait for what time cures; None when something else objects, or it took too long. The lease is held until `stack` closes.
    """
    clock = ward.workshop.clock
    begin = clock.now()
    while True:
        with ward.gate:
            held, holder = _take_lease(ward, seen.situation.subject, stack)
            situation = dataclasses.replace(
                seen.situation,
                lease_holder=holder,
                acting=surroundings.acting(ward, book.case),
                spoiled=spoiled,
            )
            refusals = brakes.objections(situation)
            if seen.finding.diagnosis is Diagnosis.NOTHING:
                refusals = tuple(r for r in refusals if r.reason in _WATCH_ASKS)
            if held is not None and not refusals:
                book.change("may_act", "no brake objects", state=CaseState.ACTING)
                return dataclasses.replace(seen, situation=situation), held
            stack.close()
        book.refuse(refusals)
        waited = (clock.now() - begin).total_seconds()
        curable = all(refusal.reason in brakes.WAITING for refusal in refusals)
        if not curable or waited > WAIT_SECONDS_MAX:
            return None
        clock.sleep(WAIT_SECONDS)
        seen = examination.examine(ward, book.case)


def _take_lease(
    ward: Ward, subject: Subject, stack: ExitStack
) -> tuple[Holding | None, str | None]:
    try:
        held = stack.enter_context(
            ward.leases.holding(subject.platform, subject.service)
        )
    except LeaseHeld as error:
        return None, str(error)
    return held, None
