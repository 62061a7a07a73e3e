"""
The healer's own pulse, for the alerts on it: what waits, what nobody holds, how old its picture of the cloud is, which loop sticks.

Computed when it is scraped. A store that does not answer gives no samples, and their absence is an alarm of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from alerts import conventions as c
from flows.healer_loops import Loops
from flows.healer_view import View
from fournines.clock import Clock
from fournines.model.case import CaseState
from fournines.store.protocol import Store, StoreError
from tasks import leasing

PENDING_MAX = 1_000
"""Alerts counted; more is as bad."""

OPEN_MAX = 1_000
"""Open cases looked at."""


class Vitals(Collector):
    """
    Gauges about the healer itself.
    """

    def __init__(self, store: Store, view: View, loops: Loops, clock: Clock) -> None:
        self._store = store
        self._view = view
        self._loops = loops
        self._clock = clock
        self._began_at = clock.now()

    def describe(self) -> list[Metric]:
        """
        Nothing beforehand: descriptions come with the samples.
        """
        return []

    def collect(self) -> Iterator[Metric]:
        """
        All samples now.
        """
        yield from self._rounds()
        try:
            found = [*self._inbox(), *self._cases()]
        except StoreError:
            yield self._one(c.STORE_UP, "1 while the store answers.", 0)
            return
        yield self._one(c.STORE_UP, "1 while the store answers.", 1)
        yield from found

    def _rounds(self) -> Iterator[Metric]:
        ages = GaugeMetricFamily(
            c.LOOP_AGE, "Seconds since a loop last came round.", labels=["loop"]
        )
        for name, age in self._loops.beats.items():
            ages.add_metric([name], age)
        yield ages
        age = (self._clock.now() - self._read_at()).total_seconds()
        yield self._one(c.VIEW_AGE, "Seconds since the cloud was last read.", age)

    def _read_at(self) -> datetime:
        """
        The oldest of the readings in use: a round in which the cloud did not answer keeps the one before.
        """
        seen = [self._view.inventory(one.name) for one in self._view.platforms]
        moments = [one.at if one else self._began_at for one in seen]
        return min(moments, default=self._view.read_at or self._began_at)

    def _inbox(self) -> Iterator[Metric]:
        waiting = self._store.inbox.pending(PENDING_MAX)
        now = self._clock.now()
        oldest = min((record.received_at for record in waiting), default=now)
        yield self._one(
            c.INBOX_DEPTH,
            f"Alerts that have no case yet, counted up to {PENDING_MAX}.",
            len(waiting),
        )
        yield self._one(
            c.INBOX_AGE,
            "How long the oldest of them has waited.",
            (now - oldest).total_seconds(),
        )

    def _cases(self) -> Iterator[Metric]:
        held = {lease.name: lease.holder for lease in self._store.leases.in_force()}
        found = self._store.cases.cases(open_only=True, limit=OPEN_MAX)
        # Whoever waits for a person needs no healer, and a lost sense is nobody's patient.
        holders = Counter(
            held.get(leasing.of_case(case.id), "")
            for case in found
            if case.state is not CaseState.AWAITING and not case.subject.is_everywhere
        )
        nobody = holders.pop("", 0)
        by_holder = GaugeMetricFamily(
            c.CASES_HELD,
            "Open cases by the healer that treats them.",
            labels=["holder"],
        )
        for holder, number in holders.items():
            by_holder.add_metric([holder], number)
        yield by_holder
        yield self._one(
            c.CASES_UNATTENDED, "Open cases that no healer treats just now.", nobody
        )

    def _one(self, name: str, text: str, value: float) -> Metric:
        family = GaugeMetricFamily(name, text)
        family.add_metric([], value)
        return family
