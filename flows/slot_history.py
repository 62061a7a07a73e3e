"""
What a slot's earlier cases say about it.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from fournines.model.case import Case, Diagnosis
from fournines.model.desired import HealingLimits
from fournines.store.protocol import Cases

HALF_LIVES = 5
"""A flap older than this weighs less than a thirtieth and is forgotten."""

HISTORY_MAX = 50
"""Cases of one slot looked at: more within an hour change no answer."""


def flaps(
    cases: Cases, key: str, limits: HealingLimits, now: datetime
) -> tuple[datetime, ...]:
    """
    When alarms about a slot turned out to be nothing, oldest first; a healing in between makes a new start.
    """
    since = now - timedelta(seconds=HALF_LIVES * limits.flap_half_life_seconds)
    found: list[datetime] = []
    for case in cases.cases(key=key, since=since, limit=HISTORY_MAX):
        if case.plan_id is not None:
            break
        if _was_nothing(case):
            found.insert(0, case.opened_at)
    return tuple(found)


def _was_nothing(case: Case) -> bool:
    return case.state.ended and case.diagnosis in {
        Diagnosis.NOTHING,
        Diagnosis.FLAPPING,
    }
