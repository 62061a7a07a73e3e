"""
Forgetting what nobody asks for any more: a store that only grows ends some night.

Open cases, unfinished plans and alerts without a case are never touched, however old they are.
"""

from __future__ import annotations

from datetime import timedelta

from fournines import log
from fournines.model.value import Value
from tasks.workshop import Workshop

EVERY = timedelta(hours=1)
"""Often enough that one go is short."""

_log = log.get("retention")


class Forgotten(Value):
    """
    How many of each.
    """

    alerts: int
    cases: int
    plans: int


def prune(workshop: Workshop) -> Forgotten:
    """
    Delete what is older than the settings keep.

    Raises:
        StoreError: The store does not answer.
    """
    now, keep, store = workshop.clock.now(), workshop.settings, workshop.store
    of_cases = now - timedelta(days=keep.keep_cases_days)
    of_alerts = now - timedelta(days=keep.keep_alerts_days)
    found = Forgotten(
        alerts=store.inbox.forget(of_alerts, firing_before=min(of_cases, of_alerts)),
        cases=store.cases.forget(of_cases),
        plans=store.journal.forget(now - timedelta(days=keep.keep_plans_days)),
    )
    if any(found.model_dump().values()):
        _log.info("forgotten", **found.model_dump())
    return found
