"""
Members in healing's hands: what a deployment must not give users, or take for its own.
"""

from __future__ import annotations

from datetime import timedelta

from fournines.model.case import CaseState
from fournines.planning.plan import Purpose
from tasks.workshop import Workshop

HOLD_SECONDS = 180.0
"""How long the reconcile leaves alone what healing has given up; until then a person has been called."""


def drained(workshop: Workshop, platform: str) -> frozenset[str]:
    """
    Members with an open case.
    """
    return frozenset(
        case.subject.instance
        for case in workshop.store.cases.cases(open_only=True)
        if case.subject.platform == platform and case.subject.instance
    )


def given_up(workshop: Workshop, platform: str, purpose: Purpose) -> frozenset[str]:
    """
    Sick members that healing has just given up: the timer must not give them users again. A person's deploy may.
    """
    if purpose is not Purpose.RECONCILE:
        return frozenset()
    since = workshop.clock.now() - timedelta(seconds=HOLD_SECONDS)
    return frozenset(
        case.subject.instance
        for case in workshop.store.cases.cases(since=since, limit=1_000)
        if case.state in {CaseState.PAGED, CaseState.REFUSED}
        and case.subject.platform == platform
        and case.subject.instance
    )
