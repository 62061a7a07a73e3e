"""
What keeps healing back, in numbers: pauses, open maintenance windows, builds in quarantine, people who are asked.

Computed when it is scraped. The master switch has its own gauge beside the cases.
"""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from alerts import conventions as c
from fournines.clock import Clock
from fournines.store.protocol import Store, StoreError
from tasks import restraints


class RestraintGauges(Collector):
    """
    Gauges of what people and brakes hold.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def describe(self) -> list[Metric]:
        """
        Nothing beforehand: descriptions come with the samples.
        """
        return []

    def collect(self) -> Iterator[Metric]:
        """
        All samples now; none while the store does not answer.
        """
        try:
            found = self._found()
        except StoreError:
            return
        yield from found

    def _found(self) -> list[Metric]:
        now = self._clock.now()
        paused = [one for one in self._store.pauses.all() if one.holds(now)]
        windows = restraints.open_windows(self._store, now)
        held = [one for one in self._store.quarantines.all() if one.held_at]
        waiting = self._store.approvals.waiting()
        left = min(
            ((one.deadline_at - now).total_seconds() for one in waiting), default=0.0
        )
        return [
            _one(c.PAUSES, "Places whose healing a person paused.", len(paused)),
            _one(c.WINDOWS_OPEN, "Maintenance windows that are open.", len(windows)),
            _one(c.BUILDS_QUARANTINED, "Builds in quarantine.", len(held)),
            _one(
                c.APPROVALS_WAITING,
                "Plans that wait for a person's word.",
                len(waiting),
            ),
            _one(c.APPROVALS_LEFT, "Seconds until the first of them is decided.", left),
        ]


def _one(name: str, text: str, value: float) -> Metric:
    family = GaugeMetricFamily(name, text)
    family.add_metric([], value)
    return family
