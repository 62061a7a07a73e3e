"""
What a slot's earlier cases say about it.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from fournines.model.case import Case, Diagnosis, Subject
from fournines.model.desired import HealingLimits, Platform
from fournines.model.refusal import Reason
from fournines.store.protocol import Cases

HALF_LIVES = 5
"""A flap older than this weighs less than a thirtieth and is forgotten."""

LONGEST_CASE = timedelta(minutes=10)
"""A case opened earlier has said long ago what it had to say about a storm."""

STORM_CASES_MAX = 200
"""The newest of them: one is enough to know of a storm."""

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


def storm_at(
    cases: Cases, subject: Subject, platform: Platform, now: datetime
) -> datetime | None:
    """
    When a case last said that a storm was over the subject's group, or over the whole platform.
    """
    since = now - timedelta(seconds=platform.storm_calm_seconds) - LONGEST_CASE
    told = [
        event.at
        for case in cases.cases(since=since, limit=STORM_CASES_MAX)
        if case.subject.platform == subject.platform
        for event in case.events
        if event.event == "refused"
        and (
            event.facts.get("reason") == Reason.PLATFORM_STORM
            or (
                event.facts.get("reason") == Reason.STORM and _same_group(case, subject)
            )
        )
    ]
    return max(told, default=None)


def _same_group(case: Case, subject: Subject) -> bool:
    theirs = case.subject
    return (theirs.service, theirs.group) == (subject.service, subject.group)


def _was_nothing(case: Case) -> bool:
    return case.state.ended and case.diagnosis in {
        Diagnosis.NOTHING,
        Diagnosis.FLAPPING,
    }
