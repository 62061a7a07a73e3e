"""
What many first moves ask of the store alike, read once: a storm of a thousand alerts must not read a service's alerts a thousand times.

A glance is good for a moment. What decides whether a slot is in somebody's hands is never taken from it.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from alerts import conventions as c
from fournines.model.pause import Pause
from fournines.store.protocol import Store

GOOD_FOR = timedelta(seconds=0.25)
"""Of the order of one commit's alerts; a pause or another alert is heeded so much later at most."""


class Glance:
    """
    One look at the store, kept for a moment. Not thread-safe: it belongs to whoever holds the lock of first moves.
    """

    def __init__(self, store: Store, at: datetime) -> None:
        self._store = store
        self.at = at
        self._pauses: tuple[Pause, ...] | None = None
        self._suspects: dict[tuple[str, str], frozenset[str]] = {}

    def is_good(self, now: datetime) -> bool:
        """
        Whether it is fresh enough; a clock that went back makes it stale.
        """
        return self.at <= now < self.at + GOOD_FOR

    @property
    def pauses(self) -> tuple[Pause, ...]:
        """
        All pauses.
        """
        if self._pauses is None:
            self._pauses = self._store.pauses.all()
        return self._pauses

    def suspects(self, platform: str, service: str) -> frozenset[str]:
        """
        Members of a service that are not to be counted on: alerts fire for them, or cases are open.
        """
        key = (platform, service)
        if key not in self._suspects:
            firing = self._store.inbox.firing(platform, service)
            cases = self._store.cases.cases(service=service, open_only=True)
            self._suspects[key] = frozenset(
                {alert.labels.get(c.INSTANCE_NAME, "") for alert in firing}
                | {case.subject.instance or "" for case in cases}
            )
        return self._suspects[key]
